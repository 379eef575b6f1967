#!/usr/bin/env bash
# Builds for release against one PostgreSQL, and installs the files there or lays them out for a package.
#
#   scripts/package.sh install|package PG_CONFIG
#
# This is what a person uses on the machine where the extension shall live, so it sets nothing up: it takes the
# PostgreSQL that PG_CONFIG names and says what is missing.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

[ $# = 2 ] || die "usage: package.sh install|package PG_CONFIG"
pg_config=$(command -v "$2") || die "there is no $2: say which PostgreSQL with PG_CONFIG=/path/to/pg_config"
version=$("$pg_config" --version)
major=$(sed -nE 's/^PostgreSQL ([0-9]+).*/\1/p' <<<"$version")
choose_majors "$major"
[ -f "$("$pg_config" --includedir-server)/postgres.h" ] \
    || die "$version has no server headers here: install its development package (postgresql-server-dev-$major)"
[ "$(cargo pgrx --version 2>/dev/null)" = "cargo-pgrx $(pgrx_version)" ] \
    || die "cargo-pgrx $(pgrx_version) is needed: make setup PG=$major, or cargo install --locked cargo-pgrx@$(pgrx_version)"

# This PostgreSQL, and not the private tree of the same major that pgrx's configuration names.
export PGRX_PG_CONFIG_PATH=$pg_config
lock_cache

cd "$ROOT"
arguments=(--no-default-features --features "pg$major" --pg-config "$pg_config")
case $1 in
    install)
        say "installing for $version"
        # Built as this user; only the copying needs more than this user may.
        if [ ! -w "$("$pg_config" --pkglibdir)" ]; then arguments+=(--sudo); fi
        cargo pgrx install --release "${arguments[@]}"
        ;;
    package)
        say "packaging for $version"
        cargo pgrx package "${arguments[@]}"
        say "the files are below $CARGO_TARGET_DIR/release/$EXTENSION-pg$major"
        ;;
    *) die "usage: package.sh install|package PG_CONFIG" ;;
esac
