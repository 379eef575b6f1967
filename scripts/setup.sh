#!/usr/bin/env bash
# Brings a Debian or Ubuntu machine that has only Rust to where the tests and the demo can run.
#
#   scripts/setup.sh [--with-node | --with-example] [MAJOR …]        default: 15 16 17 18
#
# It owns the caches: one private PostgreSQL tree for each major (postgres.sh), cargo-pgrx in the version that
# Cargo.toml pins, pgrx's own configuration, and, for the tests (--with-node), an OpenID provider and clients from npm
# (node.sh), clients of Python (python.sh) and PgBouncer. Nothing is ever installed *into* the system's PostgreSQL.
# Each part is looked at first and made again only if it is missing, half-made or of another version, so that a run
# on a ready machine takes a second or two. Works as root and as an ordinary user; only system packages need root.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/postgres.sh"
. "$ROOT/scripts/node.sh"
. "$ROOT/scripts/python.sh"
. "$ROOT/scripts/pgtap.sh"
. "$ROOT/scripts/browser.sh"

with_node=""
with_example=""
STEPS=4
if [ "${1:-}" = --with-node ]; then
    with_node=1
    STEPS=7
    shift
elif [ "${1:-}" = --with-example ]; then
    with_example=1
    STEPS=5
    shift
fi
choose_majors "$@"
STEP_WORD="set-up"

command -v cargo >/dev/null || die "cargo is not on the PATH: install Rust (see rust-version in Cargo.toml) with rustup first"
command -v apt-get >/dev/null || die "this needs Debian or Ubuntu (apt-get); elsewhere install PostgreSQL with its server
headers and use: cargo install --locked cargo-pgrx@$(pgrx_version) && cargo pgrx init --pg17=PATH_OF_pg_config"

# Two set-ups of one cache at once would write over each other.
mkdir -p "$CACHE" "$CACHE/pg" "$CACHE/build" 2>/dev/null || die "$CACHE cannot be written: set PG_SESSION_JWT_CACHE to a directory of yours"
exec 9>"$CACHE/.setup.lock"
if ! flock --nonblock 9; then
    say "another set-up is using $CACHE: waiting for it"
    flock 9
fi

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# What is needed whatever the majors. libclang: bindgen reads PostgreSQL's headers. sudo: `cargo pgrx test --runas`.
# jq, openssl, python3: the demo, the version check and the tests. flock and runuser are essential packages anyway.
wanted_packages() {
    printf '%s\n' build-essential clang libclang-dev pkg-config libssl-dev openssl jq python3 ca-certificates
    if is_root; then printf '%s\n' sudo; fi
    if [ -n "$with_node$with_example" ] && ! node_is_here; then printf '%s\n' nodejs npm; fi
    if [ -n "$with_node" ] && ! venv_is_here; then printf '%s\n' python3-venv; fi
    if [ -n "$with_node" ]; then printf '%s\n' pgbouncer; fi
    # Debian has the browser of the example's test as a package; Ubuntu only as a snap, so there it must be there already.
    if [ -n "$with_node" ] && ! find_chromium >/dev/null && is_debian; then printf '%s\n' chromium; fi
    local major
    for major in "${majors[@]}"; do packages_for_postgres "$major"; done
}

step "system packages"
mapfile -t missing < <(wanted_packages | sort -u | while read -r package; do installed "$package" || echo "$package"; done)
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    if ! is_root; then
        as_root=(sudo -n)
        sudo -n true 2>/dev/null || die "these system packages are missing, and only root can install them. Please run

    sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}

