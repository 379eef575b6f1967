#!/usr/bin/env bash
# All linters, without a warning: those of lint-files.sh, rustfmt, and clippy for the extension on each major and for the
# rest of the workspace.
#
#   scripts/lint.sh [MAJOR …]        default: 15 16 17 18 19

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

choose_majors "$@"
cd "$ROOT"
"$ROOT/scripts/setup.sh" --with-linters "${majors[@]}"
STEPS=$((3 + ${#majors[@]}))

step "linters that compile nothing"
"$ROOT/scripts/lint-files.sh"
step "format"
cargo fmt --all --check
step "clippy, all but the extension"
cargo clippy "${BUILD_FLAGS[@]}" --workspace --exclude "$EXTENSION" --all-targets -- -D warnings
for major in "${majors[@]}"; do
    step "clippy, PostgreSQL $major"
    cargo clippy "${BUILD_FLAGS[@]}" -p "$EXTENSION" --no-default-features --features "pg$major pg_test" --all-targets -- -D warnings
done
