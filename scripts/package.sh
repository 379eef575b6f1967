#!/usr/bin/env bash
# Builds for release against one PostgreSQL, and installs the files there or writes them to a directory for a package.
#
#   scripts/package.sh install|package PG_CONFIG
#
# For the machine that will run the extension. It therefore installs no tools: it uses the PostgreSQL that PG_CONFIG names
# and reports what is missing.
#
# Written by hand around cargo-pgrx, which needs the matching version and features and does not check either.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

[ $# = 2 ] || die "usage: package.sh install|package PG_CONFIG"
pg_config=$(command -v "$2") || die "$2 does not exist: set PG_CONFIG=/path/to/pg_config"
version=$("$pg_config" --version)
major=$(sed -nE 's/^PostgreSQL ([0-9]+).*/\1/p' <<<"$version")
choose_majors "$major"
[ -f "$("$pg_config" --includedir-server)/postgres.h" ] \
    || die "$version has no server headers here: install its development package (postgresql-server-dev-$major)"
[ "$(cargo pgrx --version 2>/dev/null)" = "cargo-pgrx $(pgrx_version)" ] \
    || die "cargo-pgrx $(pgrx_version) is needed: make setup PG=$major, or cargo install --locked cargo-pgrx@$(pgrx_version)"

# This PostgreSQL instead of the private tree that pgrx's configuration names for the same major.
export PGRX_PG_CONFIG_PATH=$pg_config
lock_cache

cd "$ROOT"
arguments=(--no-default-features --features "pg$major" --pg-config "$pg_config")
case $1 in
    install)
        say "installing for $version"
        # This user builds; copying may need root.
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
