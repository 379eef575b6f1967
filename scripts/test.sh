#!/usr/bin/env bash
# Runs everything that a change must pass, on every supported PostgreSQL: `make test`.
#
#   scripts/test.sh [MAJOR …]        default: 15 16 17 18 19
#
# After the set-up it runs these steps and stops at the first failure:
# - without PostgreSQL: versions, META.json, all linters, the tests of the verifier, of the project and of the gateway's
#   server for clients, the fuzzers
# - on each major: clippy, the tests inside the server, the SQL tests, the session tests
# - on the oldest and the newest major: the session tests of `skipped_between`, the tests of clients, the gateway
# - with several majors: pg_upgrade from the oldest to each other one, and between the two newest
# - on one major: PostgreSQL's own regression suite with the library preloaded, and the example in a browser
#
# The last line sums the counts of the test runners: "N passed, N failed".
#
# Written by hand: no test runner sums cargo's, pg_regress's and Node.js's counts.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/postgres.sh"
. "$ROOT/scripts/node.sh"
. "$ROOT/scripts/python.sh"
. "$ROOT/scripts/browser.sh"

chosen=$#
choose_majors "$@"
cd "$ROOT"
STEPS=$((10 + 7 * ${#majors[@]}))
# Majors between the oldest and the newest have two steps less, and one pg_upgrade is between the two newest.
if [ ${#majors[@]} -gt 2 ]; then STEPS=$((STEPS + 1 - 2 * (${#majors[@]} - 2))); fi
passed=0
failed=0
part=preparation
declare -A result

# The runners print "test result: ok. 3 passed; 0 failed; …" (cargo), "passed=3 failed=0" (regress.sh),
# "3 passed, 0 failed" (test-example.sh).
sum_of() { # passed|failed log
    sed 's/\x1b\[[0-9;]*m//g' "$2" \
        | sed -nE "s/^test result: .* ([0-9]+) $1;.*/\1/p; s/^(passed=[0-9]+ )?$1=([0-9]+).*/\2/p; s/^([0-9]+ passed, )?([0-9]+) $1(,.*)?$/\2/p" \
        | awk '{ sum += $1 } END { print sum + 0 }'
}

# cargo-pgrx prints colours to logs too.
if [ -t 1 ]; then show() { cat; }; else show() { sed -u 's/\x1b\[[0-9;]*m//g'; }; fi

# Runs one step: shows the command and its output, counts its tests, and ends the run if it fails.
run() { # what command …
    local log status=0 began=$EPOCHSECONDS more
    step "$1"
    shift
    printf '    %s\n' "$*"
    log=$RUN/log/$STEP
    "$@" 2>&1 8>&- </dev/null | tee -i "$log" | show || status=$?
    passed=$((passed + $(sum_of passed "$log")))
    more=$(sum_of failed "$log")
    failed=$((failed + more))
    if [ "$status" != 0 ]; then
        if [ "$more" = 0 ]; then failed=$((failed + 1)); fi # a step that fails without a test counts as one
        result[$part]="FAIL  (exit $status in: $*)"
        exit 1
    fi
    say "ok, $(duration $((EPOCHSECONDS - began)))"
}

# Ends every run: stops all servers and prints the sum in the last line.
finish() {
    local status=$? major
    trap - EXIT
    remove_run_directory
    if [ "$status" = 130 ] || [ "$status" = 143 ]; then
        printf '\ninterrupted; all servers are stopped\n' >&2
        exit "$status"
    fi
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
    printf '\n%-15s %s\n' "core" "${result[core]:-not run}"
    for major in "${majors[@]}"; do printf '%-15s %s\n' "PostgreSQL $major" "${result[$major]:-not run}"; done
    printf '%-15s %s\n' "own suite" "${result[postgres]:-not run}"
    printf '%-15s %s\n' "example" "${result[example]:-not run}"
    if [ -n "${result[preparation]:-}" ]; then printf '%-15s %s\n' preparation "${result[preparation]}"; fi
    printf '%-15s %s\n\n' "total time" "$(duration $((EPOCHSECONDS - PG_SESSION_JWT_STARTED)))"
    printf '%s passed, %s failed\n' "$passed" "$failed"
    exit "$status"
}

prefer_memory
make_run_directory
trap finish EXIT
mkdir -p "$RUN/log" "$RUN/tmp"
# Tests start servers below this directory as the server's user; remove_run_directory stops and deletes those too.
chmod 1777 "$RUN/tmp"
export TMPDIR=$RUN/tmp

# Not a `run`: a missing major must not prevent the tests of the others.
step "set-up"
"$ROOT/scripts/setup.sh" --with-tests "${majors[@]}" || say "the set-up is incomplete; continuing with the parts that succeeded"
available=()
missing=0 # majors without which the run may succeed
for major in "${majors[@]}"; do
    if pg_config_of "$major" >/dev/null; then
        available+=("$major")
    elif may_be_missing "$major"; then
        result[$major]="not tested  (no apt source here has it yet: see step 1)"
        missing=$((missing + 1))
    else
        result[$major]="FAIL  (this PostgreSQL is not available here: see step 1)"
        failed=$((failed + 1))
    fi
done
lay_out_node tests/fixtures/oidc "$RUN/oidc" || say "no OpenID provider: the tests that need it will fail"
export PG_SESSION_JWT_OIDC=$RUN/oidc # for tests/sessions/jwks_url/oidc.rs
if ! { lay_out_node tests/clients/node "$RUN/clients/node" \
    && lay_out_node tests/clients/typescript "$RUN/clients/typescript" \
    && link_venv tests/clients/python "$RUN/clients/python"; }; then
    say "not all clients are installed: the tests that need them will fail"
fi
export PG_SESSION_JWT_CLIENTS=$RUN/clients # for tests/clients
lay_out_node gateway/tests/drivers "$RUN/drivers" || say "no drivers: the tests of the gateway will fail"
export PG_SESSION_JWT_GATEWAY_DRIVERS=$RUN/drivers # for gateway/tests
if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
    die "cargo fmt or cargo clippy is missing: rustup component add rustfmt clippy"
fi

part=core
lock_cache
run "versions" "$ROOT/scripts/check-versions.sh"
run "META.json" "$ROOT/scripts/check-meta.py"
run "linters" "$ROOT/scripts/lint-files.sh"
run "format" cargo fmt --all --check
run "clippy, all but the extension" cargo clippy "${BUILD_FLAGS[@]}" --workspace --exclude "$EXTENSION" --all-targets -- -D warnings
run "tests, core" "$ROOT/scripts/core.sh"
run "tests, gateway without PostgreSQL" cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_gateway --lib --test edge
run "fuzzing, briefly" env TIME=10 "$ROOT/scripts/fuzz.sh"
result[core]=PASS
unlock_cache

mapfile -t ascending < <(printf '%s\n' "${available[@]}" | sort -n)
# Tests whose results do not depend on the major run on the oldest and the newest one. CONTRIBUTING.md has the reasons.
skipped_between=()
for subject in discovery recognition jwks_url providers identity identity_scope shared_cache pooling docs \
    check::{any_user,conditions,constants,exceptions,large,logins,members,remedies,roles,rows,sarif,user_claims}; do
    skipped_between+=(--skip "$subject::")
done
is_between() { [ "$1" != "${ascending[0]}" ] && [ "$1" != "${ascending[-1]}" ]; }

as_ordinary_user=()
if is_root; then as_ordinary_user=(--runas "$SERVER_USER"); fi
if is_root; then install -d -o "$SERVER_USER" "$RUN/pgdata"; else mkdir "$RUN/pgdata"; fi
for major in "${available[@]}"; do
    part=$major
    began=$EPOCHSECONDS
    pg_config=$(pg_config_of "$major")
    # Held for one major at a time, so that another run waits minutes instead of for this whole run.
    lock_cache
    run "PostgreSQL $major: clippy" \
        cargo clippy "${BUILD_FLAGS[@]}" -p "$EXTENSION" --no-default-features --features "pg$major pg_test" --all-targets -- -D warnings
    run "PostgreSQL $major: tests inside the server" \
        "${CARGO_PGRX[@]}" test "pg$major" --no-default-features "${as_ordinary_user[@]}" --pgdata "$RUN/pgdata"
    run "PostgreSQL $major: SQL tests" "$ROOT/scripts/regress.sh" "$major"
    skipped=()
    if is_between "$major"; then skipped=("${skipped_between[@]}"); fi
    # After regress.sh, which installs the library without the tests in it. Most tests wait for a server, a worker or a turn.
    run "PostgreSQL $major: tests with several sessions" \
        env PG_CONFIG="$pg_config" RUST_TEST_THREADS="$((3 * $(nproc)))" \
        cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_tests --test sessions -- "${skipped[@]}"
    if ! is_between "$major"; then
        # The npm package sends the same SQL to each major, and its tests send twenty thousand requests.
        skipped_clients=()
        if [ "$major" != "${ascending[-1]}" ]; then skipped_clients=(--skip typescript::); fi
        run "PostgreSQL $major: clients" \
            env PG_CONFIG="$pg_config" cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_tests --test clients -- "${skipped_clients[@]}"
        run "PostgreSQL $major: gateway" \
            env PG_CONFIG="$pg_config" RUST_TEST_THREADS="$((2 * $(nproc)))" \
            cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_gateway --test gateway
    fi
    unlock_cache
    result[$major]="PASS  $(duration $((EPOCHSECONDS - began)))"
done

# After the loop, because it needs the extension in two majors.
upgrade() { # older newer
    part=$2
    lock_cache
    run "PostgreSQL $2: pg_upgrade from $1" \
        env PG_CONFIG="$(pg_config_of "$2")" OLDER_PG_CONFIG="$(pg_config_of "$1")" \
        cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_tests --test sessions -- --ignored upgrade::major_from_older
    unlock_cache
}
for major in "${ascending[@]:1}"; do upgrade "${ascending[0]}" "$major"; done
if [ ${#ascending[@]} -gt 2 ]; then upgrade "${ascending[-2]}" "${ascending[-1]}"; fi
# On one major: the tests above cover the differences between majors.
part=postgres
if [ ${#available[@]} -gt 0 ]; then
    lock_cache
    run "PostgreSQL's own regression suite, with the library preloaded" "$ROOT/scripts/check-postgres.sh" --quick "${available[@]}"
    unlock_cache
    # No result if the sources of none of the majors are available.
    if ! grep -qx 'passed=0 failed=0' "$RUN/log/$STEP"; then result[postgres]=PASS; fi
fi
part=example
if [ ${#available[@]} = 0 ]; then
    say "no PostgreSQL for the example"
elif is_debian || find_chromium >/dev/null; then
    major=${available[-1]}
    run "example, PostgreSQL $major" "$ROOT/scripts/test-example.sh" "$major"
    result[example]=PASS
else
    step "example"
    say "not tested: Chromium is not on the PATH, and this system has no package of it"
fi

if [ $((${#available[@]} + missing)) -lt ${#majors[@]} ]; then
    if [ "$chosen" = 0 ]; then say "PG=\"${available[*]}\" tests only these"; fi
    exit 1
fi
