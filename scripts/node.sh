# shellcheck shell=bash
# npm packages in the cache. They are for the OpenID provider of the tests (tests/fixtures/oidc), the clients of Node.js
# (tests/clients/node, tests/clients/typescript), the drivers of the gateway (gateway/tests/drivers) and the example
# (examples/todos, examples/nextjs). Sourced.
#
# Written by hand around `npm ci`, which installs into the checkout only and always from scratch. The name of a tree
# contains a hash of the lock file. One without `.complete` is the rest of an interrupted run and is replaced.

NODE_OLDEST=18 # the version of Debian 12

# Whether a Node.js that is new enough is on the PATH, with npm.
node_is_here() {
    local version
    command -v npm >/dev/null && version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge "$NODE_OLDEST" ]
}

node_tree() { # directory with package-lock.json, relative to the root
    local hash name
    hash=$(cat "$ROOT/$1/package.json" "$ROOT/$1/package-lock.json" | sha256sum)
    name=${1#tests/}
    name=${name#fixtures/}
    printf '%s\n' "$CACHE/node/${name//\//-}-${hash:0:16}"
}

# Prints the path of the complete node_modules; fails if make_node_modules has not created it.
node_modules_of() {
    local tree
    tree=$(node_tree "$1")
    [ -f "$tree/.complete" ] && printf '%s\n' "$tree/node_modules"
}

# Installs the locked packages unless they are installed. The caller holds setup.sh's lock.
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
    cp "$ROOT/$1/package.json" "$ROOT/$1/package-lock.json" "$tree/"
    say "fetching the packages of ${1} with npm $(npm --version 2>/dev/null)"
    # Without the packages' install scripts: no foreign code runs before a test needs it.
    if ! (cd "$tree" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "npm could not install the packages of ${1} (the whole log: $log)"
    fi
    touch "$tree/.complete"
    say "made $tree in $((SECONDS - began)) s"
}

# Copies a source directory with its packages to a target, where `node TARGET/provider.mjs` then runs. Node.js searches for a
# module beside the importing file, so the packages are linked there. The sources are copied because the cache can serve
# several checkouts.
lay_out_node() { # source relative to the root, target
    local node_modules
    node_modules=$(node_modules_of "$1") || return 1
    mkdir -p "$2"
    cp -R "$ROOT/$1/." "$2/"
    ln -sfn "$node_modules" "$2/node_modules"
}
