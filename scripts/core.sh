#!/usr/bin/env bash
# Runs the tests that need no PostgreSQL, in seconds: `make core`.
#
# The tests with public test vectors are marked as ignored, because this repository does not contain the vectors. They run
# if the directory exists: PG_SESSION_JWT_VECTORS, or ../shared/vectors beside the checkout.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

cd "$ROOT"
vectors=${PG_SESSION_JWT_VECTORS:-$ROOT/../shared/vectors}
arguments=()
if [ -d "$vectors" ]; then
    arguments=(-- --include-ignored)
else
    say "skipped: the public test vectors (PG_SESSION_JWT_VECTORS can name their directory)"
fi
cargo test "${BUILD_FLAGS[@]}" -p pg_session_jwt_token -p pg_session_jwt_verified_table -p pg_session_jwt_sql_over_http \
    -p pg_session_jwt_tests --lib --test core --test table --test project "${arguments[@]}"
