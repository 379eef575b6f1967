# shellcheck shell=bash
# The release build, with progress lines instead of cargo's output. Sourced.

# install_release MAJOR PG_CONFIG: builds the extension and installs it into a private tree. The caller holds the lock of the cache.
install_release() {
    say "building for release; this takes some minutes the first time and seconds later"
    cd "$ROOT" || return 1
    build_release cargo pgrx install --release --no-default-features --features "pg$1" --pg-config "$2"
    say "installed into $("$2" --pkglibdir)"
}

# Builds the gateway. Sets GATEWAY, its program.
build_gateway() {
    say "building the gateway; this takes some minutes the first time and seconds later"
    cd "$ROOT" || return 1
    build_release cargo build "${BUILD_FLAGS[@]}" --release -p "${EXTENSION}_gateway"
    GATEWAY=$CARGO_TARGET_DIR/release/${EXTENSION}_gateway
}

build_release() { # command …
    local line crates=0 told=$EPOCHSECONDS
    if ! "$@" 2>&1 8>&- | tee -i "$RUN/build.log" | while IFS= read -r line; do
        case $line in
            *"Compiling $EXTENSION "*) say "compiling the extension itself, with link-time optimisation" ;;
            *Compiling*)
                crates=$((crates + 1))
                if [ $((EPOCHSECONDS - told)) -ge 10 ]; then
                    told=$EPOCHSECONDS
                    say "still building: $crates libraries so far"
                fi
                ;;
        esac
    done; then
        cat "$RUN/build.log" >&2
        die "the build failed"
    fi
}
