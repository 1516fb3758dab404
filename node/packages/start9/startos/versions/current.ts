import { VersionInfo } from '@start9labs/start-sdk'

// Shoal's version, and behind the colon that of the package.
export const current = VersionInfo.of({
  version: '0.1.0:0',
  releaseNotes: { en_US: 'The first package' },
  migrations: {},
})
