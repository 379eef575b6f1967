# shellcheck shell=bash
# PostgreSQL's own tests of each major, from its source package, and the modules that they load, made for the private
# tree. Sourced by check-postgres.sh, after postgres.sh.
#
# Nothing of the server is compiled: the tree has pg_regress, pg_isolation_regress and isolationtester, and its header
# files are all that a module needs.

# The parts of the source that hold tests, or what tests load.
SUITE_PARTS=(src/test/regress src/test/isolation src/pl/plpgsql/src contrib/pgcrypto contrib/postgres_fdw contrib/spi)

suites_of() { printf '%s\n' "$CACHE/suites/$1"; }

# What they were made for. `.origin` is written last of all; its second line is the version of the source.
suites_are_complete() {
    local origin
    origin=$(suites_of "$1")/.origin
    [ -f "$origin" ] && [ "$(head -n 1 "$origin")" = "$(cat "$CACHE/pg/$1/.origin")" ]
}

# Makes them for one major, whose tree is there, if they are not complete. On failure says why and returns 1.
make_suites() {
    local major=$1 suites pg_config server source_version tarball version versions=() part parts=()
    suites=$(suites_of "$major")
    pg_config=$(pg_config_of "$major")
    server=$("$pg_config" --version | cut -d' ' -f2)
    if ! suites_are_complete "$major"; then
        if ! write_source_lists; then
            say "PostgreSQL $major: left out, this machine's apt sources name no archive of its own release"
            return 1
        fi
        # The server's own version first: another one may expect another output.
        for version in $(source_versions "$major"); do
            if [ "${version%-*}" = "$server" ]; then versions=("$version" "${versions[@]}"); else versions+=("$version"); fi
        done
        if ! fetch_source "$major" "${versions[@]}"; then
            say "PostgreSQL $major: left out, no apt source of this machine has its source"
            return 1
        fi
        say "PostgreSQL $major: unpacking the tests of $source_version"
        rm -rf "$suites"
        mkdir -p "$suites/lib"
        for part in "${SUITE_PARTS[@]}"; do parts+=("*/$part/*"); done
        tar -xf "$tarball" -C "$suites" --no-same-owner --strip-components=1 --wildcards "${parts[@]}" || return 1
        chmod -R a+rX "$suites"
        make_test_modules "$suites" "$pg_config" >"$CACHE/build/suites-$major.log" 2>&1 \
            || { cat "$CACHE/build/suites-$major.log" >&2; say "PostgreSQL $major: left out, its test modules cannot be compiled"; return 1; }
        printf '%s\n%s\n' "$(cat "$CACHE/pg/$major/.origin")" "$source_version" >"$suites/.origin"
    fi
    version=$(tail -n 1 "$suites/.origin")
    say "PostgreSQL $major: server $server, tests of $version"
    if [ "${version%-*}" != "$server" ]; then
        say "    the source of $server is not to be had: a test may fail with and without the library"
    fi
}

# regress.so, and two modules that tests of 15 to 17 load from the same place; they expect refint to say what it does.
make_test_modules() {
    local module
    for module in src/test/regress/regress contrib/spi/autoinc contrib/spi/refint; do
        cc -O2 -fPIC -fno-strict-aliasing -fwrapv -shared -D_GNU_SOURCE -DREFINT_VERBOSE -I"$("$2" --includedir-server)" \
            "$1/$module.c" -o "$1/lib/$(basename -- "$module").so" || return 1
    done
}

# Installs a contrib module into the private tree of one major if it is not there. On failure says why and returns 1.
put_contrib() {
    local major=$1 module=$2 pg_config work log=$CACHE/build/$2-$1.log
    pg_config=$(pg_config_of "$major")
    if [ -f "$("$pg_config" --sharedir)/extension/$module.control" ] && [ -f "$("$pg_config" --pkglibdir)/$module.so" ]; then return 0; fi
    work=$(mktemp -d "$CACHE/build/contrib.XXXXXX")
    cp -a "$(suites_of "$major")/contrib/$module" "$work/"
    if (unset MAKEFLAGS MAKELEVEL MFLAGS && make -s -C "$work/$module" USE_PGXS=1 PG_CONFIG="$pg_config" install) >"$log" 2>&1; then
        say "PostgreSQL $major: $module compiled into the tree"
        rm -rf "$work"
    else
        rm -rf "$work"
        say "PostgreSQL $major: the suite of $module is left out: it cannot be compiled for this tree (log: $log)"
        return 1
    fi
}

# The names of a suite's tests, as its Makefile has them in REGRESS.
tests_of() {
    # shellcheck disable=SC2016 # make expands it
    (unset MAKEFLAGS MAKELEVEL MFLAGS
        sed '/^include/d' "$1/Makefile" | make -s -f - --eval='names-of-tests: ; @echo $(REGRESS)' with_zlib=yes USE_PGXS=1 names-of-tests)
}
