#!/usr/bin/env bash
# The cargo that cargo-pgrx starts (CARGO=…) if rustc is older than Cargo.toml requires. Written by hand because cargo-pgrx
# passes no other flags to `cargo test`. See BUILD_FLAGS in common.sh.

flag=--ignore-rust-version
case " $* " in
    " test "* | " rustc "* | " build "*)
        if [[ " $* " != *" $flag "* ]]; then set -- "$1" $flag "${@:2}"; fi
        ;;
esac
exec cargo "$@"
