# shellcheck shell=bash
# The npm packages that tests and the example need, in the cache: of tests/fixtures/oidc, the OpenID provider that the tests talk
# to, of tests/clients/node, the clients of Node.js, and of examples/todos. Sourced.
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

node_tree() { # folder below tests, or ../examples/todos
    local hash name
    hash=$(cat "$ROOT/tests/$1/package.json" "$ROOT/tests/$1/package-lock.json" | sha256sum)
    name=${1#../}
    name=${name#fixtures/}
    printf '%s\n' "$CACHE/node/${name//\//-}-${hash:0:16}"
}

# The complete node_modules of a folder below tests, or a failure if make_node_modules has not made it.
node_modules_of() {
    local tree
    tree=$(node_tree "$1")
    [ -f "$tree/.complete" ] && printf '%s\n' "$tree/node_modules"
}

# Installs the locked packages unless they are there. Two at once would write over each other: setup.sh's lock is held.
make_node_modules() {
    local tree log=$CACHE/build/npm.log began=$SECONDS
    if node_modules_of "$1" >/dev/null; then
        say "$(node_tree "$1"), in place"
        return 0
    fi
    node_is_here || die "node $NODE_OLDEST or newer with npm must be on the PATH (it has $(node --version 2>/dev/null || echo none))"
    tree=$(node_tree "$1")
    rm -rf "$tree"
    mkdir -p "$tree" "$CACHE/build"
    cp "$ROOT/tests/$1/package.json" "$ROOT/tests/$1/package-lock.json" "$tree/"
    say "fetching the packages of ${1} with npm $(npm --version 2>/dev/null)"
    # No package's own scripts: nothing from outside runs before a test needs it.
    if ! (cd "$tree" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "npm could not install the packages of ${1} (the whole log: $log)"
    fi
    touch "$tree/.complete"
    say "made $tree in $((SECONDS - began)) s"
}

# Lays a folder below tests out in a directory of the caller: `node DIRECTORY/provider.mjs` then runs. A module is looked for
# beside the file that imports it, so the packages are linked there; copies, because the cache may serve another checkout.
lay_out_node() { # folder below tests, directory
    local node_modules
    node_modules=$(node_modules_of "$1") || return 1
    mkdir -p "$2"
    cp -R "$ROOT/tests/$1/." "$2/"
    ln -sfn "$node_modules" "$2/node_modules"
}
