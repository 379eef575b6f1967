#!/usr/bin/env bash
# cargo, as cargo-pgrx starts it (CARGO=…) where rustc is older than Cargo.toml asks for: its `cargo test` takes no flags
# from anywhere else. See BUILD_FLAGS in common.sh.

flag=--ignore-rust-version
case " $* " in
    " test "* | " rustc "* | " build "*)
        if [[ " $* " != *" $flag "* ]]; then set -- "$1" $flag "${@:2}"; fi
        ;;
esac
exec cargo "$@"
