# shellcheck shell=bash
# Creates keys and signs tokens (RFC 7515 to 7519). Sourced by scripts that have created $RUN. A key is $RUN/keys/NAME.pem.
#
# Written by hand, with openssl and the shell: the demo shows tokens that no code of this project made.

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# token HEADER CLAIMS SIGNER …: prints header.claims.signature. The signer reads the signed text and writes the signature.
token() {
    local signed signature
    signed=$(printf '%s' "$1" | base64url).$(printf '%s' "$2" | base64url)
    shift 2
    signature=$(printf '%s' "$signed" | "$@" | base64url)
    printf '%s.%s' "$signed" "$signature"
}

# ---- keys -----------------------------------------------------------------------------------------------------------

new_key() { # NAME, then the algorithm as openssl names it
    mkdir -p "$RUN/keys"
    openssl genpkey -out "$RUN/keys/$1.pem" -algorithm "${@:2}" 2>"$RUN/keys/$1.log" \
        || { cat "$RUN/keys/$1.log" >&2; die "openssl could not create a key"; }
}

new_rsa_key() { new_key "$1" RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:65537; }

public_pem() { openssl pkey -in "$RUN/keys/$1.pem" -pubout; }

# Prints the public key as a JWK. openssl writes the modulus as hexadecimal digits; the exponent is the 65537 of new_rsa_key.
rsa_jwk() {
    local modulus
    modulus=$(openssl rsa -in "$RUN/keys/$1.pem" -noout -modulus)
    modulus=$(printf '%b' "$(sed 's/../\\x&/g' <<<"${modulus#Modulus=}")" | base64url)
    printf '{"kty":"RSA","use":"sig","alg":"RS256","kid":"%s","n":"%s","e":"AQAB"}' "$1" "$modulus"
}

# The last 32 bytes of the DER form are the key. A startup packet separates options by spaces, so there are none.
ed25519_jwk() {
    printf '{"kty":"OKP","crv":"Ed25519","x":"%s"}' \
        "$(openssl pkey -in "$RUN/keys/$1.pem" -pubout -outform DER | tail -c 32 | base64url)"
}

# ---- signers --------------------------------------------------------------------------------------------------------

rs256() { openssl dgst -sha256 -sign "$RUN/keys/$1.pem"; }

hs256() { openssl dgst -sha256 -hmac "$1" -binary; }

# Ed25519 signs a whole message. OpenSSL 3.0 needs its length first, so the message must be a file.
eddsa() {
    cat >"$RUN/keys/signed"
    openssl pkeyutl -sign -rawin -inkey "$RUN/keys/$1.pem" -in "$RUN/keys/signed"
}
