# shellcheck shell=bash
# Throw-away PostgreSQL servers: each lives in one directory of a run, listens on a socket in it and on no port, and is
# gone when the run is. Sourced.
#
# No port at all, because two runs on one machine then cannot meet, whatever else listens there.

# A private directory for this run, removed with every server in it when the script ends, however it ends.
# Directly below /tmp as a rule: the name of a socket may have 107 bytes at most.
make_run_directory() {
    RUN=$(mktemp -d "${TMPDIR:-/tmp}/pgsj.XXXXXX")
    chmod 755 "$RUN"
    trap remove_run_directory EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

remove_run_directory() {
    trap '' INT TERM HUP # a second Ctrl-C must not leave half of it
    stop_servers_in "$RUN"
    rm -rf "$RUN"
}

# start_server PG_CONFIG NAME [SETTING …]: initialises and starts a server in $RUN/NAME, with the superuser `postgres`.
# A SETTING is a line of postgresql.conf. Points libpq's environment variables at the server. SERVER_PROGRAM, if set, is
# what is started in place of `postgres`.
start_server() {
    local bin data=$RUN/$2/data directory=$RUN/$2
    bin=$("$1" --bindir)
    shift 2
    if is_root; then install -d -o "$SERVER_USER" "$directory"; else mkdir "$directory"; fi
    as_server_user "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$directory.initdb.log" 2>&1 \
        || { cat "$directory.initdb.log" >&2; die "initdb failed"; }
    # Durability is worth nothing to a server that will be deleted.
    printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$directory'" "fsync = off" "$@" \
        | as_server_user tee -a "$data/postgresql.conf" >/dev/null
    as_server_user "$bin/pg_ctl" ${SERVER_PROGRAM:+-p "$SERVER_PROGRAM"} -D "$data" -l "$directory/log" -w -s start 8>&- \
        || { cat "$directory/log" >&2; die "the throw-away server did not start"; }
    export PGHOST=$directory PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    unset PGOPTIONS PGSERVICE PGPASSWORD PGSSLMODE
}

# Stops every server whose data directory is below a directory, also those that a killed test runner left there.
stop_servers_in() {
    local pid_file pid IFS=$' \t\n' # a trap may run while somebody else's IFS is in force
    while read -r pid_file; do
        pid=$(head -n 1 "$pid_file" 2>/dev/null) || continue
        # The number may belong to somebody else by now: a postmaster has its data directory on its command line.
        if ! grep -qsF "$(dirname -- "$pid_file")" "/proc/$pid/cmdline"; then continue; fi
        kill -QUIT "$pid" 2>/dev/null || continue # immediate shutdown: nothing is worth saving
        for _ in $(seq 100); do
            # A zombie is gone but for its parent, which may be slow to notice.
            grep -qs '^State:.[^Z]' "/proc/$pid/status" || break
            sleep 0.1
        done
    done < <(find "$1" -name postmaster.pid 2>/dev/null)
}
