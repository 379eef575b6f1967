#!/usr/bin/env bash
# Prepares a Debian or Ubuntu machine that has only Rust for the tests and the demo.
#
#   scripts/setup.sh [--with-tests | --with-example | --with-linters] [MAJOR …]        default: 15 16 17 18 19
#
# It owns the caches: a private PostgreSQL tree for each major (postgres.sh), cargo-pgrx in the version that Cargo.toml
# pins, and pgrx's configuration. --with-tests adds what the tests need: npm packages (node.sh), Python packages and the
# linters (python.sh), cargo-deny, mdBook, pgTAP, pgAudit, PgBouncer and a browser. The system's PostgreSQL does not change.
# Each part is checked first and replaced only if it is missing, incomplete or of another version: a run on a prepared
# machine takes a second or two. It works as root and as an ordinary user; only system packages need root.
#
# Written by hand: `cargo pgrx init` downloads PostgreSQL from one host only, and installs none of the rest.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/postgres.sh"
. "$ROOT/scripts/node.sh"
. "$ROOT/scripts/python.sh"
. "$ROOT/scripts/cargo.sh"
. "$ROOT/scripts/pgtap.sh"
. "$ROOT/scripts/pgaudit.sh"
. "$ROOT/scripts/browser.sh"

STEPS=4
with=""
case ${1:-} in
    --with-tests) STEPS=7 with=tests ;;
    --with-example) STEPS=5 with=example ;;
    --with-linters) STEPS=5 with=linters ;;
esac
if [ -n "$with" ]; then shift; fi
choose_majors "$@"
STEP_WORD="set-up"

command -v cargo >/dev/null || die "cargo is not on the PATH: install Rust (see rust-version in Cargo.toml) with rustup first"
command -v apt-get >/dev/null || die "this needs Debian or Ubuntu (apt-get); elsewhere install PostgreSQL with its server
headers and use: cargo install --locked cargo-pgrx@$(pgrx_version) && cargo pgrx init --pg17=PATH_OF_pg_config"

# Two set-ups of one cache at the same time would overwrite each other.
mkdir -p "$CACHE" "$CACHE/pg" "$CACHE/build" 2>/dev/null || die "$CACHE cannot be written: set PG_SESSION_JWT_CACHE to a directory of yours"
exec 9>"$CACHE/.setup.lock"
if ! flock --nonblock 9; then
    say "another set-up is using $CACHE: waiting for it"
    flock 9
fi

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# Needed for every major. libclang: bindgen reads PostgreSQL's headers. sudo: `cargo pgrx test --runas`.
# jq, openssl, python3: the demo, the version check and the tests. flock and runuser are in essential packages.
wanted_packages() {
    printf '%s\n' build-essential clang libclang-dev pkg-config libssl-dev openssl jq python3 ca-certificates
    if is_root; then printf '%s\n' sudo; fi
    case $with in tests | example) if ! node_is_here; then printf '%s\n' nodejs npm; fi ;; esac
    case $with in tests | linters) if ! can_make_venv; then printf '%s\n' python3-venv; fi ;; esac
    if [ "$with" = tests ]; then
        printf '%s\n' pgbouncer
        # Debian packages the browser of the example's test. Ubuntu has only a snap, so there it must already be installed.
        if ! find_chromium >/dev/null && is_debian; then printf '%s\n' chromium; fi
    fi
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
    # Debian's PostgreSQL package would start a server on installation.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    # Its pgbouncer package too: Debian runs policy-rc.d before it starts a service, and exit code 101 prevents the start.
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
    say "all installed"
fi
if is_root && ! id "$SERVER_USER" >/dev/null 2>&1; then
    useradd --system --create-home --home-dir /var/lib/postgresql --shell /bin/bash "$SERVER_USER"
fi
as_server_user test -x "$CACHE/pg" \
    || die "the user $SERVER_USER, who runs the servers, cannot read $CACHE: set PG_SESSION_JWT_CACHE to a directory that all users can read"

step "PostgreSQL ${majors[*]}"
unavailable=()
for major in "${majors[@]}"; do
    if make_tree "$major"; then continue; fi
    if may_be_missing "$major"; then say "PostgreSQL $major: continuing without it"; else unavailable+=("$major"); fi
done

version=$(pgrx_version)
[ -n "$version" ] || die "Cargo.toml does not pin pgrx (expected a line like: pgrx = \"=0.19.4\")"
step "cargo-pgrx $version"
install_cargo_tool cargo-pgrx "$version"

step "pgrx's configuration"
arguments=()
differs=""
for major in "${ALL_MAJORS[@]}"; do
    if pg_config=$(pg_config_of "$major"); then
        arguments+=("--pg$major=$pg_config")
        grep -qsxF "pg$major = \"$pg_config\"" "$PGRX_HOME/config.toml" || differs=1
    fi
done
# Written again only when it differs, because a newer file makes cargo rebuild the PostgreSQL bindings. The old file is
# deleted first, because pgrx cannot read the rest of an interrupted run.
if [ -n "$differs" ]; then
    rm -f "$PGRX_HOME/config.toml"
    mkdir -p "$PGRX_HOME"
    cargo pgrx init --no-run "${arguments[@]}" >"$CACHE/build/pgrx-init.log" 2>&1 \
        || { cat "$CACHE/build/pgrx-init.log" >&2; die "cargo pgrx init failed"; }
    say "written for ${#arguments[@]} PostgreSQL(s)"
else
    say "$PGRX_HOME/config.toml"
fi

if [ "$with" = tests ] || [ "$with" = linters ]; then
    step "linters"
    make_venv scripts/linters
    install_cargo_tool "${CARGO_DENY[@]}"
    install_cargo_tool "${MDBOOK[@]}"
fi
if [ "$with" = tests ]; then
    step "npm packages of the tests"
    make_node_modules tests/fixtures/oidc
    make_node_modules tests/clients/node
    make_node_modules tests/clients/typescript
    make_node_modules gateway/tests/drivers
    make_node_modules examples/todos
    make_node_modules examples/nextjs
    step "Python packages, pgTAP and pgAudit of the tests"
    make_venv tests/clients/python
    for major in "${majors[@]}"; do
        if pg_config_of "$major" >/dev/null; then put_pgtap "$major" || say "without it a test of PostgreSQL $major will fail"; fi
        if pg_config_of "$major" >/dev/null; then put_pgaudit "$major" || say "its tests of PostgreSQL $major are skipped"; fi
    done
fi
if [ "$with" = example ]; then
    step "npm packages of the examples"
    make_node_modules examples/todos
    make_node_modules examples/nextjs
fi

printf '\n'
for major in "${majors[@]}"; do
    if pg_config=$(pg_config_of "$major"); then
        say "$("$pg_config" --version): $pg_config"
    fi
done
if [ ${#unavailable[@]} -gt 0 ]; then die "not available on this machine: PostgreSQL ${unavailable[*]} (the reasons are above)"; fi
say "ready"
