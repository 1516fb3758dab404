#!/usr/bin/env bash
# Builds RocksDB's static archive from the sources that the crate librocksdb-sys ships, in minutes.
#
#   usage: .ci/rocksdb.sh FOLDER      writes FOLDER/librocksdb.a unless it is there and up to date
#
# The crate's own build script compiles 343 files one by one, 25 CPU minutes of mostly the same
# headers. Here twelve files make one unit, which parses the headers once (decision 0007). cargo
# links the result through ROCKSDB_LIB_DIR and ROCKSDB_STATIC, which the Makefile sets. The flags are
# those of the crate's build script; the sources are not changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Sources in one unit. More would save little parsing and cost memory: a unit of 12 takes up to 1.5 GB.
readonly SOURCES_PER_UNIT=12
readonly UNIT_MEMORY_KB=1600000

say() { echo "rocksdb: $*" >&2; }
die() {
    say "$*"
    exit 1
}

[ "$#" -eq 1 ] || die "usage: .ci/rocksdb.sh FOLDER"
mkdir -p "$1"
folder="$(cd "$1" && pwd)"
cxx="${CXX:-c++}"

# The folder of a crate's sources, as Cargo.lock pins it.
sources_of() {
    cargo metadata --locked --format-version 1 | python3 -c '
import json, os, sys
found = [p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == sys.argv[1]]
if len(found) != 1:
    sys.exit(f"rocksdb: Cargo.lock has {len(found)} versions of {sys.argv[1]}, not one")
print(os.path.dirname(found[0]))' "$1"
}

crate="$(sources_of librocksdb-sys)"
lz4="$(sources_of lz4-sys)/liblz4/lib"
[ -f "$lz4/lz4.h" ] || die "lz4.h is not where lz4-sys kept it so far: $lz4"

flags=(
    -std=c++20 -O3 -fPIC -ffunction-sections -fdata-sections -w -include cstdint
    -I"$crate/rocksdb/include" -I"$crate/rocksdb" -I"$crate" -I"$lz4"
    -DNDEBUG=1 -DLZ4=1 -DHAVE_ALIGNED_NEW -DHAVE_UINT128_EXTENSION
    -DOS_LINUX -DROCKSDB_PLATFORM_POSIX -DROCKSDB_LIB_IO_POSIX -DROCKSDB_SCHED_GETCPU_PRESENT
    -DROCKSDB_AUXV_GETAUXVAL_PRESENT -DROCKSDB_FALLOCATE_PRESENT -DROCKSDB_RANGESYNC_PRESENT
)
case "$(uname -sm)" in
    "Linux x86_64") flags+=(-msse2) ;;
    "Linux aarch64") ;;
    *) die "this script builds on Linux, x86_64 or aarch64; unset ROCKSDB_LIB_DIR to let cargo build RocksDB (25 CPU minutes)" ;;
esac

# What the archive depends on. A change of any of it builds anew.
stamp="$({ "$cxx" --version; echo "$crate" "$lz4" "${flags[*]}"; cat "${BASH_SOURCE[0]}"; } | sha256sum | cut -c 1-64)"
[ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ] || exit 0

# One builder at a time: a second one waits, then finds the archive.
exec 9>"$folder/lock"
flock 9
[ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ] || exit 0

memory_kb="$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)"
jobs=$((memory_kb / UNIT_MEMORY_KB))
[ "$jobs" -le "$(nproc)" ] || jobs="$(nproc)"
[ "$jobs" -ge 1 ] || jobs=1

units="$folder/units"
rm -rf "$units" "$folder/stamp" "$folder/librocksdb.a"
mkdir -p "$units"
grep -v '^util/build_version.cc$' "$crate/rocksdb_lib_sources.txt" \
    | awk -v per="$SOURCES_PER_UNIT" -v crate="$crate" -v units="$units" '
        NF { print "#include \"" crate "/rocksdb/" $1 "\"" > sprintf("%s/unit-%02d.cc", units, int(n / per)); n = n + 1 }'
printf '#include "%s/build_version.cc"\n' "$crate" >"$units/unit-version.cc"
total="$(find "$units" -name '*.cc' | wc -l)"
say "building RocksDB once: $total units, $jobs at a time; some 4 minutes on two cores"

compile() {
    "$cxx" "${flags[@]}" -c "$1" -o "${1%.cc}.o" || { say "$1 does not compile"; return 255; }
    say "$(find "$units" -name '*.o' | wc -l) of $total units after $((SECONDS)) s"
}
# bash exports functions but no arrays: xargs gets a script that carries both.
export -f compile say
export cxx units total
find "$units" -name '*.cc' | sort \
    | xargs -P "$jobs" -I{} bash -c "SECONDS=\$((\$(date +%s) - $(date +%s))); $(declare -p flags); compile {}"

"${AR:-ar}" crs "$folder/librocksdb.a" "$units"/*.o
rm -rf "$units"
echo "$stamp" >"$folder/stamp"
say "done after $SECONDS s"
