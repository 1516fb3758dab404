import { FileHelper, z } from '@start9labs/start-sdk'
import { sdk } from '../sdk'
import { minersPort, pagesPort, peersPort } from '../utils'

// Keys that this model does not know stay in the file, so that users can also edit it by hand.
const shape = z.object({
  network: z.enum(['testnet4', 'signet']).catch('testnet4'),
  pool: z.string().catch(''),
  new_pool: z.boolean().catch(false),
  address: z.string().optional().catch(undefined),
  bitcoind: z
    .object({
      url: z.string().optional().catch(undefined),
      cookie_file: z.string().optional().catch(undefined),
      user: z.string().optional().catch(undefined),
      password: z.string().optional().catch(undefined),
    })
    .catch({}),
  stratum: z
    .object({ listen: z.string().catch(`0.0.0.0:${minersPort}`) })
    .catch({ listen: `0.0.0.0:${minersPort}` }),
  p2p: z
    .object({
      listen: z.array(z.string()).catch([`0.0.0.0:${peersPort}`]),
      seeds: z.array(z.string()).optional().catch(undefined),
      // StartOS is the router here, and has no UPnP.
      upnp: z.boolean().catch(false),
    })
    .catch({ listen: [`0.0.0.0:${peersPort}`], upnp: false }),
  api: z
    .object({ listen: z.string().catch(`0.0.0.0:${pagesPort}`) })
    .catch({ listen: `0.0.0.0:${pagesPort}` }),
})

export const shoalToml = FileHelper.toml(
  { base: sdk.volumes.main, subpath: '/shoal.toml' },
  shape,
)
