#!/usr/bin/env bash
# Format and clippy, without a warning: the extension for each major, and everything else, which needs no PostgreSQL.
#
#   scripts/lint.sh [MAJOR …]        default: 15 16 17 18

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

choose_majors "$@"
cd "$ROOT"
"$ROOT/scripts/setup.sh" "${majors[@]}"
STEPS=$((2 + ${#majors[@]}))

step "format"
cargo fmt --all --check
step "clippy, all but the extension"
cargo clippy "${BUILD_FLAGS[@]}" --workspace --exclude "$EXTENSION" --all-targets -- -D warnings
for major in "${majors[@]}"; do
    step "clippy, PostgreSQL $major"
    cargo clippy "${BUILD_FLAGS[@]}" -p "$EXTENSION" --no-default-features --features "pg$major pg_test" --all-targets -- -D warnings
done
