import { T } from '@start9labs/start-sdk'

// The node's own defaults. .ci/packages.py compares them.
export const minersPort = 3333
export const pagesPort = 3380
export const peersPort = 3381

export const dataFolder = '/var/lib/shoal'

// The package bitcoind, as its interfaces and its volume have it.
export const bitcoind = { id: 'bitcoind', rpcHost: 'rpc', rpcPort: 8332, mountpoint: '/mnt/bitcoind' } as const

// What its manifest says of volumes.
export type BitcoindManifest = T.SDKManifest & { id: 'bitcoind'; volumes: ['main'] }
