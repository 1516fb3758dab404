#!/usr/bin/env bash
# One long drill, of at most an hour: `make soak NAME=years`.
set -euo pipefail
bin="${CARGO_TARGET_DIR:-target}/release"

# One module of the tests of whole networks, with more time for each of its tests. With all packages, it is built as for
# `make test`: one package alone takes other features, and a build of its own.
scene() {
    exec nice cargo nextest run --profile soak --release --locked --workspace --no-capture \
        -E "package(testnet) & binary(network) & test(/^$1::/)"
}

case "${1:-}" in
    years) exec nice "$bin/shoal-testnet" bench years --days 14 --fraction 1 --json ;;
    # 1,500 addresses: a coinbase of 1,000 payouts draws among them. Each output is computed again by a script that shares no
    # code with the program.
    wide)
        work="$(mktemp -d)"
        trap 'rm -rf "$work"' EXIT
        "$bin/shoal-testnet" up --plain --nodes 3 --miners 6 --outputs wide --payees 1500 --bitcoin bitcoind \
            --duration "${WIDE_SECONDS:-1200}" --dir "$work/net" --report "$work/report.json"
        python3 testnet/check_report.py "$work/report.json" --network local-wide --outputs-min 1000 --shared-min 5 \
            --agreed --lost-max 0
        ;;
    # Ten home lines for half an hour: one chain, nothing lost, and how long shares took. LINK_SECONDS shortens it.
    link)
        work="$(mktemp -d)"
        trap 'rm -rf "$work"' EXIT
        "$bin/shoal-testnet" up --plain --nodes 10 --latency 150ms --loss 1% --rate 10mbit \
            --duration "${LINK_SECONDS:-1800}" --dir "$work/net" --report "$work/report.json"
        python3 testnet/check_report.py "$work/report.json" --agreed --lost-max 0 --expired-max 0 --p99-max 5000
        python3 -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))["link"], indent=2))' "$work/report.json"
        ;;
    # Two equal miners, one of them a second away in each direction: they must earn alike.
    latency)
        work="$(mktemp -d)"
        trap 'rm -rf "$work"' EXIT
        "$bin/shoal-testnet" up --plain --nodes 2 --latency-of B=1s --hashrate 200k \
            --duration "${LATENCY_SECONDS:-1200}" --dir "$work/net" --report "$work/report.json"
        python3 testnet/check_report.py "$work/report.json" --agreed --lost-max 0 --fair m1,m2
        ;;
    # An hour of connects, submits, floods, tips and disconnects, half of it over v2: nothing lost, and no more memory at the end than
    # after the first rounds. STRATUM_ROUNDS shortens it.
    stratum)
        for protocol in v1 v2; do
            "$bin/shoal-testnet" bench stratum --protocol "$protocol" --connections 2000 --tips 20 \
                --rounds "${STRATUM_ROUNDS:-30}" --json | tee >(cat >&2) | python3 -c '
