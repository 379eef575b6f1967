#!/usr/bin/env bash
# Compares PostgreSQL's own tests on servers with and without this library: `make check-postgres`.
#
#   scripts/check-postgres.sh [MAJOR …]           default: 15 16 17 18 19
#   scripts/check-postgres.sh --quick [MAJOR …]   one of these, 17 if possible, and only its regression suite; for `make test`
#
# Suites: regression, isolation, PL/pgSQL, pgcrypto, postgres_fdw. Servers: without the library, with the library
# preloaded, and with the extension in the tests' database too. The library must make no difference: the same tests fail,
# and failing tests print the same. --quick starts a server without the library only if a test fails.
# The last lines count the passed tests. A full run of 15, 17 and 18 takes twenty minutes, --quick one or two.
#
# Written by hand: pg_regress runs one suite on one server and compares nothing across servers.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/postgres.sh"
. "$ROOT/scripts/suites.sh"

quick=""
if [ "${1:-}" = --quick ]; then
    quick=1
    shift
fi
choose_majors "$@"
cd "$ROOT"
make_run_directory
lock_cache
"$ROOT/scripts/setup.sh" "${majors[@]}" 8>&- || say "the set-up is incomplete; continuing with the parts that succeeded"

declare -A suites_here # by major
if [ -n "$quick" ]; then
    descending=$(printf '%s\n' "${majors[@]}" | sort -rn)
    mapfile -t majors < <(grep -x 17 <<<"$descending"; grep -vx 17 <<<"$descending")
fi
for major in "${majors[@]}"; do
    if ! pg_config_of "$major" >/dev/null || ! make_suites "$major"; then continue; fi
    suites_here[$major]=regress
    if [ -n "$quick" ]; then break; fi
    suites_here[$major]+=" isolation plpgsql"
    for module in pgcrypto postgres_fdw; do
        if put_contrib "$major" "$module"; then suites_here[$major]+=" $module"; fi
    done
done
STEPS=$(wc -w <<<"${suites_here[*]:-}")
if [ "$STEPS" = 0 ]; then
    if [ -z "$quick" ]; then die "no source of PostgreSQL ${majors[*]} is available here"; fi
    say "skipped: PostgreSQL's own tests are not available here"
    echo "passed=0 failed=0"
    exit 0
