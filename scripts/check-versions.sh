#!/usr/bin/env bash
# The version lives in Cargo.toml. Everything that must repeat it is compared with it here: META.json, the newest
# upgrade script (an installation that cannot be upgraded to a release is a broken release), the changelog.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

cd "$ROOT"
version=$(sed -nE 's/^version *= *"([^"]+)".*/\1/p' Cargo.toml | head -n 1)
problems=0

same() { # what value
    if [ "$2" = "$version" ]; then
        printf '    %-45s %s\n' "$1" "$2"
    else
        printf '    %-45s %s, but Cargo.toml has %s\n' "$1" "${2:-nothing}" "$version"
        problems=$((problems + 1))
    fi
}

same "META.json: version" "$(jq -r .version META.json)"
same "META.json: provides.$EXTENSION.version" "$(jq -r ".provides.$EXTENSION.version" META.json)"
same "sql: newest target of an upgrade script" \
    "$(find sql -name "$EXTENSION--*--*.sql" | sed -E 's/.*--(.+)\.sql$/\1/' | sort -V | tail -n 1)"
same "CHANGELOG.md: first heading of a version" \
    "$(sed -nE 's/^## \[?v?([0-9][^] ]*)\]?.*/\1/p' CHANGELOG.md | head -n 1)"
[ "$problems" = 0 ] || die "$problems version(s) differ"
