# shellcheck shell=bash
# The gateway of the demo. Sourced by demo.sh, which has started the server and created $RUN.

# Builds and starts the gateway on a free port, in front of the server's socket. The server trusts every login.
start_gateway() {
    say "building the gateway; this takes some minutes the first time and seconds later"
    cargo build "${BUILD_FLAGS[@]}" --quiet --release -p "${EXTENSION}_gateway" 8>&-
    gateway_port=$((20000 + RANDOM % 10000))
    "$CARGO_TARGET_DIR/release/${EXTENSION}_gateway" --listen "127.0.0.1:$gateway_port" --postgres "$PGHOST" --database postgres \
        8>&- 2>"$RUN/gateway.log" &
    for _ in $(seq 100); do
        if grep -q listening "$RUN/gateway.log"; then return 0; fi
        sleep 0.1
    done
    cat "$RUN/gateway.log" >&2
    die "the gateway did not start"
}

# post TOKEN SQL: shows and sends a request as the driver does, and shows the response.
post() {
    local begin=${1:0:12}
    tell "    => curl http://127.0.0.1:$gateway_port/sql -H 'Authorization: Bearer $begin…' \\" \
        "         -H 'Neon-Connection-String: postgresql://authenticated@localhost/postgres' -d '{\"query\": \"$2\"}'"
    answer=$(curl --silent --show-error --max-time 30 "http://127.0.0.1:$gateway_port/sql" \
        -H "Authorization: Bearer $1" -H "Neon-Connection-String: postgresql://authenticated@localhost/postgres" \
        -H "Neon-Raw-Text-Output: true" -H "Neon-Array-Mode: true" -d "{\"query\": \"$2\"}")
    tell "       $answer"
}