fi
kinds=(without preloaded installed)
if [ -n "$quick" ]; then kinds=(preloaded installed); fi
STEPS=$((STEPS * ${#kinds[@]}))

# Starts the server of one kind: without, preloaded, installed. Always in the same directory, whose name the tests print.
# PGHOST is set before the start: in postgres_fdw's tests the server connects to itself.
start_server_of() {
    local settings=("max_prepared_transactions = 10")
    if [ "$2" != without ]; then settings+=("shared_preload_libraries = '$EXTENSION'"); fi
    export PGHOST=$RUN/server
    start_server "$(pg_config_of "$1")" server "${settings[@]}"
}

stop_server() {
    stop_servers_in "$RUN/server"
    # Only the log of a crashed server reports the crash.
    grep -E 'PANIC|TRAP|terminated by signal' "$RUN/server/log" || true
    rm -rf "$RUN/server"
}

# Runs one suite of one major on the server of that kind. Its output and results are in $RUN/KIND/MAJOR/SUITE.
run_suite() {
    local major=$1 kind=$2 suite=$3 pg_config suites runner input database output=$RUN/output tests=()
    step "PostgreSQL $major, $suite, $kind"
    pg_config=$(pg_config_of "$major")
    suites=$(suites_of "$major")
    runner=$(pg_regress_of "$pg_config")
    case $suite in
        regress)
            input=$suites/src/test/regress database=regression # its tests expect this name
            tests=(--schedule="$input/parallel_schedule" --max-concurrent-tests=20)
            ;;
        isolation)
            input=$suites/src/test/isolation database=isolation_regression
            runner=$(dirname -- "$runner")/../isolation/pg_isolation_regress
            tests=(--schedule="$input/isolation_schedule")
            ;;
        plpgsql) input=$suites/src/pl/plpgsql/src database=pl_regression ;;
        *) input=$suites/contrib/$suite database=contrib_regression ;;
    esac
    if [ ${#tests[@]} = 0 ]; then read -ra tests < <(tests_of "$input"); fi
    if [ "$kind" = installed ]; then tests=(--load-extension="$EXTENSION" "${tests[@]}"); fi
    # The server writes there too.
    if is_root; then install -d -o "$SERVER_USER" "$output"; else mkdir "$output"; fi
    # It exits with 1 if a test fails; the comparison below decides.
    as_server_user env LC_ALL=C "$runner" --bindir="$("$pg_config" --bindir)" --dlpath="$suites/lib" --host="$PGHOST" \
        --port="$PGPORT" --user="$PGUSER" --dbname="$database" --inputdir="$input" --outputdir="$output" "${tests[@]}" \
        2>&1 8>&- </dev/null | tee -i "$RUN/log" || true
    mkdir -p "$RUN/$kind/$major"
    mv "$output" "$RUN/$kind/$major/$suite"
    mv "$RUN/log" "$RUN/$kind/$major/$suite/log"
    say "$(figures "$major" "$suite" "$kind")"
}

# "ok 3 - name" since 16; in 15 "test name ... ok" or, in a group, "     name ... ok".
tests_with() { # ok|"not ok"  ok|FAILED  DIRECTORY
    sed -nE "s/^$1 +[0-9]+ +[-+] +([^ ]+).*/\1/p; s/^(test|    ) +([^ ]+) +\.\.\. $2.*/\2/p" "$3/log" | sort
}

passed_of() { tests_with ok ok "$RUN/$2/$1/$3"; }
failed_of() { tests_with "not ok" FAILED "$RUN/$2/$1/$3"; }

figures() { # MAJOR SUITE KIND
    local passed failed
    passed=$(passed_of "$1" "$3" "$2" | wc -l)
    failed=$(failed_of "$1" "$3" "$2" | wc -l)
    printf '%s of %s' "$passed" $((passed + failed))
}

# Prints how a server of that kind differs from the one without the library, and fails if it differs.
compare() {
    local major=$1 kind=$2 suite=$3 without=$RUN/without/$1/$3 with=$RUN/$2/$1/$3 name differs=""
    if [ -n "$(diff <(passed_of "$major" without "$suite") <(passed_of "$major" "$kind" "$suite"))" ]; then
        say "PostgreSQL $major, $suite: different tests pass without the library and $kind:"
        diff <(failed_of "$major" without "$suite") <(failed_of "$major" "$kind" "$suite") || true
        differs=1
    fi
    # The suite did not run, or not to its end.
    if [ "$(passed_of "$major" "$kind" "$suite" | wc -l)" = 0 ] || ! grep -qE '^(1\.\.[0-9]+|# .*[0-9]+ tests|[ =]*All [0-9]+ tests|[ =]*[0-9]+ of [0-9]+ tests)' "$with/log"; then
        say "PostgreSQL $major, $suite, $kind: the suite did not complete"
        differs=1
    fi
    while read -r name; do
        if ! diff -u "$without/results/$name.out" "$with/results/$name.out"; then
            say "PostgreSQL $major, $suite: $name prints different results without the library and $kind, see above"
            differs=1
        fi
    done < <(failed_of "$major" "$kind" "$suite")
    [ -z "$differs" ]
}

# Whether a quick run matches the expected output of the suite.
is_clean() { [ -z "$(failed_of "$1" "$2" regress)" ] && [ -n "$(passed_of "$1" "$2" regress)" ]; }

summary=()
passed=0
differing=0
for major in "${majors[@]}"; do
    suites=${suites_here[$major]:-}
    if [ -z "$suites" ]; then continue; fi
    say "PostgreSQL $major: installing the library"
    cargo pgrx install --no-default-features --features "pg$major" --pg-config "$(pg_config_of "$major")" 8>&-
    for kind in "${kinds[@]}"; do
        start_server_of "$major" "$kind"
        for suite in $suites; do run_suite "$major" "$kind" "$suite"; done
        stop_server
    done
    if [ -n "$quick" ] && ! { is_clean "$major" preloaded && is_clean "$major" installed; }; then
        kinds=(without preloaded installed)
        STEPS=$((STEPS + 1))
        start_server_of "$major" without
        run_suite "$major" without regress
        stop_server
    fi
    for suite in $suites; do
        line=""
        for kind in "${kinds[@]}"; do
            line+="${line:+, }$(figures "$major" "$suite" "$kind") $kind"
            passed=$((passed + $(passed_of "$major" "$kind" "$suite" | wc -l)))
            if [ "$kind" != without ] && [ -d "$RUN/without" ] && ! compare "$major" "$kind" "$suite"; then
                differing=$((differing + 1))
            fi
        done
        summary+=("PostgreSQL $major, $suite: $line")
    done
done

printf '\n'
printf '%s\n' "${summary[@]}"
# test.sh counts these: a suite fails if the library makes a difference.
printf 'passed=%s failed=%s\n' "$passed" "$differing"
[ "$differing" = 0 ] || die "the library makes a difference: see above"
