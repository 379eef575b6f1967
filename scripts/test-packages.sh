#!/usr/bin/env bash
# Tests that the packages can be installed and used: `make test-packages`, `make test-packages PG=17`.
#
#   scripts/test-packages.sh [MAJOR …]        default: 15 17
#
# dpkg installs each .deb into an empty root, beside empty packages with the names of its dependencies. A real server then
# uses the installed files. The source archive is unpacked and inspected.
#
# Written by hand: piuparts and autopkgtest need a chroot with all dependencies from a mirror.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/tokens.sh"

if [ $# = 0 ]; then set -- 15 17; fi
choose_majors "$@"
cd "$ROOT"
"$ROOT/scripts/deb.sh" "${majors[@]}"
make_run_directory
version=$(jq -r .version META.json)
checks=0

# equal WHAT FOUND WANTED
equal() {
    if [ "$2" != "$3" ]; then die "$1 differs from the expected: $(diff <(printf '%s\n' "$3") <(printf '%s\n' "$2"))"; fi
    checks=$((checks + 1))
}

# ---- dpkg -----------------------------------------------------------------------------------------------------------

empty_root() {
    root=$1
    mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
    : >"$root/var/lib/dpkg/status"
}

into_root() {
    local own=()
    if ! is_root; then own=(--force-not-root); fi
    PATH=$PATH:/usr/sbin:/sbin dpkg --root="$root" --log="$RUN/dpkg.log" "${own[@]}" "$@" >"$RUN/dpkg.out" 2>&1
}

# Creates and installs empty packages with the names of the dependencies.
install_dependencies() { # deb
    local name dependency
    for dependency in $(dpkg-deb --field "$1" Depends | sed -E 's/ *\([^)]*\)//g; s/,/ /g'); do
        name=$RUN/stub/$dependency
        mkdir -p "$name/DEBIAN"
        # A version higher than all required ones.
        printf '%s\n' "Package: $dependency" "Version: 99" "Architecture: all" "Maintainer: none" "Description: empty" \
            >"$name/DEBIAN/control"
        dpkg-deb --build "$name" "$name.deb" >/dev/null
        into_root --install "$name.deb" || { cat "$RUN/dpkg.out"; die "dpkg did not install $dependency"; }
    done
}

files_of() { # major
    local scripts=/usr/share/postgresql/$1/extension doc=/usr/share/doc/postgresql-$1-pg-session-jwt
    {
        printf '%s\n' "/usr/lib/postgresql/$1/lib/$EXTENSION.so" "$scripts/$EXTENSION.control" "$scripts/$EXTENSION--$version.sql"
        (cd sql && printf "$scripts/%s\n" "$EXTENSION"--*--*.sql)
        printf "$doc/%s\n" README.md SECURITY.md changelog.gz copyright licences-of-dependencies.gz sbom.cdx.json
        find docs -type f -printf "$doc/%p\n"
    } | LC_ALL=C sort
}

files_of_gateway() {
    local doc=/usr/share/doc/pg-session-jwt-gateway
    {
        printf '%s\n' "/etc/${EXTENSION}_gateway.conf" "/lib/systemd/system/${EXTENSION}_gateway.service" \
            "/usr/bin/${EXTENSION}_gateway" /usr/share/pg-session-jwt-gateway/setup.sql
        printf "$doc/%s\n" gateway.md changelog.gz copyright licences-of-dependencies.gz sbom.cdx.json
    } | LC_ALL=C sort
}

installed_files() {
    local path
    into_root --listfiles "$1"
    while read -r path; do if [ -f "$root$path" ]; then echo "$path"; fi; done <"$RUN/dpkg.out" | LC_ALL=C sort
}

# ---- a server -------------------------------------------------------------------------------------------------------

# Combines the major's tree with the installed package. A tree with Debian's layout goes into the same root, where the
# package's files already have the right paths. Into other trees place_files copies them.
server_tree() { # major; sets pg_config
    local tree=$CACHE/pg/$1 old
    old=$(pg_config_of "$1")
    if [ -d "$tree/lib/postgresql/$1/bin" ]; then
        cp -a "$tree/lib" "$tree/share" "$root/usr/"
        pg_config=$root/usr${old#"$tree"}
        rm -f "$("$pg_config" --pkglibdir)/$EXTENSION.so" "$("$pg_config" --sharedir)/extension/$EXTENSION"*
    else
        cp -a "$tree" "$RUN/tree-$1"
        pg_config=$RUN/tree-$1${old#"$tree"}
        rm -f "$("$pg_config" --pkglibdir)/$EXTENSION.so" "$("$pg_config" --sharedir)/extension/$EXTENSION"*
    fi
}

place_files() { # major
    if [ -d "$root/usr/lib/postgresql/$1/bin" ]; then return 0; fi
    cp "$root/usr/lib/postgresql/$1/lib/$EXTENSION.so" "$("$pg_config" --pkglibdir)/"
    cp "$root/usr/share/postgresql/$1/extension/$EXTENSION"* "$("$pg_config" --sharedir)/extension/"
}

sql() { "$("$pg_config" --bindir)/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }

# as_user TOKEN: prints what the application reads after an insert with the token, or the error.
as_user() {
    sql -U app -v VERBOSITY=verbose -v token="$1" 2>&1 <<'END' | sed -n '/./{s/^.*ERROR:  /ERROR /;p}' | head -n 1
begin;
select auth.jwt_session_init(:'token', true) \g /dev/null
insert into todos (task) values ('of ' || auth.user_id());
commit;
begin;
select auth.jwt_session_init(:'token', true) \g /dev/null
select string_agg(user_id || ': ' || task, ', ') from todos;
commit;
END
}

use_it() {
    local header='{"alg":"EdDSA"}' keys claims
    new_key provider ED25519
    new_key stranger ED25519
    keys=$(ed25519_jwk provider)
    sql -f - <<END
create extension $EXTENSION;
create role app login in role authenticated;
create table todos (user_id text not null default (auth.user_id()), task text not null);
alter table todos enable row level security;
create policy own on todos to authenticated
    using ((select auth.user_id() = todos.user_id)) with check ((select auth.user_id()) = user_id);
grant select, insert on todos to authenticated;
alter database postgres set pg_session_jwt.providers = '[{"issuer":"a","jwks":{"keys":[$keys]}}]';
END
    equal "the version" "$(sql -c "select extversion from pg_extension where extname = '$EXTENSION'")" "$version"
    for user in alice bob; do
        claims='{"iss":"a","sub":"'$user'","exp":'$((EPOCHSECONDS + 600))'}'
        equal "the rows of $user" "$(as_user "$(token "$header" "$claims" eddsa provider)")" "$user: of $user"
        equal "a foreign token" "$(as_user "$(token "$header" "$claims" eddsa stranger)")" "ERROR 28000: invalid JWT signature"
    done
    equal "rows without a token" "$(sql -U app -c "select count(*) from todos")" 0
    equal "all rows" "$(sql -c "select string_agg(user_id, ',' order by user_id) from todos")" alice,bob
}

# Starts the packaged gateway in front of the server, with the packaged script, and sends one request.
use_gateway() {
    local claims log=$RUN/gateway.log port=$((20000 + RANDOM % 10000)) pid answer
    sql -q -f "$root/usr/share/pg-session-jwt-gateway/setup.sql" >/dev/null 2>&1
    "$root/usr/bin/${EXTENSION}_gateway" --listen "127.0.0.1:$port" --postgres "$PGHOST" --database postgres 2>"$log" &
    pid=$!
    for _ in $(seq 100); do
        if grep -q listening "$log"; then break; fi
        sleep 0.1
    done
    claims='{"iss":"a","sub":"alice","exp":'$((EPOCHSECONDS + 600))'}'
    answer=$(curl --silent --max-time 30 "http://127.0.0.1:$port/sql" -d '{"query":"select user_id, task from todos"}' \
        -H "Authorization: Bearer $(token '{"alg":"EdDSA"}' "$claims" eddsa provider)" \
        -H "Neon-Connection-String: postgresql://authenticated@localhost/postgres")
    equal "the rows through the gateway" "$(jq -c .rows <<<"$answer")" '[{"user_id":"alice","task":"of alice"}]'
    kill "$pid"
    wait "$pid"
    equal "the end of the gateway" "$?" 0
}

# ---- the tests ------------------------------------------------------------------------------------------------------

STEPS=$((${#majors[@]} + 1))
gateway=dist/pg-session-jwt-gateway_$version-1_$(dpkg --print-architecture).deb
for major in "${majors[@]}"; do
    package=postgresql-$major-pg-session-jwt
    step "$package"
    deb=dist/${package}_$version-1_$(dpkg --print-architecture).deb
    empty_root "$RUN/rejected-$major"
    if into_root --install "$deb"; then die "$package can be installed without PostgreSQL $major"; fi
    equal "the missing dependency" "$(sed -nE "s/^ *$package depends on (postgresql-$major); however:/\1/p" "$RUN/dpkg.out")" \
        "postgresql-$major"

    empty_root "$RUN/root-$major"
    mkdir -p "$root/usr"
    server_tree "$major"
    install_dependencies "$deb"
    into_root --install "$deb" || { cat "$RUN/dpkg.out"; die "dpkg did not install $deb"; }
    equal "the files" "$(installed_files "$package")" "$(files_of "$major")"
    into_root --verify "$package" || true
    equal "changed files" "$(cat "$RUN/dpkg.out")" ""
    equal "the licence" "$(cmp "$root/usr/share/doc/$package/copyright" LICENSE && echo same)" same
    place_files "$major"
    start_server "$pg_config" "server-$major" "shared_preload_libraries = '$EXTENSION'"
    use_it
    install_dependencies "$gateway"
    into_root --install "$gateway" || { cat "$RUN/dpkg.out"; die "dpkg did not install $gateway"; }
    equal "the files of the gateway" "$(installed_files pg-session-jwt-gateway)" "$(files_of_gateway)"
    use_gateway
    into_root --purge pg-session-jwt-gateway
    stop_servers_in "$RUN/server-$major"
    into_root --remove "$package"
    equal "files after removal" "$(find "$root" -name "*$EXTENSION*" -not -path '*/var/lib/dpkg/*')" ""
done

step "source archive"
"$ROOT/scripts/dist.sh"
mkdir "$RUN/archive"
(cd "$RUN/archive" && python3 -m zipfile --extract "$ROOT/dist/$EXTENSION-$version.zip" .)
equal "unpacked directories" "$(ls "$RUN/archive")" "$EXTENSION-$version"
unpacked=$RUN/archive/$EXTENSION-$version
equal "files for developers only" "$(cd "$unpacked" && find . -maxdepth 1 -name '.[cg]*' -o -name fuzz)" ""
cargo metadata --locked --no-deps --format-version 1 --manifest-path "$unpacked/Cargo.toml" >"$RUN/metadata"
equal "the version in it" "$(jq -r '.packages[] | select(.name == "'"$EXTENSION"'") | .version' "$RUN/metadata")" "$version"
printf '\npassed=%s failed=0\n' "$checks"
