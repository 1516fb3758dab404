import { T } from '@start9labs/start-sdk'

// The node's own defaults. .ci/packages.py checks that they are equal.
export const minersPort = 3333
export const pagesPort = 3380
export const peersPort = 3381

export const dataFolder = '/var/lib/shoal'

// The package bitcoind: its id, its RPC interface, and where its volume is mounted.
export const bitcoind = { id: 'bitcoind', rpcHost: 'rpc', rpcPort: 8332, mountpoint: '/mnt/bitcoind' } as const

// The part of its manifest about volumes.
export type BitcoindManifest = T.SDKManifest & { id: 'bitcoind'; volumes: ['main'] }
