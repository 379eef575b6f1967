#!/usr/bin/env bash
# Builds a Debian package for each major into dist/: `make deb`, `make deb PG=17`.
#
#   scripts/deb.sh [MAJOR …]        default: 15 16 17 18
#
# It moves the files of package.sh to the paths of Debian's and PGDG's PostgreSQL packages, whichever PostgreSQL they were
# built against. The same commit gives the same package, apart from differences of compilers.
#
# Written by hand: cargo-deb packages what cargo builds, and the files of an extension come from cargo-pgrx.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

choose_majors "$@"
cd "$ROOT"
for tool in dpkg-deb dpkg-shlibdeps; do
    command -v "$tool" >/dev/null || die "$tool is not on the PATH (Debian, Ubuntu: package dpkg-dev)"
done
"$ROOT/scripts/setup.sh" "${majors[@]}"
STEPS=${#majors[@]}
version=$(jq -r .version META.json)
architecture=$(dpkg --print-architecture)
# The time of the packaged files is the commit's, which does not depend on the building machine.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y META.json)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d "${TMPDIR:-/tmp}/pgsj-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Prints the dependencies of the library in Debian's form: "libc6 (>= 2.34), libgcc-s1 (>= 4.2)".
dependencies_of() { # library
    mkdir -p "$work/shlibs/debian"
    : >"$work/shlibs/debian/control"
    (cd "$work/shlibs" && dpkg-shlibdeps -O "$1" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
}

write_control() { # root package major depends
    cat <<END
Package: $2
Version: $version-1
Architecture: $architecture
Maintainer: $(jq -r .maintainer META.json)
Installed-Size: $(du -sk --exclude=DEBIAN "$1" | cut -f1)
Depends: postgresql-$3, $4
Section: database
Priority: optional
Description: verified JSON Web Tokens as the identity of a PostgreSQL session
 A client hands its session a JSON Web Token, which the extension verifies
 inside the backend. Row-level security policies, column defaults and queries
 then read the verified claims with auth.user_id() and its siblings.
 .
 This package is for PostgreSQL $3.
END
}

# Debian's rule: no name and no time in compressed files.
compressed() { gzip -9n; }

for major in "${majors[@]}"; do
    package=postgresql-$major-pg-session-jwt
    step "$package"
    pg_config=$(pg_config_of "$major")
    built=$CARGO_TARGET_DIR/release/$EXTENSION-pg$major
    rm -rf "$built" # an older version may have left files
    "$ROOT/scripts/package.sh" package "$pg_config"
    root=$work/$package
    library=$root/usr/lib/postgresql/$major/lib
    scripts=$root/usr/share/postgresql/$major/extension
    doc=$root/usr/share/doc/$package
    mkdir -p "$root/DEBIAN" "$library" "$scripts" "$doc"
    install -m 644 "$built$("$pg_config" --pkglibdir)/$EXTENSION.so" "$library/"
    install -m 644 "$built$("$pg_config" --sharedir)/extension/$EXTENSION"* "$scripts/"
    install -m 644 LICENSE "$doc/copyright"
    install -m 644 README.md SECURITY.md "$doc/"
    find docs -type f -exec install -D -m 644 {} "$doc/{}" \;
    compressed <CHANGELOG.md >"$doc/changelog.gz"
    scripts/dependencies.py texts | compressed >"$doc/licences-of-dependencies.gz"
    scripts/dependencies.py sbom >"$doc/sbom.cdx.json"
    depends=$(dependencies_of "$library/$EXTENSION.so")
    [ -n "$depends" ] || die "dpkg-shlibdeps reported no dependencies of the library"
    write_control "$root" "$package" "$major" "$depends" >"$root/DEBIAN/control"
    (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    mkdir -p dist
    dpkg-deb --root-owner-group --build "$root" "dist/${package}_$version-1_$architecture.deb"
done
