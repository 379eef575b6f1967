#!/usr/bin/env bash
# PostgreSQL's own tests on a server with this library and on one without: `make check-postgres`.
#
#   scripts/check-postgres.sh [MAJOR …]           default: 15 16 17 18
#   scripts/check-postgres.sh --quick [MAJOR …]   one of these, 17 if it can be, and only its regression suite; for `make test`
#
# Suites: regression, isolation, PL/pgSQL, pgcrypto, postgres_fdw. Servers: without the library, with the library
# preloaded, and with the extension in the database of the tests as well. The library must make no difference: the same
# tests fail, and those that fail print the same. --quick asks a server without the library only if a test fails.
# The last lines say how many tests passed; all of 15, 17 and 18 takes twenty minutes, --quick one or two.

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
"$ROOT/scripts/setup.sh" "${majors[@]}" 8>&- || say "not everything could be set up; going on with what there is"

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
    if [ -z "$quick" ]; then die "there is no source of PostgreSQL ${majors[*]} to be had here"; fi
    say "PostgreSQL's own tests are not to be had here: skipped"
    echo "passed=0 failed=0"
    exit 0
fi
kinds=(without preloaded installed)
if [ -n "$quick" ]; then kinds=(preloaded installed); fi
STEPS=$((STEPS * ${#kinds[@]}))

# The server of one kind: without, preloaded, installed. Always the same folder, whose name is in what tests print.
# PGHOST before it starts: postgres_fdw's tests have the server connect to itself.
start_server_of() {
    local settings=("max_prepared_transactions = 10")
    if [ "$2" != without ]; then settings+=("shared_preload_libraries = '$EXTENSION'"); fi
    export PGHOST=$RUN/server
    start_server "$(pg_config_of "$1")" server "${settings[@]}"
}

stop_server() {
    stop_servers_in "$RUN/server"
    # What a crashed server says is in its log only.
    grep -E 'PANIC|TRAP|terminated by signal' "$RUN/server/log" || true
    rm -rf "$RUN/server"
}

# Runs one suite of one major on the server of that kind. What it prints, and its results, are in $RUN/KIND/MAJOR/SUITE.
run_suite() {
    local major=$1 kind=$2 suite=$3 pg_config suites runner input database output=$RUN/output tests=()
    step "PostgreSQL $major, $suite, $kind"
    pg_config=$(pg_config_of "$major")
    suites=$(suites_of "$major")
    runner=$(pg_regress_of "$pg_config")
    case $suite in
        regress)
            input=$suites/src/test/regress database=regression # the name that its tests expect
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
    # It exits with 1 if a test fails, which is compared below.
    as_server_user env LC_ALL=C "$runner" --bindir="$("$pg_config" --bindir)" --dlpath="$suites/lib" --host="$PGHOST" \
        --port="$PGPORT" --user="$PGUSER" --dbname="$database" --inputdir="$input" --outputdir="$output" "${tests[@]}" \
        2>&1 8>&- </dev/null | tee -i "$RUN/log" || true
    mkdir -p "$RUN/$kind/$major"
    mv "$output" "$RUN/$kind/$major/$suite"
    mv "$RUN/log" "$RUN/$kind/$major/$suite/log"
    say "$(figures "$major" "$suite" "$kind")"
}

# "ok 3 - name" since 16, "test name ... ok" or, in a group, "     name ... ok" before.
tests_with() { # ok|"not ok"  ok|FAILED  FOLDER
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

# Says how a server of that kind differs from the one without the library, and fails if it does.
compare() {
    local major=$1 kind=$2 suite=$3 without=$RUN/without/$1/$3 with=$RUN/$2/$1/$3 name differs=""
    if [ -n "$(diff <(passed_of "$major" without "$suite") <(passed_of "$major" "$kind" "$suite"))" ]; then
        say "PostgreSQL $major, $suite: not the same tests pass without the library and $kind:"
        diff <(failed_of "$major" without "$suite") <(failed_of "$major" "$kind" "$suite") || true
        differs=1
    fi
    # Nothing ran at all, or not to its end.
    if [ "$(passed_of "$major" "$kind" "$suite" | wc -l)" = 0 ] || ! grep -qE '^(1\.\.[0-9]+|# .*[0-9]+ tests|[ =]*All [0-9]+ tests|[ =]*[0-9]+ of [0-9]+ tests)' "$with/log"; then
        say "PostgreSQL $major, $suite, $kind: the suite did not come to its end"
        differs=1
    fi
    while read -r name; do
        if ! diff -u "$without/results/$name.out" "$with/results/$name.out"; then
            say "PostgreSQL $major, $suite: $name prints something else without the library and $kind, see above"
            differs=1
        fi
    done < <(failed_of "$major" "$kind" "$suite")
    [ -z "$differs" ]
}

# A quick run expects what the suite expects.
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
# What test.sh counts: a suite in which the library makes a difference has failed.
printf 'passed=%s failed=%s\n' "$passed" "$differing"
[ "$differing" = 0 ] || die "the library makes a difference: see above"
