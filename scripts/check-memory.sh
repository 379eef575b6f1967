#!/usr/bin/env bash
# Searches for wrong uses of memory: `make check-memory`.
#
#   scripts/check-memory.sh [MAJOR]        default: 17
#
# Builds PostgreSQL from source with assertions and with its valgrind annotations, in a separate cache, and the extension
# for it. With assertions, which overwrite freed memory, it runs the SQL tests, the tests inside the server and those of
# SESSIONS. Under valgrind it repeats the SQL tests and the tests of re-entrance; any error is a failure. It installs what
# it needs; the first run compiles for more than ten minutes.
#
# REENTRANCE=10000 and REENTRANCE_VALGRIND=150 set how many statements tests/sessions/readers/reentrance runs, without
# and with valgrind, which is fifty times slower.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/postgres.sh"

# The session tests that use the memory of an identity. All session tests would take an hour.
SESSIONS=(identity::{sequences,functions,rejections,replay,repeated_tokens,memory}:: pooling::resets:: settings::late_load::
    readers::{values,parallel,reentrance}::)
export PG_SESSION_JWT_REENTRANCE=${REENTRANCE:-10000}

choose_majors "${1:-17}"
major=${majors[0]}
cd "$ROOT"
STEPS=7
checked=$CACHE/checked
tree=$checked/pg/$major
mkdir -p "$checked/pg" "$checked/build"

step "system packages and cargo-pgrx"
missing=()
for package in valgrind bison flex perl zlib1g-dev bzip2 xz-utils; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    is_root || die "please run: sudo apt-get install --no-install-recommends ${missing[*]}"
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "${missing[@]}" >"$CACHE/build/apt.log" 2>&1 \
        || { tail -n 20 "$CACHE/build/apt.log" >&2; die "apt-get could not install: ${missing[*]}"; }
fi
"$ROOT/scripts/setup.sh" "$major"
lock_cache

step "PostgreSQL $major with assertions"
if [ -f "$tree/.origin" ] && [ -s "$tree/valgrind.supp" ]; then
    say "$tree, in place"
else
    rm -rf "$tree"
    # -O1 -g: assertions and valgrind report lines.
    CONFIGURE=(--without-icu --without-readline --with-openssl --enable-cassert --enable-debug "CPPFLAGS=-DUSE_VALGRIND" "CFLAGS=-O1 -g")
    build_from_source "$major" "$tree" || die "no source of PostgreSQL $major is available here"
    tarball=$(find "$CACHE/build/src" -name "postgresql-${major}_$(sed 's/-[^-]*$//' "$tree/.version").orig.tar.*" ! -name '*.asc')
    tar -xOf "$tarball" --wildcards '*/src/tools/valgrind.supp' >"$tree/valgrind.supp"
    echo "source $(cat "$tree/.version")" >"$tree/.origin"
fi
# From here on all scripts use only this cache. The session tests are clients and need no separate build.
of_clients=$CARGO_TARGET_DIR
export PG_SESSION_JWT_CACHE=$checked CARGO_TARGET_DIR=$checked/target PGRX_HOME=$checked/pgrx
"$ROOT/scripts/setup.sh" "$major" 8>&-
pg_config=$tree/bin/pg_config
"$pg_config" --configure | grep -q -- --enable-cassert || die "$tree has no assertions"

make_run_directory
mkdir -p "$RUN/tmp"
chmod 1777 "$RUN/tmp"
export TMPDIR=$RUN/tmp

step "SQL tests, with assertions"
"$ROOT/scripts/regress.sh" "$major" 8>&-

step "tests inside the server, with assertions"
as_ordinary_user=()
if is_root; then as_ordinary_user=(--runas "$SERVER_USER"); fi
if is_root; then install -d -o "$SERVER_USER" "$RUN/pgdata"; else mkdir "$RUN/pgdata"; fi
"${CARGO_PGRX[@]}" test "pg$major" --no-default-features "${as_ordinary_user[@]}" --pgdata "$RUN/pgdata" 8>&-

step "SQL tests, under valgrind"
# The server is a script that runs postgres under valgrind. Each process writes a log.
logs=$RUN/valgrind
if is_root; then install -d -o "$SERVER_USER" "$logs"; else mkdir "$logs"; fi
cat >"$RUN/postgres" <<SCRIPT
#!/bin/sh
exec valgrind --leak-check=no --trace-children=yes --num-callers=40 --gen-suppressions=all \\
    --suppressions=$tree/valgrind.supp --log-file=$logs/%p.log $tree/bin/postgres "\$@"
SCRIPT
chmod +x "$RUN/postgres"
# regress.sh installs the normal library again; the step before installed one with tests in it.
SERVER_PROGRAM=$RUN/postgres PGCTLTIMEOUT=600 "$ROOT/scripts/regress.sh" "$major" 8>&-

# Sums the errors of all processes so far.
count_errors() {
    # "==123== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 5 from 2)"
    read -r processes errors < <(cat "$logs"/*.log | sed -nE 's/^==[0-9]+== ERROR SUMMARY: ([0-9]+) errors .*/\1/p' \
        | awk '{ errors += $1 } END { print NR, errors + 0 }')
    if [ "$processes" -lt 2 ] || [ "$errors" != 0 ]; then
        grep -h -B 1 -A 30 -E '^==[0-9]+== (Invalid|Conditional|Use of|Syscall|Source and|Process terminating)' "$logs"/*.log | sed -n 1,200p
    fi
    say "valgrind: $errors errors in $processes processes"
    [ "$processes" -ge 2 ] && [ "$errors" = 0 ] || die "valgrind found errors, or did not run"
}
count_errors

step "${REENTRANCE_VALGRIND:=150} statements of re-entrance, under valgrind"
PG_CONFIG=$pg_config CARGO_TARGET_DIR=$of_clients PG_SESSION_JWT_REENTRANCE=$REENTRANCE_VALGRIND PG_SESSION_JWT_REENTRANCE_SERVER=$RUN/postgres \
    cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_tests --test sessions -- --nocapture reentrance:: 8>&-
count_errors

step "tests with several sessions, with assertions: ${SESSIONS[*]}"
PG_CONFIG=$pg_config CARGO_TARGET_DIR=$of_clients cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_tests --test sessions -- "${SESSIONS[@]}" 8>&-

printf '\n'
say "PostgreSQL $major: no assertion failed, valgrind found $errors errors in $processes processes"
