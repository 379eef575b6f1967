# shellcheck shell=bash
# The parts of the example (examples/todos), each a process of its own: PostgreSQL, the identity provider, the web server.
# Sourced by scripts that have made $RUN.

# The first port that nobody listens on, from this one on.
free_port() {
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    printf '%s\n' "$port"
}

# start_todos PG_CONFIG PORT: starts everything, the web server on the first free port from PORT on. Sets ORIGIN, its address.
start_todos() {
    local bin web_port provider_port
    bin=$("$1" --bindir)
    mkdir "$RUN/example" "$RUN/log"
    cp "$ROOT"/examples/todos/*.* "$RUN/example/"
    ln -s "$(node_modules_of ../examples/todos)" "$RUN/example/node_modules"

    # Two sites for the browser, as in real life: localhost is the application's, 127.0.0.1 the provider's.
    web_port=$(free_port "$2")
    provider_port=$(free_port $((web_port + 1)))
    export ORIGIN=http://localhost:$web_port ISSUER=http://127.0.0.1:$provider_port
    export AUDIENCE=urn:example:todos CLIENT_ID=todos CLIENT_SECRET
    CLIENT_SECRET=$(openssl rand -hex 32)

    # Only this user and root reach the server: it asks for no password, and it may run for long.
    start_server "$1" server "shared_preload_libraries = '$EXTENSION'" "unix_socket_permissions = 0700"
    "$bin/createdb" todos
    "$bin/psql" -Xq -v ON_ERROR_STOP=1 -d todos -v issuer="$ISSUER" -v jwks_url="$ISSUER/jwks" -v audience="$AUDIENCE" \
        -f "$ROOT/examples/todos/database.sql" \
        || die "the database of the example could not be made"
    start_node provider
    start_node server PORT="$web_port" PGUSER=web PGDATABASE=todos
}

# start_node NAME [VARIABLE=VALUE …]: starts a program of the example as a job of this script, and waits until it is ready.
start_node() {
    local log=$RUN/log/$1 program=$RUN/example/$1.js began=$EPOCHSECONDS as=()
    shift
    if is_root; then as=(runuser -u "$SERVER_USER" --); fi
    # exec: else the job is a shell, which ends by a signal without handing it on. runuser does hand it on.
    (cd / && exec "${as[@]}" env "$@" node "$program") >"$log" 2>&1 </dev/null 8>&- &
    until grep -qs '^ready' "$log"; do
        if ! kill -0 $! 2>/dev/null || [ $((EPOCHSECONDS - began)) -gt 60 ]; then
            cat "$log" >&2
            die "$(basename -- "$program") did not start"
        fi
        sleep 0.1
    done
}

# Nothing stays: neither the jobs of this script nor the server.
stop_todos() {
    trap '' INT TERM HUP
    local jobs
    jobs=$(jobs -p)
    # shellcheck disable=SC2086 # several numbers
    if [ -n "$jobs" ]; then { kill -TERM $jobs; wait $jobs; } 2>/dev/null || true; fi
    remove_run_directory
}