import json, sys
found = json.load(sys.stdin)
start, *rounds = found["rounds_bytes"]
third = max(1, len(rounds) // 3)
early, late = max(rounds[:third]), max(rounds[-third:])
assert found["lost"] == 0, found["lost"]
assert late < early + 16_000_000, f"{late - early} bytes more in the last rounds than in the first"
'
        done
        ;;
    # bitcoind is gone for two minutes: miners leave and come back, and nothing is lost.
    outage) OUTAGE_S=120 scene outage ;;
    # Two hours with a fault every few seconds. CHAOS_MINUTES shortens it, CHAOS_SEED draws other faults.
    chaos) exec "$bin/shoal-testnet" chaos --seed "${CHAOS_SEED:-1}" --minutes "${CHAOS_MINUTES:-120}" --json ;;
    # Bitcoin's halving with full blocks: 40 blocks of the pool after it. REHEARSAL_BLOCKS changes that.
    rehearsal) REHEARSAL_BLOCKS="${REHEARSAL_BLOCKS:-40}" scene rehearsal ;;
    # The same in simulated time: a month of Bitcoin's blocks, judged by Bitcoin Core. MONTH_BLOCKS shortens it.
    month)
        MONTH_BLOCKS="${MONTH_BLOCKS:-4320}" exec nice cargo nextest run --profile soak --release --locked --workspace --no-capture \
            -E "package(testnet) & binary(bitcoins) & test(/^month::/)"
        ;;
    attack) exec "$bin/shoal-testnet" attack all --seconds "${ATTACK_SECONDS:-20}" --json ;;
    # The program and its packages, built twice in two folders, with two folders of cargo: the same bytes.
    dist)
        work="$(mktemp -d)"
        trap 'rm -rf "$work"' EXIT
        # Both at once: a commit may come while the first is built.
        git clone --quiet --no-hardlinks . "$work/first/shoal"
        git clone --quiet --no-hardlinks "$work/first/shoal" "$work/second/shoal"
        for name in first second; do
            old="${CARGO_HOME:-$HOME/.cargo}" home="$work/$name/cargo"
            # What it downloaded; cargo unpacks it anew.
            mkdir -p "$home/registry"
            cp -r "$old"/registry/{cache,index} "$home/registry/"
            [ ! -e "$old/config.toml" ] || cp "$old/config.toml" "$home/"
            (cd "$work/$name/shoal" && SHOAL_DIST_IMAGE=1 CARGO_HOME="$home" CARGO_TARGET_DIR="$work/$name/target" .ci/dist.sh "$work/$name/out")
        done
        (cd "$work/first/out" && sha256sum ./*)
        diff -r "$work/first/out" "$work/second/out"
        ;;
    # The Debian package in a Debian that systemd boots: installed, started, upgraded, removed, purged. As root.
    deb)
        work="$(mktemp -d)"
        trap 'rm -rf "$work"' EXIT
        .ci/dist.sh "$work" "$bin/shoal"
        .ci/deb-drill.sh "$work"/*.deb
        ;;
    # The same package beside a bitcoind in a fresh Debian: the minutes until a CPU miner's share is credited. As root.
    first-start)
        work="$(mktemp -d)"
        trap 'rm -rf "$work"' EXIT
        .ci/dist.sh "$work" "$bin/shoal"
        .ci/first-start.sh "$work"/*.deb "$bin/shoal-testnet"
        ;;
    # A container image, made twice: the same bytes; then started. As root.
    oci)
        work="$(mktemp -d)"
        trap 'rm -rf "$work"' EXIT
        for name in first second; do SHOAL_DIST_FAST=1 .ci/oci.sh "$work/$name" "$bin/shoal"; done
        diff -r "$work/first" "$work/second"
        .ci/oci-drill.sh "$work"/first/*-image.tar.xz
        ;;
    # The package for StartOS, against its SDK: types, the SDK's rules, and the bundle that its tool packs. Installs from npm.
    start9)
        command -v npm >/dev/null || { echo "soak: npm is missing (Node.js 20 or newer has it)" >&2; exit 1; }
        work="$(mktemp -d)"
        trap 'rm -rf "$work"' EXIT
        python3 .ci/packages.py fill "registry.example/shoal:soak@sha256:$(printf '0%.0s' {1..64})" https://shoal.example "$work"
        cd "$work/start9"
        npm ci --ignore-scripts --no-audit --no-fund
        npm run check
        node node_modules/@start9labs/start-sdk/lint.mjs
        npm run build
        node -e 'const { manifest } = require("./javascript"); console.log(manifest.id, manifest.version, "for StartOS", manifest.osVersion)'
        ;;
    sim) exec nice "$bin/shoal-sim" soak ;;
    # The standard study. Each finished run stands in a file, so the same command goes on where another was stopped; remove the file
    # when code of the simulated world has changed. STUDY_ONLY=attack,partition runs these experiments alone.
    study)
        target="${bin%/*}"
        exec nice "$bin/shoal-study" --resume "$target/study.runs" --json "$target/study.json" --out "$target/study.html" \
            ${STUDY_ONLY:+--only "$STUDY_ONLY"}
        ;;
    sync) SHOAL_SYNC_LINKS=500,5000,20000 scene sync ;;
    kills) SHOAL_KILLS=1000 scene kills ;;
    *)
        echo "soak: name a drill: years (two weeks of main's rate through the store), wide (a pool that pays 1,000 miners a block), sync (fresh nodes on chains of 500 to 20,000 links), kills (1,000 kills of a node), sim (random simulations), study (the standard study), link (ten nodes on bad lines), latency (a miner a second away), attack (hostile peers), chaos (faults of bitcoinds, clocks, disks and lines), dist (the packages, built twice), deb (the package in a fresh Debian), first-start (from the package to the first credited share), oci (the container image), start9 (the package for StartOS, against its SDK), stratum (an hour of miners that come, flood and leave), outage (two minutes without bitcoind), rehearsal (Bitcoin's halving with full blocks), month (a month of Bitcoin's blocks in simulated time)" >&2
        exit 2
        ;;
esac
