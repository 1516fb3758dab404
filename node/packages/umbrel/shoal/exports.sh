# No pool is launched on mainnet. There, the node stays on testnet4: it waits, and says that the Bitcoin app is on another network.
case "${APP_BITCOIN_NETWORK:-}" in
  signet | regtest) export APP_SHOAL_NETWORK="${APP_BITCOIN_NETWORK}" ;;
  *) export APP_SHOAL_NETWORK="testnet4" ;;
esac
