# shellcheck shell=bash
# The Python packages of tests/clients/python, in a virtual environment in the cache. Sourced.
#
# As node.sh does it: in the cache, named by a hash of what is locked and of the Python that it is for, and without
# `.complete` the rest of an interrupted run.

# A Python that can make virtual environments; Debian's needs python3-venv for it.
venv_is_here() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

python_tree() {
    local hash
    hash=$(cat "$ROOT/tests/clients/python/requirements.txt" <(python3 -c 'import sys; print(sys.version, sys.prefix)') | sha256sum)
    printf '%s\n' "$CACHE/python/clients-${hash:0:16}"
}

# Installs the locked packages unless they are there. setup.sh's lock is held.
make_venv() {
    local tree log=$CACHE/build/pip.log began=$SECONDS
    tree=$(python_tree)
    if [ -f "$tree/.complete" ]; then
        say "$tree, in place"
        return 0
    fi
    venv_is_here || die "python3 on the PATH cannot make virtual environments: it needs ensurepip"
    rm -rf "$tree"
    mkdir -p "$CACHE/python" "$CACHE/build"
    say "fetching the packages of tests/clients/python with $(python3 --version)"
    # Only what is locked, and nothing that would be built here.
    if ! { python3 -m venv "$tree" && "$tree/bin/pip" install --require-hashes --only-binary :all: --disable-pip-version-check \
        -r "$ROOT/tests/clients/python/requirements.txt"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "pip could not install the packages of tests/clients/python (the whole log: $log)"
    fi
    touch "$tree/.complete"
    say "made $tree in $((SECONDS - began)) s"
}

# Links the environment to a place of the caller: `PLACE/bin/python3 file.py` then runs.
lay_out_python() { # place
    local tree
    tree=$(python_tree)
    [ -f "$tree/.complete" ] || return 1
    ln -sfn "$tree" "$1"
}
