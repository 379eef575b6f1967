# shellcheck shell=bash
# The demo's identity provider. It signs tokens for its users and serves its key set over HTTP on loopback. Sourced by
# demo.sh, which has created $RUN. `kid` is the name of the current key in the set and in $RUN/keys.

KEY_SET_PATH=/.well-known/jwks.json

# Serves a directory on a free port and prints the port. http.server's own server class resolves the name of its address,
# which can be slow without a network.
KEY_SERVER='
import functools, http.server, socketserver, sys
files = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), files) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
'

# Starts the server as a job of this script. Sets `issuer`, the provider's URL.
start_provider() {
    local port began=$EPOCHSECONDS
    mkdir -p "$RUN/provider$(dirname -- "$KEY_SET_PATH")"
    : >"$RUN/provider.port"
    python3 -c "$KEY_SERVER" "$RUN/provider" >"$RUN/provider.port" 2>"$RUN/provider.log" </dev/null 8>&- &
    # `read` fails until the line is complete.
    until read -r port <"$RUN/provider.port"; do
        if ! kill -0 $! 2>/dev/null || [ $((EPOCHSECONDS - began)) -gt 30 ]; then
            cat "$RUN/provider.log" >&2
            die "the identity provider did not start"
        fi
        sleep 0.05
    done
    issuer=http://127.0.0.1:$port
}

# publish KID: makes this the current key and the only one in the set.
publish() {
    local set=$RUN/provider$KEY_SET_PATH
    kid=$1
    printf '{"keys":[%s]}\n' "$(rsa_jwk "$kid")" >"$set.new"
    mv "$set.new" "$set" # atomic
    tell "$issuer$KEY_SET_PATH now contains:" ""
    sed -E 's/("n":"[^"]{12})[^"]*/\1…/; s/^/    /' "$set"
}

# claims_of WHO [EXPIRES_IN [AUDIENCE]]: prints the claims of a user.
claims_of() {
    printf '{"iss":"%s","aud":"%s","sub":"%s","iat":%s,"exp":%s}' \
        "$issuer" "${3:-todos}" "$1" "$EPOCHSECONDS" $((EPOCHSECONDS + ${2:-300}))
}

# Prints the header of a provider's token: the algorithm and the name of the key.
header_of() { printf '{"alg":"%s","kid":"%s","typ":"JWT"}' "$1" "$kid"; }

# provided CLAIMS [KEY]: prints a token of the provider, or one that is signed with another key.
provided() { token "$(header_of RS256)" "$1" rs256 "${2:-$kid}"; }

# sign_in WHO: sets `current` to a token of the provider for this user.
sign_in() {
    local claims
    claims=$(claims_of "$1")
    tell "" "The provider signs for $1, with key $kid:" "    $claims"
    current=$(provided "$claims")
}

# must_have_fetched COUNT: the log of the HTTP server must show so many fetches of the key set.
must_have_fetched() {
    local log
    log=$(grep -F "\"GET $KEY_SET_PATH HTTP/1.1\" 200 " "$RUN/provider.log" || true)
    tell "The provider's log:"
    sed 's/^/       /' <<<"$log"
    answer="fetched $(grep -c . <<<"$log" || true) times"
    must_show "fetched $1 times"
}
