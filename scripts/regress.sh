#!/usr/bin/env bash
# Runs the SQL tests (tests/pg_regress) on one major: installs the extension into the private tree, starts a throw-away
# server and runs PostgreSQL's own pg_regress.
#
#   scripts/regress.sh MAJOR [TEST …]         PROMOTE=1 stores the results as the expected output: read the diff
#
# Like `cargo pgrx regress`: same database name, psql settings and file layout, `setup` first. Written by hand because that
# command starts its server on a fixed port and lacks two rules. A test named geNN_…, ltNN_… or eqNN_… runs only on those
# majors. A test without expected output fails.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"

[ $# -gt 0 ] || die "which major? (make regress PG=17)"
choose_majors "$1"
major=$1
shift
pg_config=$(pg_config_of "$major") || die "PostgreSQL $major is not set up: scripts/setup.sh $major"
tests_dir=$ROOT/tests/pg_regress

is_for_this_major() {
    case $1 in
        ge[0-9][0-9]_*) [ "$major" -ge "${1:2:2}" ] ;;
        lt[0-9][0-9]_*) [ "$major" -lt "${1:2:2}" ] ;;
        eq[0-9][0-9]_*) [ "$major" -eq "${1:2:2}" ] ;;
    esac
}

tests=()
if [ -f "$tests_dir/sql/setup.sql" ]; then tests+=(setup); fi
if [ $# -gt 0 ]; then
    tests+=("$@")
else
    for file in "$tests_dir"/sql/*.sql; do
        name=$(basename -- "$file" .sql)
        if [ "$name" != setup ] && [ -f "$file" ] && is_for_this_major "$name"; then tests+=("$name"); fi
    done
fi
[ ${#tests[@]} -gt 0 ] || die "$tests_dir/sql contains no test"

# A missing expected file would stop pg_regress in the middle. A new test begins with an empty one.
for name in "${tests[@]}"; do
    [ -f "$tests_dir/sql/$name.sql" ] || die "$tests_dir/sql/$name.sql does not exist"
    if [ -n "${PROMOTE:-}" ]; then touch "$tests_dir/expected/$name.out"; fi
    [ -f "$tests_dir/expected/$name.out" ] || die "$name has no expected output: run it once with PROMOTE=1 and read the result"
done

make_run_directory
lock_cache
cargo pgrx install --no-default-features --features "pg$major" --pg-config "$pg_config" 8>&-

# client_min_messages and VERBOSITY=terse like cargo-pgrx, so that expected output has no notices and no line numbers.
start_server "$pg_config" regress "client_min_messages = warning"
bin=$("$pg_config" --bindir)
"$bin/createdb" "${EXTENSION}_regress"
mkdir "$RUN/output"
# shellcheck disable=SC2016 # the launcher expands it
printf '#!/bin/sh\nexec "$@" -v VERBOSITY=terse\n' >"$RUN/launcher"
chmod +x "$RUN/launcher"

status=0
say "pg_regress of PostgreSQL $major: ${tests[*]}"
(cd "$tests_dir" && "$(dirname -- "$("$pg_config" --pgxs)")/../test/regress/pg_regress" --bindir="$bin" --host="$PGHOST" --port="$PGPORT" \
    --user="$PGUSER" --use-existing --dbname="${EXTENSION}_regress" --inputdir="$tests_dir" --outputdir="$RUN/output" \
    --launcher="$RUN/launcher" "${tests[@]}") 2>&1 8>&- | tee -i "$RUN/output/log" || status=$?

# "ok 3 - name" since 16, "test name ... ok" in 15.
names_of() { sed -nE "s/^$1 +[0-9]+ +[-+] +([^ ]+).*/\1/p; s/^test ([^ ]+) .*\.\.\. $2.*/\1/p" "$RUN/output/log"; }
mapfile -t passed < <(names_of ok ok)
mapfile -t failed < <(names_of "not ok" FAILED)

if [ -n "${PROMOTE:-}" ]; then
    for name in "${failed[@]}"; do
        cp "$RUN/output/results/$name.out" "$tests_dir/expected/$name.out"
        say "promoted $name: read git diff -- tests/pg_regress/expected/$name.out"
    done
    exit 0
fi
if [ "$status" != 0 ] && [ -s "$RUN/output/regression.diffs" ]; then
    cat "$RUN/output/regression.diffs"
    # The client's output may not explain the failure.
    printf '\nlast lines of the server log:\n'
    tail -n 30 "$RUN/regress/log"
fi
printf 'passed=%s failed=%s\n' "${#passed[@]}" "${#failed[@]}"
exit "$status"
