# shellcheck shell=bash
# Programs from crates.io, built into the cache. Sourced.

CARGO_DENY=(cargo-deny 0.20.2)
# With search, and without its server.
MDBOOK=(mdbook 0.5.4 --no-default-features --features search)

# cargo-deny answers "cargo-deny 0.20.2", and mdbook "mdbook v0.5.4".
has_version() { # name version
    local program=("$1")
    if [[ $1 == cargo-* ]]; then program+=("${1#cargo-}"); fi
    "${program[@]}" --version 2>/dev/null | grep -qxE "$1 v?${2//./\\.}"
}

# Builds a program unless this version is on the PATH. The caller holds setup.sh's lock.
install_cargo_tool() { # name version [flag of cargo install …]
    local name=$1 version=$2
    shift 2
    if has_version "$name" "$version"; then
        say "$(command -v "$name")"
        return 0
    fi
    say "building $name $version (about two minutes, once)"
    # Unoptimised: it seldom runs, and an optimised build takes ten minutes.
    CARGO_TARGET_DIR=$CACHE/build/$name cargo install --quiet --locked --ignore-rust-version --debug --force --root "$CACHE/tools" "$@" "$name@$version"
    rm -rf "$CACHE/build/$name" # 1 GB
    has_version "$name" "$version" || die "$name $version was built but does not report its version"
}
