export const DEFAULT_LANG = 'en_US'

// Each sentence that a user sees, with a number that other languages refer to.
const dict = {
  'Web pages': 0,
  'The pages are there': 1,
  'The pages are not there yet': 2,
  Work: 3,
  'Miners have work': 4,
  'What the pool does, and how it goes for you': 10,
  Miners: 11,
  'Where miners connect. The user name is a Bitcoin address': 12,
  'Other nodes': 13,
  'Where other nodes of the pool connect. Make it public if you can': 14,
  Settings: 20,
  'Network, pool and Bitcoin node': 21,
  Network: 22,
  'No pool is launched on mainnet, so it is not on this list': 23,
  Pool: 24,
  'The name of a private pool, the same on all its nodes; empty for the public pool': 25,
  '1 to 32 of a-z, 0-9 and -': 26,
  'Payout address': 27,
  'For miners whose user name has no address': 28,
  'First node': 29,
  'Work without any peer. Only for the first node of a new pool, until another has joined': 30,
  'Nodes of the pool': 31,
  'Addresses of nodes that know the others, like /ip4/192.0.2.7/tcp/3381': 32,
  'A multiaddress': 33,
  'Bitcoin node': 34,
  'The one on this server': 35,
  'Another one': 36,
  URL: 37,
  'Its JSON-RPC, like http://192.168.1.20:48332': 38,
  User: 39,
  Password: 40,
  'Say which network and pool this node belongs to': 41,
} as const

export type LangDict = Record<(typeof dict)[keyof typeof dict], string>
export default dict
