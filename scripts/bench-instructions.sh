#!/usr/bin/env bash
# Counts the processor instructions of one call: `make bench-instructions`. Unlike times they are the same in each run, on a
# busy machine too, so a change that makes a call more expensive is visible at once.
#
#   scripts/bench-instructions.sh [MAJOR]        default: 17; INSTALLED=PATH as for scripts/bench.sh
#
# Runs a backend without a server (postgres --single) under callgrind. The result is the difference between a query with
# many calls and one with few calls, less the difference for a constant.
#
# Written by hand: iai-callgrind measures Rust functions, not a backend.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/tokens.sh"

FEW=1000
MANY=11000

command -v valgrind >/dev/null && [ -f /usr/include/valgrind/callgrind.h ] || die "valgrind is needed: apt-get install valgrind"
cd "$ROOT"
if [ -n "${INSTALLED:-}" ]; then
    pg_config=$(command -v "$INSTALLED") || die "$INSTALLED does not exist"
else
    choose_majors "${1:-17}"
    "$ROOT/scripts/setup.sh" "${majors[0]}"
    pg_config=$(pg_config_of "${majors[0]}")
    lock_cache
    "$ROOT/scripts/package.sh" install "$pg_config" 8>&-
fi
bin=$("$pg_config" --bindir)
make_run_directory
cc -O2 -Wall -fPIC -shared -DWITH_CALLGRIND -I"$("$pg_config" --includedir-server)" -o "$RUN/floor.so" benches/floor/floor.c

# ---- a provider and its tokens --------------------------------------------------------------------------------------

new_key provider ed25519
jwk=$(ed25519_jwk provider)

provided() { token '{"alg":"EdDSA"}' "$1" eddsa provider; } # claims

claims_of() { # bytes of filler
    local filler=""
    if [ "$1" -gt 0 ]; then filler=",\"filler\":\"$(head -c "$1" /dev/zero | tr '\0' x)\""; fi
    printf '{"iss":"a","sub":"6f4d2f0a-5b7e-4c8e-9d51-0123456789ab"%s}' "$filler"
}

# ---- the database ---------------------------------------------------------------------------------------------------

start_server "$pg_config" count
"$bin/psql" -X -q -v ON_ERROR_STOP=1 <<SQL
create extension pg_session_jwt;
create function count_ends(text) returns void language c as '$RUN/floor.so';
create function floor_per_query() returns text language c stable as '$RUN/floor.so';
create function floor_per_session() returns text language c stable as '$RUN/floor.so';
create function claim_uid() returns uuid language sql stable as \$\$
    select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid \$\$;
SQL
as_server_user "$bin/pg_ctl" -D "$RUN/count/data" -m fast -s stop

# ---- counting -------------------------------------------------------------------------------------------------------

calls=("'x'::text" "floor_per_session()" "floor_per_query()" "auth.user_id()" "auth.uid()" "auth.jwt()" "auth.jwt() ->> 'sub'"
    "version()" "current_setting('request.jwt.claims', true)" "claim_uid()")

# One line for each statement, as postgres --single reads them. The identity and the claims are set first.
statements() { # mode claims
    local index times
    if [ "$1" = provider ]; then echo "select auth.jwt_session_init('$(provided "$2")');"; fi
    echo "select set_config('request.jwt.claims', '$2', false);"
    # Fills the caches and loads the library before the count.
    for index in "${!calls[@]}"; do echo "select count(${calls[index]}) from generate_series(1, 10);"; done
    echo "select count_ends('begin');"
    for index in "${!calls[@]}"; do
        for times in "$FEW" "$MANY"; do
            echo "select count(${calls[index]}) from generate_series(1, $times);"
            echo "select count_ends('call $index $times');"
        done
    done
    if [ "$1" = provider ]; then
        for times in 10 50; do
            present "array_fill('$(provided "$2")'::text, array[$times])" "same $times"
            present "'{$(for serial in $(seq "$times"); do provided "${2%\}},\"n\":$times$serial}"; printf ,; done | sed 's/,$//')}'" "new $times"
        done
    fi
}

# Counts the instructions to present the tokens of an array.
present() { # array name
    echo "select count(*) from unnest($1::text[]) token where auth.jwt_session_init(token) is not null;"
    echo "select count_ends('$2');"
}

count() { # mode claims
    local counted=$RUN/counted
    rm -rf "$counted"
    if is_root; then install -d -o "$SERVER_USER" "$counted"; else mkdir "$counted"; fi
    statements "$1" "$2" >"$RUN/statements"
    # On the command line, because a backend without a server does not read the settings of its database.
    local settings=(-c jit=off -c max_parallel_workers_per_gather=0 -c work_mem=64MB)
    if [ "$1" = provider ]; then settings+=(-c "pg_session_jwt.providers=[{\"issuer\":\"a\",\"jwks\":{\"keys\":[$jwk]}}]"); fi
    as_server_user valgrind --tool=callgrind --quiet --callgrind-out-file="$counted/out" --combine-dumps=no \
        "$bin/postgres" --single -D "$RUN/count/data" "${settings[@]}" postgres \
        <"$RUN/statements" >"$RUN/single.log" 2>&1 || { tail -n 20 "$RUN/single.log" >&2; die "postgres under valgrind failed"; }
    if grep -q ERROR "$RUN/single.log"; then grep -m 3 ERROR "$RUN/single.log" >&2; die "a statement failed"; fi
    # "desc: Trigger: Client Request: call 3 1000" and "summary: 123456"
    cat "$counted"/out.* | sed -nE 's/^desc: Trigger: Client Request: (call|same|new) /\1 /p; s/^(summary|totals): /= /p' \
        | awk '$1 == "=" { if (name != "") seen[name] = $2; name = ""; next } { name = $0 }
            END {
                few = '"$FEW"'; many = '"$MANY"'
                for (i = 0; i < '"${#calls[@]}"'; i++) {
                    each = (seen["call " i " " many] - seen["call " i " " few]) / (many - few)
                    if (i == 0) constant = each
                    printf "%d\t%.1f\n", i, each - constant
                }
                if (seen["new 50"]) printf "new\t%.0f\n", (seen["new 50"] - seen["new 10"]) / 40
                if (seen["same 50"]) printf "same\t%.0f\n", (seen["same 50"] - seen["same 10"]) / 40
            }' >"$RUN/result"
    printf '\n### Instructions for each call, %s mode, claims of %s bytes\n\n| call | instructions |\n| --- | ---: |\n' \
        "$1" "${#2}"
    local index each
    while IFS=$'\t' read -r index each; do
        case $index in
            0) ;;
            new | same) printf "| \`auth.jwt_session_init(…)\`, EdDSA, %s token | %s |\n" "$(sed 's/new/a new/; s/same/the same/' <<<"$index")" "$each" ;;
            *) printf "| \`%s\` | %s |\n" "${calls[index]}" "$each" ;;
        esac
    done <"$RUN/result"
}

for filler in 0 950 8000; do
    for mode in claims provider; do
        say "$mode mode, $filler more bytes of claims" >&2
        count "$mode" "$(claims_of "$filler")"
    done
done
say "done" >&2
