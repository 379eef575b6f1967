# shellcheck shell=bash
# The npm packages of tests/oidc, the OpenID provider that the tests talk to, in the cache. Sourced.
#
# In the cache, so that the checkout stays as git knows it; named by a hash of what is locked, so that two checkouts with
# different locks do not meet. A tree without `.complete` is the rest of an interrupted run and is made again.

NODE_OLDEST=18 # what Debian 12 has

# A Node.js that is new enough, with its npm, whoever installed them.
node_is_here() {
    local version
    command -v npm >/dev/null && version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge "$NODE_OLDEST" ]
}

oidc_tree() {
    local hash
    hash=$(cat "$ROOT/tests/oidc/package.json" "$ROOT/tests/oidc/package-lock.json" | sha256sum)
    printf '%s\n' "$CACHE/node/oidc-${hash:0:16}"
}

# The complete node_modules, or a failure if make_node_modules has not made it.
node_modules_of_oidc() {
    local tree
    tree=$(oidc_tree)
    [ -f "$tree/.complete" ] && printf '%s\n' "$tree/node_modules"
}

# Installs the locked packages unless they are there. Two at once would write over each other: setup.sh's lock is held.
make_node_modules() {
    local tree log=$CACHE/build/npm.log began=$SECONDS
    if node_modules_of_oidc >/dev/null; then
        say "$(oidc_tree), in place"
        return 0
    fi
    node_is_here || die "node $NODE_OLDEST or newer with npm must be on the PATH (it has $(node --version 2>/dev/null || echo none))"
    tree=$(oidc_tree)
    rm -rf "$tree"
    mkdir -p "$tree" "$CACHE/build"
    cp "$ROOT/tests/oidc/package.json" "$ROOT/tests/oidc/package-lock.json" "$tree/"
    say "fetching the packages of tests/oidc with npm $(npm --version 2>/dev/null)"
    # No package's own scripts: nothing from outside runs before a test needs it.
    if ! (cd "$tree" && npm ci --ignore-scripts --no-audit --no-fund --omit=dev) >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "npm could not install the packages of tests/oidc (the whole log: $log)"
    fi
    touch "$tree/.complete"
    say "made $tree in $((SECONDS - began)) s"
}

# Lays the provider out in a directory of the caller: `node DIRECTORY/provider.mjs` then runs. A module is looked for beside
# the file that imports it, so the packages are linked there; copies, because the cache may serve another checkout as well.
lay_out_oidc() {
    local node_modules
    node_modules=$(node_modules_of_oidc) || return 1
    mkdir -p "$1"
    cp "$ROOT"/tests/oidc/*.mjs "$1/"
    ln -sfn "$node_modules" "$1/node_modules"
}
