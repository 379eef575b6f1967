#!/usr/bin/env bash
# Whether everything that repeats the version of Cargo.toml has the same one: META.json, the target of the newest upgrade
# script, and the changelog.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

cd "$ROOT"
version=$(sed -nE 's/^version *= *"([^"]+)".*/\1/p' Cargo.toml | head -n 1)
{
    jq -r '"META.json\t\(.version)", "META.json, provides\t\(.provides[].version)"' META.json
    printf 'sql, newest upgrade script\t%s\n' "$(printf '%s\n' sql/*--*--*.sql | sed -E 's/.*--(.+)\.sql$/\1/' | sort -V | tail -n 1)"
    printf 'CHANGELOG.md, first version\t%s\n' "$(sed -nE 's/^## \[?v?([0-9][^] ]*)\]?.*/\1/p' CHANGELOG.md | head -n 1)"
} | awk -F '\t' -v version="$version" '{ printf "    %-30s %s\n", $1, $2 } $2 != version { differs = 1 } END { exit differs }' \
    || die "Cargo.toml has version $version"
