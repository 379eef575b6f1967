#!/usr/bin/env bash
# Builds the manual as a site with search, in the target directory, and checks its links: make site, and a linter.
#
# Pages link files outside docs/. So mdBook reads a copy of the checkout's tree with these files, and the links of the
# Markdown remain as they are.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/cargo.sh"

OUTSIDE=(README.md SECURITY.md CONTRIBUTING.md CHANGELOG.md LICENSE Dockerfile compose.yaml deny.toml
    .github/workflows/release.yml tests/attacks.md tests/fixtures/oauth/hook.c clients/typescript/README.md examples/nextjs examples/todos)

cd "$ROOT"
mkdir -p "$CACHE"
(flock 9 && install_cargo_tool "${MDBOOK[@]}") 9>"$CACHE/.setup.lock"
work=$CARGO_TARGET_DIR/site
rm -rf "$work"
mkdir -p "$work/src"
git ls-files -z docs "${OUTSIDE[@]}" | xargs -0 cp --parents --target-directory "$work/src"
cp book.toml "$work"
# The search takes "pg_session_jwt.leeway" for one word. So the copy names each setting without its prefix too, unseen;
# twice, to be found before the pages that use it.
sed -Ei 's|^## pg_session_jwt\.(\w+)$|&\n\n<span hidden>\1 \1</span>|' "$work/src/docs/settings.md"
# The contents lie in docs/ and link from there; mdBook reads them at the top.
sed 's#](#](docs/#; s#](docs/\.\./#](#' docs/SUMMARY.md >"$work/src/SUMMARY.md"
MDBOOK_LOG=warn mdbook build "$work" --dest-dir "$work/html"
scripts/check-site.py "$work/html"
say "the site: $work/html/index.html"
