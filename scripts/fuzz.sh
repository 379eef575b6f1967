#!/usr/bin/env bash
# Fuzzes the verifier and the gateway's parsers, which need no PostgreSQL: `make fuzz`.
#
#   scripts/fuzz.sh [TARGET …]        default: all of fuzz/fuzz_targets
#
#   TIME=seconds        time of each target; default: 60
#
# Written by hand because `cargo fuzz` needs a nightly toolchain. This uses libFuzzer on the stable one: rustc inserts the
# coverage counters, without a sanitizer. This code has no unsafe blocks; the targets search for panics, overflows, failed
# assertions, and inputs that cost too much time or memory.
#
# Each target begins with the shapes that it creates (fuzz/shapes.rs) and with the inputs of earlier runs, in the cache.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

if [ ! -d "$ROOT/fuzz" ]; then
    say "skipped: a release archive does not contain the fuzzers"
    exit 0
fi
cd "$ROOT/fuzz"
seconds=${TIME:-60}
targets=("$@")
if [ $# = 0 ]; then
    for file in fuzz_targets/*.rs; do targets+=("$(basename -- "$file" .rs)"); done
fi
host=$(rustc -vV | sed -n 's/^host: //p')

# The flags of cargo-fuzz. --target keeps the counters out of build scripts and macros.
counters="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-trace-compares"
counters+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing"
say "building the fuzzers"
bins=()
for target in "${targets[@]}"; do bins+=(--bin "$target"); done
RUSTFLAGS=$counters CARGO_TARGET_DIR=$CARGO_TARGET_DIR/fuzz cargo build --quiet "${BUILD_FLAGS[@]}" --release --target "$host" "${bins[@]}"

fuzz() {
    local target=$1 stored=$CACHE/fuzz/$1 shapes status=0 executions covered made
    shapes=$(mktemp -d "${TMPDIR:-/tmp}/pgsj-shapes.XXXXXX")
    mkdir -p "$stored/found"
    # libFuzzer writes new inputs to the first directory.
    PG_SESSION_JWT_FUZZ_SHAPES=$shapes "$CARGO_TARGET_DIR/fuzz/$host/release/$target" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$stored/" "$stored/found" "$shapes" >"$stored/log" 2>&1 || status=$?
    executions=$(sed -nE 's/^stat::number_of_executed_units: *//p' "$stored/log")
    covered=$(grep -oE 'cov: [0-9]+' "$stored/log" | tail -n 1)
    made=$(find "$shapes" -type f | wc -l)
    rm -rf "$shapes"
    if [ "$status" != 0 ] || [ "${executions:-0}" -le "$made" ] || [ "$made" = 0 ]; then
        say "$target: FAILED (exit $status); the input is in $stored; the end of its log:"
        tail -n 40 "$stored/log"
        return 1
    fi
    say "$target: $executions executions in $seconds s, from $made shapes, $covered"
}

# One on each processor.
failed=0
running=()
for target in "${targets[@]}"; do
    if [ ${#running[@]} -ge "$(nproc)" ]; then
        wait "${running[0]}" || failed=$((failed + 1))
        running=("${running[@]:1}")
    fi
    fuzz "$target" &
    running+=("$!")
done
for one in "${running[@]}"; do wait "$one" || failed=$((failed + 1)); done
printf 'passed=%s failed=%s\n' "$((${#targets[@]} - failed))" "$failed"
[ "$failed" = 0 ]
