# shellcheck shell=bash
# Shared by all scripts: the paths of the caches, the lines of progress, and the user who runs servers. Sourced, never run.
#
# This file installs and builds nothing and must be fast: every command of the Makefile reads it.
# The caches are safe to delete, because the scripts can restore all of their content. They are also safe after an
# interrupted run: each script checks a part of them before it uses it (see setup.sh).

set -euo pipefail
umask 022 # root's trees must be readable by the ordinary user who runs the servers

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
EXTENSION=pg_session_jwt
ALL_MAJORS=(15 16 17 18 19)
UPCOMING_MAJOR=19 # one of them, at its release: not every machine can have it
SERVER_USER=postgres # runs the servers if the scripts run as root, since PostgreSQL does not start as root

if [ -n "${PG_SESSION_JWT_CACHE:-}" ]; then
    CACHE=$(mkdir -p -- "$PG_SESSION_JWT_CACHE" && cd -- "$PG_SESSION_JWT_CACHE" && pwd)
elif [ "$(id -u)" = 0 ]; then
    CACHE=/var/cache/$EXTENSION # not below /root, where the ordinary user could not read it
else
    CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/$EXTENSION
fi

# One target directory for all majors and commands: cargo separates their builds and shares common parts.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
export PGRX_HOME=$CACHE/pgrx
export PATH=$CACHE/tools/bin:$PATH
# pgrx's test framework connects as $USER, which containers often leave unset.
USER=$(id -un)
export USER

# With these variables pgrx adds a Rust backtrace to the DETAIL of every error. Real servers do not set them either.
unset RUST_BACKTRACE RUST_LIB_BACKTRACE

# Flags of every `cargo` that builds: --locked, and --ignore-rust-version if rustc is older than Cargo.toml requires (1.95
# works). cargo-pgrx passes PGRX_BUILD_FLAGS on to cargo.
BUILD_FLAGS=(--locked)
CARGO_PGRX=(cargo pgrx)
RUST_VERSION=$(sed -nE 's/^rust-version *= *"([0-9.]+)".*/\1/p' "$ROOT/Cargo.toml" | head -n 1)
RUSTC_VERSION=$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)
if [ -n "$RUSTC_VERSION" ] && [ "$(printf '%s\n' "$RUST_VERSION" "$RUSTC_VERSION" | sort -V | head -n 1)" != "$RUST_VERSION" ]; then
    BUILD_FLAGS+=(--ignore-rust-version)
    CARGO_PGRX=(env "CARGO=$ROOT/scripts/older-rustc.sh" cargo-pgrx pgrx)
fi
export PGRX_BUILD_FLAGS="${BUILD_FLAGS[*]}"

# The time of progress lines counts from the start of the outermost script.
export PG_SESSION_JWT_STARTED=${PG_SESSION_JWT_STARTED:-$EPOCHSECONDS}
STEP=0
STEPS=0 # the number of steps, if a script knows it
STEP_WORD=step

duration() { printf '%02d:%02d' $(($1 / 60)) $(($1 % 60)); }

# Prints a line of progress with the minutes and seconds since the start.
say() { printf '[%s] %s\n' "$(duration $((EPOCHSECONDS - PG_SESSION_JWT_STARTED)))" "$*"; }

# Begins the next step: "[01:23] step 3 of 9: format".
step() {
    STEP=$((STEP + 1))
    printf '\n'
    if [ "$STEPS" -gt 0 ]; then say "$STEP_WORD $STEP of $STEPS: $*"; else say "$STEP_WORD $STEP: $*"; fi
}

die() {
    printf '\n%s: %s\n' "$(basename -- "$0")" "$*" >&2
    exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

is_debian() { grep -qsx 'ID=debian' /etc/os-release; }

# Runs a command as the user who runs servers. From /, because that user may be unable to read the current directory.
as_server_user() {
    if is_root; then (cd / && runuser -u "$SERVER_USER" -- "$@"); else "$@"; fi
}

# Prints the pg_config of the private tree of one major; fails if there is no complete tree.
# `.origin` is written last, so a tree without it is the rest of an interrupted run.
pg_config_of() {
    local tree=$CACHE/pg/$1 candidate
    [ -f "$tree/.origin" ] || return 1
    for candidate in "$tree/bin/pg_config" "$tree/lib/postgresql/$1/bin/pg_config" "$tree"/*/pginstall/bin/pg_config; do
        if [ -x "$candidate" ]; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

# Sets `majors` to the arguments, or to all supported majors without arguments.
choose_majors() {
    local major
    majors=("$@")
    if [ $# = 0 ]; then majors=("${ALL_MAJORS[@]}"); fi
    for major in "${majors[@]}"; do
        case " ${ALL_MAJORS[*]} " in
            *" $major "*) ;;
            *) die "PostgreSQL $major is not supported; choose from: ${ALL_MAJORS[*]}" ;;
        esac
    done
}

# Prints X of `pgrx = "=X"` or `pgrx = { version = "=X"` in Cargo.toml; cargo-pgrx must have the same version.
pgrx_version() {
    sed -nE 's/^pgrx *= *(\{.*version *= *)?"=([0-9.]+)".*/\2/p' "$ROOT/Cargo.toml" | head -n 1
}

# Two runs that install into the same tree, or build in the same target directory, would test each other's library.
# A script that does either holds this lock, on descriptor 8, and starts every command with 8>&-. A server that outlives
# the script would otherwise hold the lock. Scripts called under the lock run under it too.
lock_cache() {
    if [ -n "${PG_SESSION_JWT_LOCKED:-}" ]; then return 0; fi
    mkdir -p "$CACHE"
    exec 8>"$CACHE/.lock"
    if ! flock --nonblock 8; then
        say "another run is using $CACHE: waiting for it"
        flock 8
    fi
    export PG_SESSION_JWT_LOCKED=1
}

unlock_cache() {
    exec 8>&-
    unset PG_SESSION_JWT_LOCKED
}
