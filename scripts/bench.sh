#!/usr/bin/env bash
# What the extension costs, in figures: `make bench`.
#
#   scripts/bench.sh [MAJOR]        default: 17
#
#   QUICK=1             about a minute, with less certain numbers
#   TABLES="A D"        some of the tables of benches/sql only, and nothing of crates/token/benches/judge.rs
#   CURVES=1            also how the costs grow with rows, keys, providers, tokens and connections: CSV and SVG
#   INSTALLED=PATH      the pg_config of a PostgreSQL that has a release build already: nothing is set up, built or
#                       installed, and MAJOR means nothing
#
# The extension is built for release and installed into the private tree of one PostgreSQL. The tables go to the standard
# output, progress to the standard error. Let the machine do nothing else meanwhile.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"

cd "$ROOT"
if [ -n "${INSTALLED:-}" ]; then
    pg_config=$(command -v "$INSTALLED") || die "there is no $INSTALLED"
else
    choose_majors "${1:-17}"
    major=${majors[0]}
    "$ROOT/scripts/setup.sh" "$major" >&2
    pg_config=$(pg_config_of "$major")
    lock_cache # until the end: the server loads the library from the tree
    "$ROOT/scripts/package.sh" install "$pg_config" >&2 8>&-
fi
export PG_CONFIG=$pg_config BENCH_OUTPUT=$CARGO_TARGET_DIR/bench/curves

make_run_directory
export BENCH_FLOOR=$RUN/floor.so
cc -O2 -Wall -fPIC -shared -I"$("$pg_config" --includedir-server)" -o "$BENCH_FLOOR" "$ROOT/benches/floor/floor.c"
chmod 644 "$BENCH_FLOOR" # the server's user reads it

say "building what measures" >&2
in_server=("${BUILD_FLAGS[@]}" -p pg_session_jwt_benches --bench sql)
of_core=("${BUILD_FLAGS[@]}" -p pg_session_jwt_token --bench judge)
cargo bench "${in_server[@]}" --no-run 8>&- 2>&1 | tail -n 3 >&2
cargo bench "${of_core[@]}" --no-run 8>&- 2>&1 | tail -n 3 >&2

printf '%s, %s, %s\n' "$("$pg_config" --version)" "$(rustc --version)" "$(uname -srm)"
printf '%s processors: %s; load %s\n' "$(nproc)" \
    "$(sed -nE 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(cut -d ' ' -f 1 /proc/loadavg)"
if [ -z "${INSTALLED:-}" ]; then # whoever installed the other one knows what it is
    printf 'commit %s%s\n' "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" \
        "$([ -z "$(git status --porcelain 2>/dev/null)" ] || echo ', with changes')"
fi

cargo bench --quiet "${in_server[@]}" 8>&-
if [ -z "${TABLES:-}" ]; then
    say "without PostgreSQL: crates/token/benches/judge.rs" >&2
    printf '\n### The core alone: a token from text to identity, beside its signature alone; key sets\n\n'
    printf '| what | the middle of the times |\n| --- | --- |\n'
    # "GROUP/WHAT/WHICH time: [least middle greatest]", on two lines where the name is long. The rest of what criterion
    # says compares with an earlier run, whatever that was.
    cargo bench --quiet "${of_core[@]}" -- --noplot --discard-baseline 2>&1 8>&- | awk -F ' +time: +' '
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
