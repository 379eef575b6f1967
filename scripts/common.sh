# shellcheck shell=bash
# What all the scripts agree on: where the caches are, how progress is told, and who runs a server. Sourced, never run.
#
# Nothing here installs or builds anything, and nothing here may be slow: every verb of the Makefile reads it.
# The caches hold only what can be had again. They are safe to delete, and safe to find half-written after an
# interrupted run: whoever uses a part of them checks it first (see setup.sh).

set -euo pipefail
umask 022 # root's trees must be readable by the ordinary user who runs the servers

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
EXTENSION=pg_session_jwt
ALL_MAJORS=(15 16 17 18)
SERVER_USER=postgres # who runs the servers when we are root, since PostgreSQL refuses to be root

if [ -n "${PG_SESSION_JWT_CACHE:-}" ]; then
    CACHE=$(mkdir -p -- "$PG_SESSION_JWT_CACHE" && cd -- "$PG_SESSION_JWT_CACHE" && pwd)
elif [ "$(id -u)" = 0 ]; then
    CACHE=/var/cache/$EXTENSION # not below /root, where the ordinary user could not read it
else
    CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/$EXTENSION
fi

# One target directory for all majors and verbs: cargo keeps their builds apart by itself and shares what it can.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
export PGRX_HOME=$CACHE/pgrx
export PATH=$CACHE/tools/bin:$PATH
# pgrx's test framework connects as $USER, which containers often leave unset.
USER=$(id -un)
export USER

# With it, pgrx puts a Rust backtrace into the DETAIL of every error; a real server is not started with it either.
unset RUST_BACKTRACE RUST_LIB_BACKTRACE

# For each `cargo` that builds: --locked, and where rustc is older than Cargo.toml asks for, what has cargo build all the
# same (1.95 does). cargo-pgrx hands PGRX_BUILD_FLAGS on to the cargo that it starts.
BUILD_FLAGS=(--locked)
CARGO_PGRX=(cargo pgrx)
RUST_VERSION=$(sed -nE 's/^rust-version *= *"([0-9.]+)".*/\1/p' "$ROOT/Cargo.toml" | head -n 1)
RUSTC_VERSION=$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)
if [ -n "$RUSTC_VERSION" ] && [ "$(printf '%s\n' "$RUST_VERSION" "$RUSTC_VERSION" | sort -V | head -n 1)" != "$RUST_VERSION" ]; then
    BUILD_FLAGS+=(--ignore-rust-version)
    CARGO_PGRX=(env "CARGO=$ROOT/scripts/older-rustc.sh" cargo-pgrx pgrx)
fi
export PGRX_BUILD_FLAGS="${BUILD_FLAGS[*]}"

# Progress counts from the start of the outermost script.
export PG_SESSION_JWT_STARTED=${PG_SESSION_JWT_STARTED:-$EPOCHSECONDS}
STEP=0
STEPS=0 # a script that knows how many steps it has sets this
STEP_WORD=step

duration() { printf '%02d:%02d' $(($1 / 60)) $(($1 % 60)); }

# One line of progress, with the minutes and seconds since the beginning.
say() { printf '[%s] %s\n' "$(duration $((EPOCHSECONDS - PG_SESSION_JWT_STARTED)))" "$*"; }

# The next step: "[01:23] step 3 of 9: format".
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

# Runs a command as the user who may run PostgreSQL. From /, because that user may be unable to read where we are.
as_server_user() {
    if is_root; then (cd / && runuser -u "$SERVER_USER" -- "$@"); else "$@"; fi
}

# The pg_config of the private tree of one major, or a failure if there is no complete tree.
# `.origin` is written last of all, so a tree without it is the rest of an interrupted run.
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

# Sets `majors` to the ones that the caller asked for, or to all of them.
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

# The exact version behind `pgrx = "=X"` or `pgrx = { version = "=X"` in Cargo.toml; cargo-pgrx must be the same.
pgrx_version() {
    sed -nE 's/^pgrx *= *(\{.*version *= *)?"=([0-9.]+)".*/\2/p' "$ROOT/Cargo.toml" | head -n 1
}

# Two runs that install into the same tree, or build in the same target directory, would test each other's library.
# So whoever does that holds this lock, on descriptor 8, and starts every command with 8>&-: a server that outlived the
# run would otherwise keep it. A script that one with the lock calls goes in with it.
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
