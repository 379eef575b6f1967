# shellcheck shell=bash
# Throw-away PostgreSQL servers. Each has one directory of a run, listens on a socket in it and on no port, and ends with the
# run. Sourced.
#
# Without ports two runs on one machine cannot conflict.

# Creates a private directory of this run. It is deleted with every server in it when the script ends, on signals too.
# Usually directly below /tmp: the path of a socket is limited to 107 bytes.
make_run_directory() {
    RUN=$(mktemp -d "${TMPDIR:-/tmp}/pgsj.XXXXXX")
    chmod 755 "$RUN"
    trap remove_run_directory EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# Has the run directory in memory, where there is room for the servers of a whole test run (some 8 GB).
#
# Measured: 387 session tests take 105 s there, and 330 s on ext4 without a journal, both beside the same builds. Such a file
# system searches past every inode that was deleted in the last minutes before it creates a file.
prefer_memory() {
    local memory=/dev/shm gigabytes probe
    if [ -n "${TMPDIR:-}" ] || [ "$(stat -f -c %T $memory 2>/dev/null)" != tmpfs ]; then return 0; fi
    gigabytes=$(awk '$1 == "MemAvailable:" { print int($2 / 1048576) }' /proc/meminfo)
    if [ "$gigabytes" -lt 16 ] || [ "$(df --output=avail -BG $memory | tr -dc 0-9)" -lt 12 ]; then return 0; fi
    # Some tests run a copy of PostgreSQL's program, which a mount with `noexec` forbids.
    probe=$(mktemp $memory/pgsj.XXXXXX 2>/dev/null) || return 0
    if cp /bin/true "$probe" && chmod 755 "$probe" && "$probe" 2>/dev/null; then export TMPDIR=$memory; fi
    rm -f "$probe"
}

remove_run_directory() {
    trap '' INT TERM HUP # a second Ctrl-C must not interrupt this
    stop_servers_in "$RUN"
    rm -rf "$RUN"
}

# on_each_major COMMAND …: installs the extension into each of the array `majors`, and runs the command with its PG_CONFIG.
on_each_major() {
    local major pg_config
    for major in "${majors[@]}"; do
        pg_config=$(pg_config_of "$major")
        lock_cache
        step "PostgreSQL $major"
        cargo pgrx install --no-default-features --features "pg$major" --pg-config "$pg_config" 8>&-
        PG_CONFIG=$pg_config "$@" 8>&-
        unlock_cache
    done
}

# start_server PG_CONFIG NAME [SETTING …]: initialises and starts a server in $RUN/NAME, with the superuser `postgres`.
# A SETTING is a line of postgresql.conf. Points libpq's environment variables at the server. If SERVER_PROGRAM is set, it
# starts in place of `postgres`.
start_server() {
    local bin data=$RUN/$2/data directory=$RUN/$2
    bin=$("$1" --bindir)
    shift 2
    if is_root; then install -d -o "$SERVER_USER" "$directory"; else mkdir "$directory"; fi
    as_server_user "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$directory.initdb.log" 2>&1 \
        || { cat "$directory.initdb.log" >&2; die "initdb failed"; }
    # A server that will be deleted needs no durability.
    printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$directory'" "fsync = off" "$@" \
        | as_server_user tee -a "$data/postgresql.conf" >/dev/null
    as_server_user "$bin/pg_ctl" ${SERVER_PROGRAM:+-p "$SERVER_PROGRAM"} -D "$data" -l "$directory/log" -w -s start 8>&- \
        || { cat "$directory/log" >&2; die "the throw-away server did not start"; }
    export PGHOST=$directory PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    unset PGOPTIONS PGSERVICE PGPASSWORD PGSSLMODE
}

# Stops every server whose data directory is below a directory, including those of a killed test runner.
stop_servers_in() {
    local pid_file pid IFS=$' \t\n' # a trap may run under another IFS
    while read -r pid_file; do
        pid=$(head -n 1 "$pid_file" 2>/dev/null) || continue
        # Another process may have the number now: a postmaster has its data directory on its command line.
        if ! grep -qsF "$(dirname -- "$pid_file")" "/proc/$pid/cmdline"; then continue; fi
        kill -QUIT "$pid" 2>/dev/null || continue # immediate shutdown: the data is not needed
        for _ in $(seq 100); do
            # A zombie counts as stopped: its parent may be slow to reap it.
            grep -qs '^State:.[^Z]' "/proc/$pid/status" || break
            sleep 0.1
        done
    done < <(find "$1" -name postmaster.pid 2>/dev/null)
}
