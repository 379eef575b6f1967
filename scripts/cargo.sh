# shellcheck shell=bash
# Programs from crates.io, built into the cache. Sourced.

CARGO_DENY_VERSION=0.20.2

# Builds a program unless this version is on the PATH. The caller holds setup.sh's lock.
install_cargo_tool() { # name version
    local answer="$1 $2"
    if [ "$("$1" "${1#cargo-}" --version 2>/dev/null)" = "$answer" ]; then
        say "$(command -v "$1")"
        return 0
    fi
    say "building $answer (about two minutes, once)"
    # Unoptimised: it seldom runs, and an optimised build takes ten minutes.
    CARGO_TARGET_DIR=$CACHE/build/$1 cargo install --quiet --locked --ignore-rust-version --debug --force --root "$CACHE/tools" "$1@$2"
    rm -rf "$CACHE/build/$1" # 1 GB
    [ "$("$1" "${1#cargo-}" --version 2>/dev/null)" = "$answer" ] || die "$answer was built but does not report its version"
}
