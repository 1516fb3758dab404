export const short = { en_US: 'A Bitcoin mining pool without an operator' }

export const long = {
  en_US:
    'A mining pool that nobody runs. Your node makes its own block templates from your own Bitcoin node, gives work to your miners, and ' +
    'agrees with all other nodes on who is paid. The coinbase of each block pays the miners directly. Not launched on mainnet and not ' +
    'audited: use it on testnet4 or signet, with a Bitcoin node of that network.',
}

export const bitcoin = { en_US: 'Makes the templates and judges the blocks' }
