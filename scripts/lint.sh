#!/usr/bin/env bash
# Format and clippy, without a warning, for the core alone and for each major: they compile different code.
#
#   scripts/lint.sh [MAJOR …]        default: 15 16 17 18

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

choose_majors "$@"
cd "$ROOT"
"$ROOT/scripts/setup.sh" "${majors[@]}"
STEPS=$((2 + ${#majors[@]}))

step "format"
cargo fmt --all --check
step "clippy, core"
cargo clippy "${BUILD_FLAGS[@]}" --no-default-features --features server --all-targets -- -D warnings
for major in "${majors[@]}"; do
    step "clippy, PostgreSQL $major"
    cargo clippy "${BUILD_FLAGS[@]}" --no-default-features --features "pg$major pg_test" --all-targets -- -D warnings
done
