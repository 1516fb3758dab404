export const DEFAULT_LANG = 'en_US'

// Each sentence that a user sees, with the number by which other languages refer to it.
const dict = {
  'Web pages': 0,
  'The pages are up': 1,
  'The pages are not up yet': 2,
  Work: 3,
  'Miners have work': 4,
  'The pool, and your own mining': 10,
  Miners: 11,
  'Where miners connect. The user name is a Bitcoin address': 12,
  'Other nodes': 13,
  'Where other nodes of the pool connect. Make it public if you can': 14,
  Settings: 20,
  'Network, pool and Bitcoin node': 21,
  Network: 22,
  'No pool has been launched on mainnet, so it is not in this list': 23,
  Pool: 24,
  'The name of a private pool, the same on all its nodes. Empty for the public pool': 25,
  '1 to 32 characters from a-z, 0-9 and -': 26,
  'Payout address': 27,
  'For miners whose user name has no address': 28,
  'First node': 29,
  'Work without peers. Only for the first node of a new pool, until another node has joined': 30,
  'Nodes of the pool': 31,
  'Addresses of nodes through which this one finds the others, like /ip4/192.0.2.7/tcp/3381': 32,
  'A multiaddress': 33,
  'Bitcoin node': 34,
  'The one on this server': 35,
  'Another one': 36,
  URL: 37,
  'Its JSON-RPC, like http://192.168.1.20:48332': 38,
  User: 39,
  Password: 40,
  'Choose the network and pool of this node': 41,
} as const

export type LangDict = Record<(typeof dict)[keyof typeof dict], string>
export default dict
