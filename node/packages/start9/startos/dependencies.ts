import { shoalToml } from './fileModels/shoal.toml'
import { sdk } from './sdk'

export const setDependencies = sdk.setupDependencies(async ({ effects }) => {
  const other = await shoalToml.read((file) => !!file.bitcoind.user).const(effects)
  if (other) return {}
  // The node waits while bitcoind syncs, so this does not require bitcoind's health.
  return { bitcoind: { kind: 'running', versionRange: '>=28.4:14', healthChecks: [] } }
})
