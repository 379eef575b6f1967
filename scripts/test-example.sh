#!/usr/bin/env bash
# Tests the example of examples/todos with a browser: `make test-example`, and a part of `make test`.
#
#   scripts/test-example.sh [MAJOR]        default: 17
#
# Writes pictures of the pages to example/ in the target directory.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/node.sh"
. "$ROOT/scripts/browser.sh"
. "$ROOT/scripts/todos.sh"

if [ $# = 0 ]; then set -- 17; fi
choose_majors "$1"
major=$1
"$ROOT/scripts/setup.sh" --with-tests "$major"
CHROMIUM=$(find_chromium) || die "Chromium is not on the PATH, and this system has no package of it: install Google Chrome"
export CHROMIUM
pg_config=$(pg_config_of "$major")
make_run_directory
trap stop_todos EXIT
lock_cache
cargo pgrx install --no-default-features --features "pg$major" --pg-config "$pg_config" 8>&-
# Below the ports that the system assigns to connections, which begin at 32768.
start_todos "$pg_config" $((20000 + RANDOM % 10000))

pictures=$CARGO_TARGET_DIR/example
mkdir -p "$pictures"
as_server_user mkdir "$RUN/server/browser" # its home directory, which receives the pictures
status=0
as_server_user env HOME="$RUN/server/browser" TMPDIR="$RUN/server/browser" LOGS="$RUN" \
    node --test --test-reporter=spec "$RUN/example/browser.test.js" 8>&- </dev/null | tee "$RUN/log/test" || status=$?
cp "$RUN"/server/browser/*.png "$pictures/" && say "pictures of the pages: $pictures"
if [ "$status" != 0 ]; then tail -n 30 "$RUN"/log/server "$RUN"/log/provider "$RUN/server/log"; fi
count_of() { sed -nE "s/^[^ ]* $1 ([0-9]+)$/\1/p" "$RUN/log/test" | tail -n 1; }
printf '%s passed, %s failed\n' "$(count_of pass)" "$(count_of fail)"
exit "$status"
