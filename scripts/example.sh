#!/usr/bin/env bash
# Runs an example for a person with a browser: `make example` (examples/nextjs) and `make example-node` (examples/todos).
#
#   [PORT=3000] scripts/example.sh [--node] [MAJOR]        default: the newest PostgreSQL that is already set up
#
# Installs what it needs, and builds the extension for release into the private tree of one PostgreSQL. Starts a throw-away
# server, a local identity provider and the web server; for Next.js also the gateway. They use PORT and the next ports, or the
# first free ones after them. Ctrl-C stops and deletes everything.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/postgres.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/build-release.sh"
. "$ROOT/scripts/node.sh"
. "$ROOT/scripts/todos.sh"
. "$ROOT/scripts/nextjs.sh"

example=nextjs
if [ "${1:-}" = --node ]; then example=node && shift; fi
if [ $# -gt 0 ]; then choose_majors "$1"; major=$1; else major=$(easiest_major); fi
"$ROOT/scripts/setup.sh" --with-example "$major"
pg_config=$(pg_config_of "$major")
make_run_directory
trap stop_todos EXIT
lock_cache
install_release "$major" "$pg_config"
if [ $example = node ]; then
    start_todos "$pg_config" "${PORT:-3000}"
    more="Sign in as Alice in one browser, and as Bob in another or in a private window."
else
    build_gateway
    start_nextjs "$pg_config" "${PORT:-3000}" "$GATEWAY"
    more="Sign in as Alice, and add a todo in each list. Below the lists, sign in a second person, Bob,
    and click the buttons: each shows what PostgreSQL answers to an attacker. Tokens live for $TOKEN_SECONDS s."
fi
unlock_cache # the server has loaded the library, and an installation replaces the file

cat <<END

    Open $ORIGIN in a browser.
    $more

    The logs are in $RUN/log and $PGHOST/log; the database is the one of
        $("$pg_config" --bindir)/psql -h $PGHOST -U postgres todos
    Ctrl-C stops everything.

END
wait -n || true
tail -n 20 "$RUN"/log/* >&2
die "one of the programs ended; their last lines are above"
