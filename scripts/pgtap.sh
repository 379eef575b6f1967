# shellcheck shell=bash
# Installs pgTAP, which docs/testing-policies.md uses, into the private tree of each major. Sourced by setup.sh.
#
# Written by hand: the distribution packages pgTAP for its own major only. pgTAP is SQL that checks the server's version, so
# one package serves all majors. Its files are unpacked into the trees; nothing is installed on the machine.

has_pgtap() {
    local pg_config
    pg_config=$(pg_config_of "$1") && [ -s "$("$pg_config" --sharedir)/extension/pgtap.control" ]
}

# Installs it into the tree of one major unless it is installed. On failure prints the reason and returns 1.
put_pgtap() {
    local work=$CACHE/build/pgtap package extension log=$CACHE/build/pgtap.log
    if has_pgtap "$1"; then return 0; fi
    if ! [ -f "$work/.complete" ]; then
        rm -rf "$work"
        mkdir -p "$work"
        # The newest available one. The package lists of a new container are empty.
        if is_root && [ -z "$(pgtap_package)" ]; then apt-get update -qq || true; fi
        package=$(pgtap_package)
        [ -n "$package" ] || { say "pgTAP: no apt source of this machine has a package postgresql-N-pgtap"; return 1; }
        # Otherwise apt gives up root's rights and cannot write here.
        if ! (cd "$work" && apt-get -o APT::Sandbox::User=root download "$package" && dpkg-deb -x ./*.deb tree) >"$log" 2>&1; then
            tail -n 5 "$log" >&2
            say "pgTAP: $package could not be fetched"
            return 1
        fi
        touch "$work/.complete"
    fi
    extension=$("$(pg_config_of "$1")" --sharedir)/extension
    # The control file last: it marks the extension as installed.
    cp "$work"/tree/usr/share/postgresql/*/extension/pgtap*.sql "$extension/" \
        && cp "$work"/tree/usr/share/postgresql/*/extension/pgtap.control "$extension/" || return 1
    say "PostgreSQL $1: pgTAP in $extension"
}

pgtap_package() { apt-cache search --names-only '^postgresql-[0-9]+-pgtap$' 2>/dev/null | cut -d ' ' -f 1 | sort -V | tail -n 1; }
