import { settings } from '../actions/settings'
import { shoalToml } from '../fileModels/shoal.toml'
import { i18n } from '../i18n'
import { sdk } from '../sdk'
import { bitcoind } from '../utils'

export const firstSettings = sdk.setupOnInit(async (effects, kind) => {
  if (kind !== 'install') return
  await shoalToml.merge(effects, { bitcoind: { cookie_file: `${bitcoind.mountpoint}/.cookie` } })
  await sdk.action.createOwnTask(effects, settings, 'important', {
    reason: i18n('Choose the network and pool of this node'),
  })
})
