# shellcheck shell=bash
# Virtual environments in the cache: the Python clients of the tests (tests/clients/python) and the linters
# (scripts/linters). Sourced.
#
# Written by hand, like node.sh: pip has no command that reuses an environment while its lock file is unchanged. The name of
# an environment contains a hash of the lock file and of the Python. One without `.complete` is the rest of an interrupted
# run and is replaced.

# Whether this Python can create virtual environments; Debian's needs the package python3-venv.
can_make_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

venv_path() { # directory with requirements.txt, relative to the root
    local hash
    hash=$(cat "$ROOT/$1/requirements.txt" <(python3 -c 'import sys; print(sys.version, sys.prefix)') | sha256sum)
    printf '%s\n' "$CACHE/python/${1//\//-}-${hash:0:16}"
}

# The complete environment, or a failure if make_venv has not created it.
venv_of() {
    local venv
    venv=$(venv_path "$1")
    [ -f "$venv/.complete" ] && printf '%s\n' "$venv"
}

# Installs the locked packages unless they are installed. The caller holds setup.sh's lock.
make_venv() {
    local venv log=$CACHE/build/pip.log began=$SECONDS
    venv=$(venv_path "$1")
    if [ -f "$venv/.complete" ]; then
        say "$venv, in place"
        return 0
    fi
    can_make_venv || die "python3 on the PATH cannot create virtual environments: it needs ensurepip (Debian: python3-venv)"
    rm -rf "$venv"
    mkdir -p "$CACHE/python" "$CACHE/build"
    say "fetching the packages of $1 with $(python3 --version)"
    # Only locked files, and only ready-built ones: nothing is compiled here.
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --require-hashes --only-binary :all: --disable-pip-version-check \
        -r "$ROOT/$1/requirements.txt"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "pip could not install the packages of $1 (the whole log: $log)"
    fi
    touch "$venv/.complete"
    say "made $venv in $((SECONDS - began)) s"
}

# Links the environment to a path of the caller: `PATH/bin/python3 file.py` then runs.
link_venv() { # directory, path
    local venv
    venv=$(venv_of "$1") || return 1
    ln -sfn "$venv" "$2"
}
