#!/usr/bin/env bash
# Fuzzing of the core, which needs no PostgreSQL: `make fuzz`.
#
#   scripts/fuzz.sh [TARGET …]        default: all of fuzz/fuzz_targets
#
#   TIME=seconds        how long each of them runs; default: 60
#
# libFuzzer, guided by coverage, on the stable toolchain: rustc's own pass puts the counters in, without a sanitizer
# (`cargo fuzz`, where there is a nightly toolchain, runs the same targets with one). The core has no unsafe code; what is
# looked for are panics, overflows, broken promises, and inputs that cost too much time or memory.
#
# Each target begins with the shapes that it makes itself (fuzz/shapes.rs) and with what earlier runs found, in the cache.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

if [ ! -d "$ROOT/fuzz" ]; then
    say "skipped: the fuzzers, which are not in a release archive"
    exit 0
fi
cd "$ROOT/fuzz"
seconds=${TIME:-60}
targets=("$@")
if [ $# = 0 ]; then
    for file in fuzz_targets/*.rs; do targets+=("$(basename -- "$file" .rs)"); done
fi
host=$(rustc -vV | sed -n 's/^host: //p')

# As cargo-fuzz does it. With --target, so that build scripts and macros are built without.
counters="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-trace-compares"
counters+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing"
say "building the fuzzers"
bins=()
for target in "${targets[@]}"; do bins+=(--bin "$target"); done
RUSTFLAGS=$counters CARGO_TARGET_DIR=$CARGO_TARGET_DIR/fuzz cargo build --quiet "${BUILD_FLAGS[@]}" --release --target "$host" "${bins[@]}"

failed=0
for target in "${targets[@]}"; do
    kept=$CACHE/fuzz/$target
    shapes=$(mktemp -d "${TMPDIR:-/tmp}/pgsj-shapes.XXXXXX")
    mkdir -p "$kept/found"
    status=0
    # The first folder receives what is new.
    PG_SESSION_JWT_FUZZ_SHAPES=$shapes "$CARGO_TARGET_DIR/fuzz/$host/release/$target" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$kept/" "$kept/found" "$shapes" >"$kept/log" 2>&1 || status=$?
    executions=$(sed -nE 's/^stat::number_of_executed_units: *//p' "$kept/log")
    covered=$(grep -oE 'cov: [0-9]+' "$kept/log" | tail -n 1)
    made=$(find "$shapes" -type f | wc -l)
    rm -rf "$shapes"
    if [ "$status" = 0 ] && [ "${executions:-0}" -gt "$made" ] && [ "$made" -gt 0 ]; then
        say "$target: $executions executions in $seconds s, from $made shapes, $covered"
    else
        failed=$((failed + 1))
        say "$target: FAILED (exit $status); the input is in $kept, and this is the end of its log:"
        tail -n 40 "$kept/log"
    fi
done
printf 'passed=%s failed=%s\n' "$((${#targets[@]} - failed))" "$failed"
[ "$failed" = 0 ]
