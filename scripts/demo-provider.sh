# shellcheck shell=bash
# The demo's identity provider: it signs tokens for its users, and serves its key set over HTTP on loopback. Sourced by
# demo.sh, which has made $RUN. The current key's name, under which it is in the set and in $RUN/keys, is `kid`.

KEY_SET_PATH=/.well-known/jwks.json

# Serves a folder on a port that is free, which the system chooses, and writes the port. Not with http.server's own
# server class: that one asks for the name of its address, which can take long without a network.
KEY_SERVER='
import functools, http.server, socketserver, sys
files = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), files) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
'

# Starts the server, which is a job of this script until the end. Sets `issuer`, the provider's URL.
start_provider() {
    local port began=$EPOCHSECONDS
    mkdir -p "$RUN/provider$(dirname -- "$KEY_SET_PATH")"
    : >"$RUN/provider.port"
    python3 -c "$KEY_SERVER" "$RUN/provider" >"$RUN/provider.port" 2>"$RUN/provider.log" </dev/null 8>&- &
    # A line without its end, or none, is not read: it has not said all of it yet.
    until read -r port <"$RUN/provider.port"; do
        if ! kill -0 $! 2>/dev/null || [ $((EPOCHSECONDS - began)) -gt 30 ]; then
            cat "$RUN/provider.log" >&2
            die "the identity provider did not start"
        fi
        sleep 0.05
    done
    issuer=http://127.0.0.1:$port
}

# publish KID: this is the current key now, and the set has no other.
publish() {
    local set=$RUN/provider$KEY_SET_PATH
    kid=$1
    printf '{"keys":[%s]}\n' "$(rsa_jwk "$kid")" >"$set.new"
    mv "$set.new" "$set" # whole, or not at all
    tell "$issuer$KEY_SET_PATH is now:" ""
    sed -E 's/("n":"[^"]{12})[^"]*/\1…/; s/^/    /' "$set"
}

# claims_of WHO [EXPIRES_IN [AUDIENCE]]: what the provider says of a user.
claims_of() {
    printf '{"iss":"%s","aud":"%s","sub":"%s","iat":%s,"exp":%s}' \
        "$issuer" "${3:-todos}" "$1" "$EPOCHSECONDS" $((EPOCHSECONDS + ${2:-300}))
}

# What the header of a provider's token says: the algorithm, and the key by its name.
header_of() { printf '{"alg":"%s","kid":"%s","typ":"JWT"}' "$1" "$kid"; }

# provided CLAIMS [KEY]: a token as the provider makes it, or as somebody else does with a key of their own.
provided() { token "$(header_of RS256)" "$1" rs256 "${2:-$kid}"; }

# sign_in WHO: the provider gives them a token, which is in `current`.
sign_in() {
    local claims
    claims=$(claims_of "$1")
    tell "" "The provider signs for $1, with key $kid:" "    $claims"
    current=$(provided "$claims")
}

# must_have_fetched COUNT: so often the key set was asked for and given, as the log of the HTTP server has it.
must_have_fetched() {
    local log
    log=$(grep -F "\"GET $KEY_SET_PATH HTTP/1.1\" 200 " "$RUN/provider.log" || true)
    tell "The provider's log:"
    sed 's/^/       /' <<<"$log"
    answer="fetched $(grep -c . <<<"$log" || true) times"
    must_show "fetched $1 times"
}
