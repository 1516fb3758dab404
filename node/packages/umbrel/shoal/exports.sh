# No pool has been launched on mainnet. If the Bitcoin app is there, the node stays on testnet4: it waits, and reports the different network.
case "${APP_BITCOIN_NETWORK:-}" in
  signet | regtest) export APP_SHOAL_NETWORK="${APP_BITCOIN_NETWORK}" ;;
  *) export APP_SHOAL_NETWORK="testnet4" ;;
esac
