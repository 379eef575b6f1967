#!/usr/bin/env bash
# Builds a Debian package for each major, and one of the gateway, into dist/: `make deb`, `make deb PG=17`.
#
#   scripts/deb.sh [MAJOR …]        default: 15 16 17 18 19
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
STEPS=$((${#majors[@]} + 1))
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

# write_control ROOT PACKAGE DEPENDS: reads the description.
write_control() {
    {
        cat <<END
Package: $2
Version: $version-1
Architecture: $architecture
Maintainer: $(jq -r .maintainer META.json)
Installed-Size: $(du -sk --exclude=DEBIAN "$1" | cut -f1)
Depends: $3
Section: database
Priority: optional
END
        cat # the description, from standard input
    } >"$1/DEBIAN/control"
}

# Debian's rule: no name and no time in compressed files.
compressed() { gzip -9n; }

build_package() { # root package
    (cd "$1" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) >"$1/DEBIAN/md5sums"
    mkdir -p dist
    dpkg-deb --root-owner-group --build "$1" "dist/$2_$version-1_$architecture.deb"
}

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
    # The system's authorities verify the host of a jwks_url. pg_session_jwt.ca_file can replace them.
    write_control "$root" "$package" "postgresql-$major, $depends" <<END
Recommends: ca-certificates
Description: verified JSON Web Tokens as the identity of a PostgreSQL session
 A client hands its session a JSON Web Token, which the extension verifies
 inside the backend. Row-level security policies, column defaults and queries
 then read the verified claims with auth.user_id() and its siblings.
 .
 This package is for PostgreSQL $major.
END
    build_package "$root" "$package"
done

# The gateway does not depend on a major.
package=pg-session-jwt-gateway
step "$package"
cargo build "${BUILD_FLAGS[@]}" --release -p "${EXTENSION}_gateway"
root=$work/$package
doc=$root/usr/share/doc/$package
install -D -m 755 "$CARGO_TARGET_DIR/release/${EXTENSION}_gateway" "$root/usr/bin/${EXTENSION}_gateway"
install -D -m 644 "gateway/packaging/${EXTENSION}_gateway.service" "$root/lib/systemd/system/${EXTENSION}_gateway.service"
install -D -m 644 "gateway/packaging/${EXTENSION}_gateway.conf" "$root/etc/${EXTENSION}_gateway.conf"
install -D -m 644 gateway/setup.sql "$root/usr/share/$package/setup.sql"
install -D -m 644 docs/gateway.md "$doc/gateway.md"
install -D -m 644 LICENSE "$doc/copyright"
compressed <CHANGELOG.md >"$doc/changelog.gz"
scripts/dependencies.py texts "${EXTENSION}_gateway" | compressed >"$doc/licences-of-dependencies.gz"
scripts/dependencies.py sbom "${EXTENSION}_gateway" >"$doc/sbom.cdx.json"
mkdir "$root/DEBIAN"
echo "/etc/${EXTENSION}_gateway.conf" >"$root/DEBIAN/conffiles"
depends=$(dependencies_of "$root/usr/bin/${EXTENSION}_gateway")
[ -n "$depends" ] || die "dpkg-shlibdeps reported no dependencies of the gateway"
# PostgreSQL looks up the name of the service's user for `peer`, and finds a dynamic user by this library.
write_control "$root" "$package" "$depends" <<END
Recommends: libnss-systemd
Description: gateway of pg_session_jwt for Neon's serverless driver
 Serves Neon's serverless driver over HTTP and WebSocket from a PostgreSQL that
 has the extension pg_session_jwt, which verifies the token of each request.
 The gateway has no key and makes no decision about identity.
END
build_package "$root" "$package"
