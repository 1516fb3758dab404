#!/usr/bin/env bash
# One long drill, of at most an hour: `make soak NAME=years`.
set -euo pipefail
bin="${CARGO_TARGET_DIR:-target}/release"

case "${1:-}" in
    years) exec nice "$bin/shoal-testnet" bench years --days 14 --fraction 1 --json ;;
    sim) exec nice "$bin/shoal-sim" soak ;;
    *)
        echo "soak: name a drill: years (two weeks of main's rate through the store), sim (random simulations)" >&2
        exit 2
        ;;
esac
