#!/usr/bin/env bash
# One long drill, of at most an hour: `make soak NAME=years`.
set -euo pipefail
bin="${CARGO_TARGET_DIR:-target}/release"

case "${1:-}" in
    years) exec nice "$bin/shoal-testnet" bench years --days 14 --fraction 1 --json ;;
    sim) exec nice "$bin/shoal-sim" soak ;;
    sync) SHOAL_SYNC_LINKS=500,5000,20000 exec nice cargo nextest run --profile soak --release --locked --package testnet --test network_sync --no-capture ;;
    kills) SHOAL_KILLS=1000 exec nice cargo nextest run --profile soak --release --locked --package testnet --test network_kills --no-capture ;;
    *)
        echo "soak: name a drill: years (two weeks of main's rate through the store), sim (random simulations), kills (1,000 kills of a node), sync (fresh nodes on chains of 500 to 20,000 links)" >&2
        exit 2
        ;;
esac
