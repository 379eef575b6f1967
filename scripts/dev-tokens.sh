#!/usr/bin/env bash
# A provider of your own for trying the extension out, made with OpenSSL 3: prints assignments for the shell.
#
#   eval "$(scripts/dev-tokens.sh)"
#
# PROVIDERS is a value for pg_session_jwt.providers. ALICE and BOB are tokens for one hour. EXPIRED ended an
# hour ago. The Ed25519 key stays in the file that DEV_KEY names (default: dev-key.pem), so later
# runs sign for the same provider. It depends on nothing else in the repository: a copy of the file is enough.

set -euo pipefail
key=${DEV_KEY:-dev-key.pem}
issuer=https://dev.example/
audience=https://api.dev.example/
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# token CLAIMS: header.claims.signature. Ed25519 signs a message as a whole, and OpenSSL 3.0 reads it from a file only.
token() {
    printf '%s.%s' "$(printf '{"alg":"EdDSA"}' | base64url)" "$(printf '%s' "$1" | base64url)" >"$scratch"
    printf '%s.%s' "$(cat "$scratch")" "$(openssl pkeyutl -sign -rawin -inkey "$key" -in "$scratch" | base64url)"
}

# token_of USER SECONDS: a token that expires in so many seconds.
token_of() { token '{"iss":"'$issuer'","aud":"'$audience'","sub":"'"$1"'","email":"'"$1"'@example.com","exp":'$(($(date +%s) + $2))'}'; }

[ -e "$key" ] || (umask 077 && openssl genpkey -algorithm ed25519 -out "$key")
# The last 32 bytes of the DER form are the public key.
x=$(openssl pkey -in "$key" -pubout -outform DER | tail -c 32 | base64url)

echo "PROVIDERS='[{\"issuer\":\"$issuer\",\"audience\":\"$audience\",\"roles\":[\"authenticated\"],\"jwks\":{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"$x\"}]}}]'"
echo "ALICE='$(token_of alice 3600)'"
echo "BOB='$(token_of bob 3600)'"
echo "EXPIRED='$(token_of alice -3600)'"
