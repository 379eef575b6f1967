#!/usr/bin/env bash
# Tests the examples with a browser: `make test-example`, and a part of `make test`.
#
#   scripts/test-example.sh [MAJOR]        default: 17
#
# Writes pictures of the pages to example/ in the target directory.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/node.sh"
. "$ROOT/scripts/browser.sh"
. "$ROOT/scripts/todos.sh"
. "$ROOT/scripts/nextjs.sh"

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
cargo build "${BUILD_FLAGS[@]}" -p "${EXTENSION}_gateway" 8>&-
pictures=$CARGO_TARGET_DIR/example
mkdir -p "$pictures" "$RUN/test"
failed=""

# test_example DIRECTORY LOG …: runs DIRECTORY/browser.test.js below $RUN; shows the end of the LOGs if it fails.
test_example() {
    local name=$1 home
    home=$PGHOST/browser # its home directory, which receives the pictures
    shift
    as_server_user mkdir "$home"
    if ! as_server_user env HOME="$home" TMPDIR="$home" LOGS="$RUN" \
        node --test --test-reporter=spec "$RUN/$name/browser.test.js" 8>&- </dev/null | tee "$RUN/test/$name"; then
        failed=1
        (cd "$RUN" && tail -n 30 "$@")
    fi
    cp "$home"/*.png "$pictures/"
}

# Below the ports that the system assigns to connections, which begin at 32768.
start_todos "$pg_config" $((20000 + RANDOM % 10000))
test_example example log/server log/provider server/log
stop_jobs

export PAGE=$RUN/nextjs.md # a copy, since the server's user may be unable to read the checkout
cp "$ROOT/docs/nextjs.md" "$PAGE"
TOKEN_SECONDS=12 start_nextjs "$pg_config" $((20000 + RANDOM % 10000)) "$CARGO_TARGET_DIR/debug/${EXTENSION}_gateway"
test_example nextjs log/next log/gateway log/openid nextjs-server/log
in_nextjs check node_modules/.bin/tsc --noEmit

say "pictures of the pages: $pictures"
count_of() { sed -nE "s/^[^ ]* $1 ([0-9]+)$/\1/p" "$RUN"/test/* | awk '{ sum += $1 } END { print sum + 0 }'; }
printf '%s passed, %s failed\n' "$(count_of pass)" "$(count_of fail)"
[ -z "$failed" ]
