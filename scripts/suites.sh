# shellcheck shell=bash
# Unpacks PostgreSQL's own tests of each major from its source package, and builds the modules that they load for the
# private tree. Sourced by check-postgres.sh, after postgres.sh.
#
# Written by hand: no package contains these tests. The server is not compiled: the tree has pg_regress,
# pg_isolation_regress and isolationtester, and modules need only its header files.

# The parts of the source with tests, or with modules that tests load.
SUITE_PARTS=(src/test/regress src/test/isolation src/pl/plpgsql/src contrib/pgcrypto contrib/postgres_fdw contrib/spi)

suites_of() { printf '%s\n' "$CACHE/suites/$1"; }

# Whether they belong to the current tree. `.origin` is written last; its second line is the version of the source.
suites_are_complete() {
    local origin
    origin=$(suites_of "$1")/.origin
    [ -f "$origin" ] && [ "$(head -n 1 "$origin")" = "$(cat "$CACHE/pg/$1/.origin")" ]
}

# Makes the suites of one major, whose tree exists, unless they are complete. On failure prints the reason and returns 1.
make_suites() {
    local major=$1 suites pg_config server source_version tarball version versions=() part parts=()
    suites=$(suites_of "$major")
    pg_config=$(pg_config_of "$major")
    server=$("$pg_config" --version | cut -d' ' -f2)
    if ! suites_are_complete "$major"; then
        if ! write_source_lists; then
            say "PostgreSQL $major: skipped, the apt sources of this machine name no archive of this release"
            return 1
        fi
        # The server's version first: another version may expect different output.
        for version in $(source_versions "$major"); do
            if [ "${version%-*}" = "$server" ]; then versions=("$version" "${versions[@]}"); else versions+=("$version"); fi
        done
        if ! fetch_source "$major" "${versions[@]}"; then
            say "PostgreSQL $major: skipped, no apt source of this machine has its source"
            return 1
        fi
        say "PostgreSQL $major: unpacking the tests of $source_version"
        rm -rf "$suites"
        mkdir -p "$suites/lib"
        for part in "${SUITE_PARTS[@]}"; do parts+=("*/$part/*"); done
        tar -xf "$tarball" -C "$suites" --no-same-owner --strip-components=1 --wildcards "${parts[@]}" || return 1
        chmod -R a+rX "$suites"
        make_test_modules "$suites" "$pg_config" >"$CACHE/build/suites-$major.log" 2>&1 \
            || { cat "$CACHE/build/suites-$major.log" >&2; say "PostgreSQL $major: skipped, its test modules do not compile"; return 1; }
        printf '%s\n%s\n' "$(cat "$CACHE/pg/$major/.origin")" "$source_version" >"$suites/.origin"
    fi
    version=$(tail -n 1 "$suites/.origin")
    say "PostgreSQL $major: server $server, tests of $version"
    if [ "${version%-*}" != "$server" ]; then
        say "    the source of $server is not available: a test may fail with and without the library"
    fi
}

# regress.so, and two modules that the tests of 15 to 17 load from the same directory. They expect refint's debug messages.
make_test_modules() {
    local module
    for module in src/test/regress/regress contrib/spi/autoinc contrib/spi/refint; do
        cc -O2 -fPIC -fno-strict-aliasing -fwrapv -shared -D_GNU_SOURCE -DREFINT_VERBOSE -I"$("$2" --includedir-server)" \
            "$1/$module.c" -o "$1/lib/$(basename -- "$module").so" || return 1
    done
}

# Installs a contrib module into the tree of one major unless it is installed. On failure prints the reason and returns 1.
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
        say "PostgreSQL $major: the suite of $module is skipped: it does not compile for this tree (log: $log)"
        return 1
    fi
}

# Prints the names of a suite's tests, the value of REGRESS in its Makefile.
tests_of() {
    # shellcheck disable=SC2016 # make expands it
    (unset MAKEFLAGS MAKELEVEL MFLAGS
        sed '/^include/d' "$1/Makefile" | make -s -f - --eval='names-of-tests: ; @echo $(REGRESS)' with_zlib=yes USE_PGXS=1 names-of-tests)
}
