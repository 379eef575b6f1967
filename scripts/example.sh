#!/usr/bin/env bash
# Runs the example of examples/todos for a person with a browser: `make example`.
#
#   [PORT=3000] scripts/example.sh [MAJOR]        default: the newest PostgreSQL that is already set up
#
# Installs what it needs, builds the extension for release into the private tree of one PostgreSQL, and starts a throw-away
# server, a local identity provider and the web server. They use PORT and the next port, or the first free ones after them.
# Ctrl-C stops and deletes everything.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/postgres.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/build-release.sh"
. "$ROOT/scripts/node.sh"
. "$ROOT/scripts/todos.sh"

if [ $# -gt 0 ]; then choose_majors "$1"; major=$1; else major=$(easiest_major); fi
"$ROOT/scripts/setup.sh" --with-example "$major"
pg_config=$(pg_config_of "$major")
make_run_directory
trap stop_todos EXIT
lock_cache
install_release "$major" "$pg_config"
start_todos "$pg_config" "${PORT:-3000}"
unlock_cache # the server has loaded the library, and an installation replaces the file

cat <<END

    Open $ORIGIN in a browser, and sign in as Alice or Bob.

    The logs are in $RUN/log and $RUN/server/log; the database is the one of
        $("$pg_config" --bindir)/psql -h $PGHOST -U postgres todos
    Ctrl-C stops everything.

END
wait -n || true
tail -n 20 "$RUN"/log/* >&2
die "the provider or the web server ended; their last lines are above"
