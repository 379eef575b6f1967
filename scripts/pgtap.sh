# shellcheck shell=bash
# pgTAP, with which docs/testing-policies.md tests policies, in the private tree of each major. Sourced by setup.sh.
#
# The distribution has it for its own major. It is SQL alone and asks the server what it is, so that one package serves all
# majors: its files are unpacked into the trees, and nothing is installed on the machine.

has_pgtap() {
    local pg_config
    pg_config=$(pg_config_of "$1") && [ -s "$("$pg_config" --sharedir)/extension/pgtap.control" ]
}

# Puts it into the tree of one major if it is not there. On failure says why and returns 1.
put_pgtap() {
    local work=$CACHE/build/pgtap package extension log=$CACHE/build/pgtap.log
    if has_pgtap "$1"; then return 0; fi
    if ! [ -f "$work/.complete" ]; then
        rm -rf "$work"
        mkdir -p "$work"
        # The newest that there is; the lists of a fresh container are empty.
        if is_root && [ -z "$(pgtap_package)" ]; then apt-get update -qq || true; fi
        package=$(pgtap_package)
        [ -n "$package" ] || { say "pgTAP: no apt source of this machine has a package postgresql-N-pgtap"; return 1; }
        # A name of no user: apt would give up root's rights, and then could not write here.
        if ! (cd "$work" && apt-get -o APT::Sandbox::User=root download "$package" && dpkg-deb -x ./*.deb tree) >"$log" 2>&1; then
            tail -n 5 "$log" >&2
            say "pgTAP: $package could not be fetched"
            return 1
        fi
        touch "$work/.complete"
    fi
    extension=$("$(pg_config_of "$1")" --sharedir)/extension
    # The control file last: with it the extension is there.
    cp "$work"/tree/usr/share/postgresql/*/extension/pgtap*.sql "$extension/" \
        && cp "$work"/tree/usr/share/postgresql/*/extension/pgtap.control "$extension/" || return 1
    say "PostgreSQL $1: pgTAP in $extension"
}

pgtap_package() { apt-cache search --names-only '^postgresql-[0-9]+-pgtap$' 2>/dev/null | cut -d ' ' -f 1 | sort -V | tail -n 1; }
