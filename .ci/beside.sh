#!/usr/bin/env bash
# Runs a command in front, and another one beside it with low priority: tests of networks wait most of the time.
#
#   usage: .ci/beside.sh BESIDE FRONT...      BESIDE is a command line, FRONT a command and its arguments
#
# Both run to their ends, and it fails if either does. What BESIDE prints comes after FRONT's end: all of it if it failed,
# otherwise only its lines that begin with "==>".
set -euo pipefail
[ "$#" -ge 2 ] || { echo "usage: .ci/beside.sh BESIDE FRONT..." >&2; exit 2; }
command="$1"
shift
log="$(mktemp)"

# A process group of its own, so that it ends as a whole. No session of its own: Linux shares processors between sessions first,
# by priority only within each.
set -m
nice -n 10 bash -euo pipefail -c "$command" >"$log" 2>&1 </dev/null &
beside=$!
set +m
trap 'kill -- "-$beside" 2>/dev/null || true; rm -f "$log"' EXIT
trap 'exit 130' INT TERM

front_status=0 beside_status=0
"$@" || front_status=$?
wait "$beside" || beside_status=$?

if [ "$beside_status" -eq 0 ]; then
    sed -n '/^==>/p' "$log"
else
    cat "$log"
    echo "==> FAILED with $beside_status: $command" >&2
fi
[ "$front_status" -eq 0 ] || echo "==> FAILED with $front_status: $*" >&2
exit "$((front_status != 0 ? front_status : beside_status))"
