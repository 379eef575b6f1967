#!/usr/bin/env bash
# Tests the gateway with Neon's serverless driver against a throw-away server (gateway/tests): `make test-gateway`.
# `make test` runs the same tests.
#
#   scripts/gateway.sh [MAJOR …]        default: 17

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/node.sh"

if [ $# = 0 ]; then set -- 17; fi
choose_majors "$@"
cd "$ROOT"
"$ROOT/scripts/setup.sh" --with-tests "${majors[@]}"
make_run_directory
mkdir "$RUN/tmp"
chmod 1777 "$RUN/tmp"
export TMPDIR=$RUN/tmp PG_SESSION_JWT_GATEWAY_DRIVERS=$RUN/drivers
lay_out_node gateway/tests/drivers "$RUN/drivers"
on_each_major cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_gateway
