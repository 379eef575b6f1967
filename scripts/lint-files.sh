#!/usr/bin/env bash
# The linters that compile nothing: a part of `make lint` and of `make test`, and the hooks of .pre-commit-config.yaml.
#
#   scripts/lint-files.sh [LINTER …]        default: all of them
#
# cargo-deny checks the dependencies by deny.toml, scripts/check-pages.py the lists of pages, scripts/diagrams.py the drawings,
# and scripts/site.sh the links of the site. The others are Python packages, locked in scripts/linters/requirements.txt, and
# installed into the cache. A linter's configuration file at the root of the repository says what it permits, and why.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/python.sh"
. "$ROOT/scripts/cargo.sh"

LINTERS=(shellcheck typos taplo ruff oxlint rumdl pages diagrams site hadolint schemas zizmor cargo-deny)

lint() {
    case $1 in
        shellcheck) git ls-files -z '*.sh' .ci/run | xargs -0 -n 8 -P "$(nproc)" shellcheck ;;
        typos) typos --format brief ;;
        taplo) RUST_LOG=warn taplo fmt --check --diff && RUST_LOG=warn taplo lint ;;
        ruff) ruff check --quiet && ruff format --quiet --check --diff ;;
        oxlint) oxlint --deny-warnings --quiet ;;
        rumdl) git ls-files -z '*.md' | xargs -0 rumdl check --quiet --no-cache ;;
        pages) scripts/check-pages.py ;;
        diagrams) scripts/diagrams.py --check ;;
        site) scripts/site.sh ;;
        hadolint) hadolint Dockerfile ;;
        schemas)
            check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml &&
            check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
            ;;
        zizmor) zizmor --offline --quiet .github ;;
        # First the extension alone: what it must not link the gateway may. Then all packages.
        cargo-deny) cargo deny --locked check bans licenses sources && cargo deny --locked --workspace check licenses sources ;;
        *) die "unknown linter $1; choose from: ${LINTERS[*]}" ;;
    esac
}

cd "$ROOT"
if [ ! -e .git ]; then
    say "skipped: these linters need a git checkout; a release archive contains neither all files nor their configuration"
    exit 0
fi
mkdir -p "$CACHE"
(
    flock 9
    if ! venv_of scripts/linters >/dev/null; then make_venv scripts/linters; fi
    if [[ " ${*:-cargo-deny} " == *" cargo-deny "* ]]; then install_cargo_tool "${CARGO_DENY[@]}"; fi
) 9>"$CACHE/.setup.lock" >&2
PATH=$(venv_of scripts/linters)/bin:$PATH
if [ $# = 0 ]; then set -- "${LINTERS[@]}"; fi
failed=()
for linter in "$@"; do
    if lint "$linter"; then say "$linter: ok"; else failed+=("$linter"); fi
done
[ ${#failed[@]} = 0 ] || die "these linters found something: ${failed[*]}"
