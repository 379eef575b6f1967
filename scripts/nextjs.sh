# shellcheck shell=bash
# Starts the processes of the example with Next.js (examples/nextjs): PostgreSQL, the identity provider, the gateway and the
# web server. Sourced by scripts that have created $RUN and that source todos.sh, whose stop_todos stops them.

# start_nextjs PG_CONFIG PORT GATEWAY: starts all four, the web server on the first free port from PORT on. GATEWAY is the
# gateway's program. Sets ORIGIN, the address. With TOKEN_SECONDS the provider's tokens live that long.
start_nextjs() {
    local web_port provider_port gateway_port
    install_nextjs "$3"
    # Two sites for the browser, as in production: localhost is the application, 127.0.0.1 the provider and the gateway.
    web_port=$(free_port "$2")
    provider_port=$(free_port $((web_port + 1)))
    gateway_port=$(free_port $((provider_port + 1)))
    export ORIGIN=http://localhost:$web_port ISSUER=http://127.0.0.1:$provider_port
    export AUDIENCE=urn:example:todos CLIENT_ID=todos CLIENT_SECRET REDIRECT_URI=$ORIGIN/auth/callback
    export TOKEN_SECONDS=${TOKEN_SECONDS:-60}
    CLIENT_SECRET=$(openssl rand -hex 32)
    export DATABASE_AUTHENTICATED_URL=postgresql://authenticated@localhost/todos
    export NEXT_PUBLIC_DATABASE_AUTHENTICATED_URL=$DATABASE_AUTHENTICATED_URL
    export NEXT_PUBLIC_FETCH_ENDPOINT=http://127.0.0.1:$gateway_port/sql
    export NEXT_TELEMETRY_DISABLED=1

    say "1 of 4: starting PostgreSQL, the provider and the gateway"
    create_nextjs_database "$1"
    start_job openid '^ready' node "$RUN/openid/provider.js"
    start_job gateway listening "$RUN/gateway" --listen "127.0.0.1:$gateway_port" --postgres "$PGHOST" --database todos \
        --allow-origin "$ORIGIN"
    say "2 of 4: running the migrations of Drizzle as the owner of the tables"
    in_nextjs migrate env DATABASE_URL="postgresql://todos_owner@localhost/todos?host=$PGHOST" node_modules/.bin/drizzle-kit migrate
    say "3 of 4: building the application with Next.js; this takes about half a minute"
    in_nextjs build node_modules/.bin/next build
    say "4 of 4: starting the application"
    start_job next Ready env -C "$RUN/nextjs" node_modules/.bin/next start -H 127.0.0.1 -p "$web_port"
}

# Copies the application, the provider and the gateway into the run directory: the build writes beside the sources.
install_nextjs() { # gateway
    local directory
    mkdir -p "$RUN/log"
    for directory in nextjs openid; do
        if is_root; then install -d -o "$SERVER_USER" "$RUN/$directory"; else mkdir "$RUN/$directory"; fi
    done
    tar -C "$ROOT/examples/nextjs" --exclude=./node_modules --exclude=./.next -c . \
        | as_server_user tar -C "$RUN/nextjs" --no-same-owner -x
    cp "$ROOT"/examples/todos/{package.json,provider.js,style.css} "$RUN/openid/"
    cp "$1" "$RUN/gateway"
    ln -s "$(node_modules_of examples/nextjs)" "$RUN/nextjs/node_modules"
    ln -s "$(node_modules_of examples/todos)" "$RUN/openid/node_modules"
}

create_nextjs_database() { # pg_config
    local bin
    bin=$("$1" --bindir)
    # Only this user and root can reach the server, so it needs no password. No leeway: it has the provider's clock, and the
    # example shows a token that has just expired.
    start_server "$1" nextjs-server "shared_preload_libraries = '$EXTENSION'" "$EXTENSION.client_keys = off" \
        "$EXTENSION.claims_fallback = off" "$EXTENSION.leeway = 0" "unix_socket_permissions = 0700"
    "$bin/createdb" todos
    {
        "$bin/psql" -Xq -v ON_ERROR_STOP=1 -d todos -v issuer="$ISSUER" -v jwks_url="$ISSUER/jwks" -v audience="$AUDIENCE" \
            -f "$ROOT/examples/nextjs/database.sql"
        "$bin/psql" -Xq -d todos -f "$ROOT/gateway/setup.sql"
    } || die "could not create the database of the example"
}

# in_nextjs NAME COMMAND …: runs a command in the application's copy; shows its output only if it fails.
in_nextjs() {
    local log=$RUN/log/$1
    shift
    if ! as_server_user env -C "$RUN/nextjs" HOME="$RUN/nextjs" "$@" >"$log" 2>&1 </dev/null 8>&-; then
        cat "$log" >&2
        die "this failed: $*"
    fi
}
