export const short = { en_US: 'A Bitcoin mining pool without an operator' }

export const long = {
  en_US:
    'A mining pool without an operator. Your node builds block templates with your own Bitcoin node, gives work to your miners, and ' +
    'agrees with all other nodes on who is paid. The coinbase of each block pays the miners directly. It has not been launched on ' +
    'mainnet or audited: use it on testnet4 or signet, with a Bitcoin node on that network.',
}

export const bitcoin = { en_US: 'Builds the templates and validates the blocks' }
