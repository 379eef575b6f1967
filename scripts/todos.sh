# shellcheck shell=bash
# Starts and stops the processes of the example (examples/todos): PostgreSQL, the identity provider and the web server.
# Sourced by scripts that have created $RUN.

# Prints the first free port, beginning with this one.
free_port() {
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    printf '%s\n' "$port"
}

# start_todos PG_CONFIG PORT: starts all three, the web server on the first free port from PORT on. Sets ORIGIN, its address.
start_todos() {
    local bin web_port provider_port
    bin=$("$1" --bindir)
    mkdir "$RUN/example" "$RUN/log"
    cp "$ROOT"/examples/todos/*.* "$RUN/example/"
    ln -s "$(node_modules_of examples/todos)" "$RUN/example/node_modules"

    # Two sites for the browser, as in production: localhost is the application, 127.0.0.1 the provider.
    web_port=$(free_port "$2")
    provider_port=$(free_port $((web_port + 1)))
    export ORIGIN=http://localhost:$web_port ISSUER=http://127.0.0.1:$provider_port
    export AUDIENCE=urn:example:todos CLIENT_ID=todos CLIENT_SECRET
    CLIENT_SECRET=$(openssl rand -hex 32)

    # Only this user and root can reach the server: it needs no password and can run for a long time.
    start_server "$1" server "shared_preload_libraries = '$EXTENSION'" "$EXTENSION.client_keys = off" \
        "$EXTENSION.claims_fallback = off" "unix_socket_permissions = 0700"
    "$bin/createdb" todos
    "$bin/psql" -Xq -v ON_ERROR_STOP=1 -d todos -v issuer="$ISSUER" -v jwks_url="$ISSUER/jwks" -v audience="$AUDIENCE" \
        -f "$ROOT/examples/todos/database.sql" \
        || die "could not create the database of the example"
    start_node provider
    start_node server PORT="$web_port" PGUSER=web PGDATABASE=todos
}

# start_node NAME [VARIABLE=VALUE …]: starts a program of the example as a job of this script and waits until it is ready.
start_node() {
    local name=$1
    shift
    start_job "$name" '^ready' env "$@" node "$RUN/example/$name.js"
}

# start_job NAME PATTERN COMMAND …: starts a command as a job of this script, and waits for the PATTERN in its log.
start_job() {
    local name=$1 pattern=$2 log=$RUN/log/$1 began=$EPOCHSECONDS as=()
    shift 2
    if is_root; then as=(runuser -u "$SERVER_USER" --); fi
    # exec: otherwise the job is a shell, which ends by a signal without forwarding it. runuser forwards it.
    (cd / && exec "${as[@]}" "$@") >"$log" 2>&1 </dev/null 8>&- &
    until grep -qsE "$pattern" "$log"; do
        if ! kill -0 $! 2>/dev/null || [ $((EPOCHSECONDS - began)) -gt 60 ]; then
            cat "$log" >&2
            die "$name did not start"
        fi
        sleep 0.1
    done
}

# Stops the jobs of this script and the server.
stop_todos() {
    trap '' INT TERM HUP
    stop_jobs
    remove_run_directory
}

stop_jobs() {
    local jobs
    jobs=$(jobs -p)
    # shellcheck disable=SC2086 # several numbers
    if [ -n "$jobs" ]; then { kill -TERM $jobs; wait $jobs; } 2>/dev/null || true; fi
}