and then the same command again."
    fi
    say "installing ${missing[*]}"
    # Debian's PostgreSQL package would start a server of its own on installation; nobody here wants that.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    # Nor its pgbouncer: policy-rc.d is asked before a service is started, and 101 says no.
    policy=/usr/sbin/policy-rc.d
    if [[ " ${missing[*]} " == *" pgbouncer "* ]] && [ ! -e $policy ]; then
        trap '"${as_root[@]}" rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
        "${as_root[@]}" chmod +x $policy
    fi
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
    "${apt[@]}" update
    "${apt[@]}" install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" >"$CACHE/build/apt.log" 2>&1 \
        || { tail -n 20 "$CACHE/build/apt.log" >&2; die "apt-get could not install: ${missing[*]}"; }
    if [[ " ${missing[*]} " == *" pgbouncer "* ]] && [ -d /run/systemd/system ]; then
        "${as_root[@]}" systemctl --quiet disable pgbouncer
    fi
else
    say "all there"
fi
if is_root && ! id "$SERVER_USER" >/dev/null 2>&1; then
    useradd --system --create-home --home-dir /var/lib/postgresql --shell /bin/bash "$SERVER_USER"
fi
as_server_user test -x "$CACHE/pg" \
    || die "the user $SERVER_USER, who runs the servers, cannot read $CACHE: set PG_SESSION_JWT_CACHE to a place that all can read"

step "PostgreSQL ${majors[*]}"
unavailable=()
for major in "${majors[@]}"; do
    make_tree "$major" || unavailable+=("$major")
done

step "cargo-pgrx $(pgrx_version)"
version=$(pgrx_version)
[ -n "$version" ] || die "Cargo.toml does not pin pgrx (expected a line like: pgrx = \"=0.19.4\")"
if [ "$(cargo pgrx --version 2>/dev/null)" = "cargo-pgrx $version" ]; then
    say "$(command -v cargo-pgrx)"
else
    say "building it (about two minutes, once)"
    # Unoptimised: it is a build tool that is seldom run, and an optimised build takes ten minutes.
    CARGO_TARGET_DIR=$CACHE/build/cargo-pgrx cargo install --quiet --locked --ignore-rust-version --debug --force --root "$CACHE/tools" "cargo-pgrx@$version"
    rm -rf "$CACHE/build/cargo-pgrx" # 1 GB that nobody needs again
    [ "$(cargo pgrx --version 2>/dev/null)" = "cargo-pgrx $version" ] || die "cargo-pgrx $version was built but does not answer"
fi

step "pgrx's configuration"
arguments=()
differs=""
for major in "${ALL_MAJORS[@]}"; do
    if pg_config=$(pg_config_of "$major"); then
        arguments+=("--pg$major=$pg_config")
        grep -qsxF "pg$major = \"$pg_config\"" "$PGRX_HOME/config.toml" || differs=1
    fi
done
# Written again only when it differs, because a newer file makes cargo rebuild the PostgreSQL bindings. Then from
# a new file, because pgrx would stumble over the rest of an interrupted run.
if [ -n "$differs" ]; then
    rm -f "$PGRX_HOME/config.toml"
    mkdir -p "$PGRX_HOME"
    cargo pgrx init --no-run "${arguments[@]}" >"$CACHE/build/pgrx-init.log" 2>&1 \
        || { cat "$CACHE/build/pgrx-init.log" >&2; die "cargo pgrx init failed"; }
    say "written for ${#arguments[@]} PostgreSQL(s)"
else
    say "$PGRX_HOME/config.toml"
fi

if [ -n "$with_node" ]; then
    step "npm packages of the tests"
    make_node_modules fixtures/oidc
    make_node_modules clients/node
    make_node_modules ../examples/todos
    step "Python packages of the tests"
    make_venv
    step "pgTAP"
    for major in "${majors[@]}"; do
        if pg_config_of "$major" >/dev/null; then put_pgtap "$major" || say "without it a test of PostgreSQL $major will fail"; fi
    done
elif [ -n "$with_example" ]; then
    step "npm packages of the example"
    make_node_modules ../examples/todos
fi

printf '\n'
for major in "${majors[@]}"; do
    if pg_config=$(pg_config_of "$major"); then
        say "$("$pg_config" --version): $pg_config"
    fi
done
if [ ${#unavailable[@]} -gt 0 ]; then die "not to be had on this machine: PostgreSQL ${unavailable[*]} (the reasons are above)"; fi
say "ready"
