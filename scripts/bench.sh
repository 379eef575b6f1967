#!/usr/bin/env bash
# Measures the costs of the extension and of the gateway: `make bench`.
#
#   scripts/bench.sh [MAJOR]        default: 17
#
# - QUICK=1             takes about a minute, with less precise numbers
# - TABLES="A D"        runs only some tables of benches/sql (A to H, N, O) and of benches/gateway (I to M), without the
#                       benchmark of crates/token
# - CURVES=1            also measures the growth with rows, keys, providers, tokens, users and connections: CSV and SVG
# - INSTALLED=PATH      uses the PostgreSQL of this pg_config, which has a release build installed: the script then builds
#                       and installs nothing and ignores MAJOR
#
# Builds the extension for release and installs it into the private tree of one PostgreSQL. Writes the tables to standard
# output and progress to standard error. Run nothing else on the machine at the same time.
#
# Written by hand: criterion cannot measure inside a server, and it reports no table across benchmarks.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/node.sh"

# Whether a table of benches/gateway is chosen.
with_gateway() { [[ -z "${TABLES:-}" || "${TABLES^^}" == *[I-M]* ]]; }

cd "$ROOT"
if [ -n "${INSTALLED:-}" ]; then
    pg_config=$(command -v "$INSTALLED") || die "$INSTALLED does not exist"
else
    choose_majors "${1:-17}"
    major=${majors[0]}
    with_tests=()
    if with_gateway; then with_tests=(--with-tests); fi # for PgBouncer and node's pg
    "$ROOT/scripts/setup.sh" "${with_tests[@]}" "$major" >&2
    pg_config=$(pg_config_of "$major")
    lock_cache # until the end: the server loads the library from the tree
    "$ROOT/scripts/package.sh" install "$pg_config" >&2 8>&-
fi
export PG_CONFIG=$pg_config BENCH_OUTPUT=$CARGO_TARGET_DIR/bench/curves

make_run_directory
export BENCH_FLOOR=$RUN/floor.so
cc -O2 -Wall -fPIC -shared -I"$("$pg_config" --includedir-server)" -o "$BENCH_FLOOR" "$ROOT/benches/floor/floor.c"
chmod 644 "$BENCH_FLOOR" # the server's user reads it

say "building the benchmarks" >&2
in_server=("${BUILD_FLAGS[@]}" -p pg_session_jwt_benches --bench sql)
of_token=("${BUILD_FLAGS[@]}" -p pg_session_jwt_token --bench verify)
cargo bench "${in_server[@]}" --no-run 8>&- 2>&1 | tail -n 3 >&2
cargo bench "${of_token[@]}" --no-run 8>&- 2>&1 | tail -n 3 >&2
if with_gateway; then
    in_gateway=("${BUILD_FLAGS[@]}" -p pg_session_jwt_benches --bench gateway)
    cargo bench "${in_gateway[@]}" --no-run 8>&- 2>&1 | tail -n 3 >&2
    cargo build --release "${BUILD_FLAGS[@]}" -p pg_session_jwt_gateway 8>&- 2>&1 | tail -n 3 >&2
    export BENCH_GATEWAY=$CARGO_TARGET_DIR/release/pg_session_jwt_gateway BENCH_NODE=$RUN/node
    lay_out_node tests/clients/node "$BENCH_NODE" || die "node's pg is missing: run scripts/setup.sh --with-tests"
    cp "$ROOT/benches/gateway/node.mjs" "$BENCH_NODE/"
    ulimit -Sn "$(ulimit -Hn)" # table L has 1,000 clients
fi

printf '%s, %s, %s\n' "$("$pg_config" --version)" "$(rustc --version)" "$(uname -srm)"
printf '%s processors: %s; load %s\n' "$(nproc)" \
    "$(sed -nE 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(cut -d ' ' -f 1 /proc/loadavg)"
if [ -z "${INSTALLED:-}" ]; then # the commit of an installed build is unknown
    printf 'commit %s%s\n' "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" \
        "$([ -z "$(git status --porcelain 2>/dev/null)" ] || echo ', with changes')"
fi

cargo bench --quiet "${in_server[@]}" 8>&-
if with_gateway; then cargo bench --quiet "${in_gateway[@]}" 8>&-; fi
if [ -z "${TABLES:-}" ]; then
    say "without PostgreSQL: crates/token/benches/verify.rs" >&2
    printf '\n### The verifier alone: a token from text to identity, its signature alone, key sets\n\n'
    printf '| what | median time |\n| --- | --- |\n'
    # "GROUP/WHAT/WHICH time: [least median greatest]", on two lines if the name is long. Criterion's other lines compare
    # with some earlier run.
    cargo bench --quiet "${of_token[@]}" -- --noplot --discard-baseline 2>&1 8>&- | awk -F ' +time: +' '
        /^Benchmarking/ { next }
        NF == 2 {
            if ($1 != "") name = $1
            split(name, part, "/"); split($2, time, " ")
            what = part[1] ": " part[2]
            if (!(what in times)) order[++rows] = what
            times[what] = times[what] (times[what] == "" ? "" : ", ") part[3] " " time[3] " " time[4]
        }
        { name = $0 }
        END { for (row = 1; row <= rows; row++) print "| " order[row] " | " times[order[row]] " |" }'
fi
say "done" >&2
