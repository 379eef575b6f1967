# shellcheck shell=bash
# Makes the tree of a major that only a newer release of Debian packages, such as a release candidate in `experimental`.
# Sourced by postgres.sh.
#
# The packages are unpacked into the tree, and nothing is installed. They need newer libraries than the machine has, so
# these are unpacked too, down to the C library. patchelf then writes the paths of the tree's dynamic linker and libraries
# into each program. Modules such as this extension are loaded by these programs, and so get the same libraries.
#
# apt reads its own lists here, with `unstable` and `experimental` of this machine's mirror. It verifies their signatures
# with Debian's keyring, as it does for the machine itself.

NEWER_SUITES=(unstable experimental)

# The packages of a server, of its client programs, and of the headers. libpq has the newest major only; libpq-oauth is its
# device flow.
packages_of() {
    printf '%s\n' "postgresql-$1" "postgresql-client-$1" "postgresql-server-dev-$1" libpq5 libpq-dev libpq-oauth
}

newer_apt() {
    local state=$CACHE/build/apt-newer command=$1
    shift
    private_apt "$command" "$state" -o Dir::State::status="$state/status" -o Dir::Etc::preferencesparts="$state/preferences.d" \
        -o Dir::Etc::preferences="$state/preferences" -o Acquire::Languages=none "$@"
}

# Reads the package lists of the newer releases, at most once an hour. On failure prints the reason and returns 1.
read_newer_lists() {
    local state=$CACHE/build/apt-newer log=$CACHE/build/apt-newer.log key mirror suite
    if [ -n "$(find "$state/.complete" -mmin -60 2>/dev/null)" ]; then return 0; fi
    is_debian || { echo "only Debian's newer releases are known here"; return 1; }
    if ! key=$(keyring) || ! mirror=$(mirror_of ""); then
        echo "this machine's apt sources name no archive of its release"
        return 1
    fi
    rm -rf "$state"
    mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/preferences.d"
    : >"$state/status" # as if nothing was installed
    for suite in "${NEWER_SUITES[@]}"; do echo "deb [signed-by=$key] $mirror $suite main"; done >"$state/sources.list"
    # By itself apt takes nothing from `experimental`.
    printf '%s\n' "Package: postgresql-* libpq*" "Pin: release a=experimental" "Pin-Priority: 990" >"$state/preferences"
    if ! newer_apt apt-get update -qq -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false --error-on=any >"$log" 2>&1; then
        echo "the lists of ${NEWER_SUITES[*]} could not be read (log: $log)"
        return 1
    fi
    touch "$state/.complete"
}

# Prints the version of a major in the newer releases; fails without one.
newer_version() { newer_apt apt-cache policy "postgresql-$1" | sed -nE 's/^ *Candidate: ([0-9].*)/\1/p' | grep .; }

# Prints the library packages that packages need, and those that these need.
libraries_of() {
    local new=("$@") all=()
    while [ ${#new[@]} -gt 0 ]; do
        mapfile -t new < <(newer_apt apt-cache depends --important "${new[@]}" \
            | sed -nE 's/^ *(Pre)?Depends: (z?lib[^<>]*)$/\2/p' | sort -u | grep -vxF -f <(printf '%s\n' "${all[@]}" "$@"))
        all+=("${new[@]}")
    done
    printf '%s\n' "${all[@]}"
}

# Unpacks the packages and their libraries into a tree. Sets `unpacked_version`. On failure prints the reason and returns 1.
unpack_newer() {
    local major=$1 tree=$2 work=$CACHE/build/newer-$1 log=$CACHE/build/newer-$1.log package packages libraries reason
    say "PostgreSQL $major: reading the package lists of ${NEWER_SUITES[*]} (20 MB)"
    reason=$(read_newer_lists) || { say "PostgreSQL $major: $reason"; return 1; }
    unpacked_version=$(newer_version "$major") || { say "PostgreSQL $major: no package of it in ${NEWER_SUITES[*]}"; return 1; }
    mapfile -t packages < <(packages_of "$major")
    # Without the headers' package, whose compilers are not needed.
    mapfile -t libraries < <(libraries_of "postgresql-$major" "postgresql-client-$major" libpq5 libpq-oauth)
    rm -rf "$work"
    mkdir -p "$work/root"
    say "PostgreSQL $major: fetching $unpacked_version and ${#libraries[@]} libraries from ${NEWER_SUITES[*]}"
    if ! (cd "$work" && newer_apt apt-get download -qq "${packages[@]}" "${libraries[@]}") >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        say "PostgreSQL $major: the packages of $unpacked_version could not be fetched (log: $log)"
        return 1
    fi
    for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root" || return 1; done
    keep_needed "$major" "$work/root/usr" "$tree" && load_own_libraries "$major" "$tree" || return 1
    say "PostgreSQL $major: unpacked $(find "$work" -name '*.deb' | wc -l) packages, $(du -sh "$tree" | cut -f 1)"
    rm -rf "$work"
}

# Moves what PostgreSQL needs into the tree, in Debian's layout, which PostgreSQL finds relative to its programs.
keep_needed() {
    local major=$1 from=$2 tree=$3 part
    for part in lib share include; do
        mkdir -p "$tree/$part" && mv "$from/$part/postgresql" "$tree/$part/postgresql" || return 1
    done
    mv "$from/lib/$(multiarch)" "$tree/lib/$(multiarch)"
}

multiarch() { gcc -print-multiarch; }

# Lets each program load the tree's libraries. DT_RPATH, not DT_RUNPATH: it counts for what the libraries need, too.
load_own_libraries() {
    local major=$1 tree=$2 libraries linker program
    libraries=$tree/lib/$(multiarch)
    linker=$(find "$libraries" -maxdepth 1 -name 'ld-linux*.so.*' | head -n 1)
    [ -n "$linker" ] || return 1
    while read -r program; do
        # Scripts have no interpreter of this kind.
        if patchelf --print-interpreter "$program" >/dev/null 2>&1; then
            patchelf --set-interpreter "$linker" --force-rpath --set-rpath "$libraries" "$program" || return 1
        fi
    done < <(find "$tree/lib/postgresql/$major/bin" "$tree/lib/postgresql/$major/lib/pgxs" -type f -perm -u+x)
}
