import { VersionInfo } from '@start9labs/start-sdk'

// Shoal's version, and after the colon the package's version.
export const current = VersionInfo.of({
  version: '0.1.0:0',
  releaseNotes: { en_US: 'The first package' },
  migrations: {},
})
