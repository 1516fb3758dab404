import { utils } from '@start9labs/start-sdk'
import { shoalToml } from '../fileModels/shoal.toml'
import { i18n } from '../i18n'
import { sdk } from '../sdk'
import { bitcoind } from '../utils'

const { InputSpec, List, Value, Variants } = sdk

const own = InputSpec.of({})

const other = InputSpec.of({
  url: Value.text({
    name: i18n('URL'),
    description: i18n('Its JSON-RPC, like http://192.168.1.20:48332'),
    required: true,
    default: null,
    inputmode: 'url',
  }),
  user: Value.text({ name: i18n('User'), required: true, default: null }),
  password: Value.text({ name: i18n('Password'), required: true, default: null, masked: true }),
})

const spec = InputSpec.of({
  network: Value.select({
    name: i18n('Network'),
    description: i18n('No pool has been launched on mainnet, so it is not in this list'),
    default: 'testnet4',
    values: { testnet4: 'testnet4', signet: 'signet' },
  }),
  pool: Value.text({
    name: i18n('Pool'),
    description: i18n('The name of a private pool, the same on all its nodes. Empty for the public pool'),
    required: false,
    default: null,
    patterns: [{ regex: '^[a-z0-9-]{1,32}$', description: i18n('1 to 32 characters from a-z, 0-9 and -') }],
  }),
  address: Value.text({
    name: i18n('Payout address'),
    description: i18n('For miners whose user name has no address'),
    required: false,
    default: null,
  }),
  new_pool: Value.toggle({
    name: i18n('First node'),
    description: i18n('Work without peers. Only for the first node of a new pool, until another node has joined'),
    default: false,
  }),
  seeds: Value.list(
    List.text(
      {
        name: i18n('Nodes of the pool'),
        description: i18n('Addresses of nodes through which this one finds the others, like /ip4/192.0.2.7/tcp/3381'),
      },
      { patterns: [{ regex: '^/', description: i18n('A multiaddress') }] },
    ),
  ),
  bitcoin: Value.union({
    name: i18n('Bitcoin node'),
    default: 'own',
    variants: Variants.of({
      own: { name: i18n('The one on this server'), spec: own },
      other: { name: i18n('Another one'), spec: other },
    }),
  }),
})

export const settings = sdk.Action.withInput(
  'settings',
  async () => ({
    name: i18n('Settings'),
    description: i18n('Network, pool and Bitcoin node'),
    warning: null,
    allowedStatuses: 'any',
    group: null,
    visibility: 'enabled',
  }),
  spec,
  async ({ effects }) => {
    const file = await shoalToml.read().const(effects)
    if (!file) return {}
    const { user, password, url } = file.bitcoind
    return {
      network: file.network,
      pool: file.pool || null,
      address: file.address ?? null,
      new_pool: file.new_pool,
      seeds: file.p2p.seeds ?? [],
      bitcoin:
        user && password && url
          ? { selection: 'other' as const, value: { url, user, password } }
          : { selection: 'own' as const, value: {} },
    }
  },
  async ({ effects, input }) => {
    const { network, pool, address, new_pool, seeds, bitcoin } = utils.nullToUndefined(input)
    const login =
      bitcoin.selection === 'other'
        ? { ...bitcoin.value, cookie_file: undefined }
        : { url: undefined, user: undefined, password: undefined, cookie_file: `${bitcoind.mountpoint}/.cookie` }
    await shoalToml.merge(effects, {
      network,
      pool: pool ?? '',
      address,
      new_pool,
      bitcoind: login,
      p2p: { seeds: seeds.length ? seeds : undefined },
    })
  },
)
