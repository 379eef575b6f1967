#!/usr/bin/env bash
# Tests real clients in several languages against a throw-away server (tests/clients): `make test-clients`. `make test` runs
# the same tests.
#
#   scripts/clients.sh [MAJOR …]        default: 17

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/node.sh"
. "$ROOT/scripts/python.sh"

if [ $# = 0 ]; then set -- 17; fi
choose_majors "$@"
cd "$ROOT"
"$ROOT/scripts/setup.sh" --with-tests "${majors[@]}"
make_run_directory
mkdir "$RUN/tmp"
chmod 1777 "$RUN/tmp"
export TMPDIR=$RUN/tmp PG_SESSION_JWT_CLIENTS=$RUN/clients
lay_out_node tests/clients/node "$RUN/clients/node"
lay_out_node tests/clients/typescript "$RUN/clients/typescript"
link_venv tests/clients/python "$RUN/clients/python"
on_each_major cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_tests --test clients
