import { i18n } from './i18n'
import { sdk } from './sdk'
import { minersPort, pagesPort, peersPort } from './utils'

// Fields of an address that none of these needs.
const plain = { masked: false, schemeOverride: null, username: null, path: '', query: {} } as const

export const setInterfaces = sdk.setupInterfaces(async ({ effects }) => {
  const host = sdk.MultiHost.of(effects, 'main')
  const pages = await host.bindPort(pagesPort, { protocol: 'http' })
  const tcp = (port: number) =>
    host.bindPort(port, { protocol: null, addSsl: null, preferredExternalPort: port, secure: { ssl: false } })
  const miners = await tcp(minersPort)
  const peers = await tcp(peersPort)
  return [
    await pages.export([
      sdk.createInterface(effects, {
        ...plain,
        id: 'ui',
        name: i18n('Web pages'),
        description: i18n('The pool, and your own mining'),
        type: 'ui',
      }),
    ]),
    await miners.export([
      sdk.createInterface(effects, {
        ...plain,
        id: 'stratum',
        name: i18n('Miners'),
        description: i18n('Where miners connect. The user name is a Bitcoin address'),
        type: 'api',
      }),
    ]),
    await peers.export([
      sdk.createInterface(effects, {
        ...plain,
        id: 'peers',
        name: i18n('Other nodes'),
        description: i18n('Where other nodes of the pool connect. Make it public if you can'),
        type: 'p2p',
      }),
    ]),
  ]
})
