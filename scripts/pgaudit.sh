# shellcheck shell=bash
# Installs pgAudit, whose log the tests of auth.check() compare with its findings, into the private tree of a major. Sourced
# by setup.sh.
#
# Written by hand: the library belongs to one major, so only a tree that is a copy of the machine's PostgreSQL can have it.
# Its files are unpacked into the tree; nothing is installed on the machine. Tests skip what needs it where it is missing.

has_pgaudit() {
    local pg_config
    pg_config=$(pg_config_of "$1") && [ -s "$("$pg_config" --pkglibdir)/pgaudit.so" ]
}

# Installs it into the tree of one major, if an apt source has it for this major and it is not installed. Prints the reason
# and returns 1 if it cannot be fetched.
put_pgaudit() {
    local package=postgresql-$1-pgaudit work=$CACHE/build/pgaudit-$1 log=$CACHE/build/pgaudit.log
    if has_pgaudit "$1" || ! grep -qs '^system ' "$CACHE/pg/$1/.origin"; then return 0; fi
    if is_root && ! apt-cache show "$package" >/dev/null 2>&1; then apt-get update -qq || true; fi
    if ! apt-cache show "$package" >/dev/null 2>&1; then
        say "PostgreSQL $1: no apt source of this machine has $package"
        return 0
    fi
    rm -rf "$work"
    mkdir -p "$work"
    # Otherwise apt gives up root's rights and cannot write here.
    if ! (cd "$work" && apt-get -o APT::Sandbox::User=root download "$package" && dpkg-deb -x ./*.deb tree) >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        say "pgAudit: $package could not be fetched"
        return 1
    fi
    # The library last: it marks pgAudit as installed.
    cp "$work"/tree/usr/share/postgresql/"$1"/extension/pgaudit* "$("$(pg_config_of "$1")" --sharedir)/extension/" \
        && cp "$work"/tree/usr/lib/postgresql/"$1"/lib/pgaudit.so "$("$(pg_config_of "$1")" --pkglibdir)/" || return 1
    say "PostgreSQL $1: pgAudit in its tree"
}
