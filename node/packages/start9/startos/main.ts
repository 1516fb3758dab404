import { shoalToml } from './fileModels/shoal.toml'
import { i18n } from './i18n'
import { sdk } from './sdk'
import { bitcoind, BitcoindManifest, dataFolder, pagesPort } from './utils'

export const main = sdk.setupMain(async ({ effects }) => {
  // A change of the settings restarts the node.
  const settings = await shoalToml.read().const(effects)
  if (!settings) throw new Error('shoal.toml is missing')
  const own = !settings.bitcoind.user
  const ownMounts = sdk.Mounts.of().mountVolume({
    volumeId: 'main',
    subpath: null,
    mountpoint: dataFolder,
    readonly: false,
  })
  const mounts = own
    ? ownMounts.mountDependency<BitcoindManifest>({
        dependencyId: bitcoind.id,
        volumeId: 'main',
        subpath: null,
        mountpoint: bitcoind.mountpoint,
        readonly: true,
      })
    : ownMounts
  // None while bitcoind is not installed. The node then waits with its default URL, and main runs again once bitcoind is there.
  const rpc = own
    ? await sdk.host
        .getBridgeAddress(effects, {
          packageId: bitcoind.id,
          hostId: bitcoind.rpcHost,
          internalPort: bitcoind.rpcPort,
          ssl: false,
        })
        .const()
    : null
  const env = {
    HOME: dataFolder,
    SHOAL_CONFIG: `${dataFolder}/shoal.toml`,
    SHOAL_DATA_DIR: `${dataFolder}/node`,
    ...(rpc ? { SHOAL_BITCOIND_URL: `http://${rpc}` } : {}),
  }

  return sdk.Daemons.of(effects)
    .addDaemon('node', {
      subcontainer: sdk.SubContainer.of(effects, { imageId: 'shoal' }, mounts, 'node'),
      exec: {
        command: ['/usr/bin/shoal', 'run'],
        env,
        // Only root can read bitcoind's cookie. This is root in the service's own container, not on the server.
        user: 'root',
        sigtermTimeout: 60_000,
      },
      ready: {
        display: i18n('Web pages'),
        fn: () =>
          sdk.healthCheck.checkPortListening(effects, pagesPort, {
            successMessage: i18n('The pages are up'),
            errorMessage: i18n('The pages are not up yet'),
          }),
      },
      requires: [],
    })
    .addHealthCheck('work', {
      ready: {
        display: i18n('Work'),
        trigger: sdk.trigger.cooldownTrigger(15_000),
        // The node says why miners have no work: for example, bitcoind syncs, or no peer has connected yet.
        fn: async () => {
          const answer = await fetch(`http://127.0.0.1:${pagesPort}/ready`, { signal: AbortSignal.timeout(5_000) })
          if (answer.ok) return { result: 'success', message: i18n('Miners have work') }
          const { error } = (await answer.json()) as { error: string }
          return { result: 'loading', message: error }
        },
      },
      requires: ['node'],
    })
})
