#!/usr/bin/env bash
# Demonstrates the extension step by step: `make demo`.
#
#   scripts/demo.sh [MAJOR]        default: the newest PostgreSQL that is already set up, else the easiest to set up
#
# Sets up one PostgreSQL, builds the extension for release into its private tree, and starts a throw-away server and a local
# identity provider. The server fetches the provider's keys. Two people share one database connection, each with a signed
# token, and row-level security gives each their own rows. Then the provider rotates its keys.
# Every result that the demo shows is also compared with the expected one: the demo fails if the extension does.
#
# Written by hand: psql shows the statements and answers as a reader would see them.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/postgres.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/build-release.sh"
. "$ROOT/scripts/demo-session.sh"
. "$ROOT/scripts/tokens.sh"
. "$ROOT/scripts/demo-provider.sh"
. "$ROOT/scripts/demo-gateway.sh"

# Stops the provider and psql, which are jobs of this script, and the server.
finish() {
    trap '' INT TERM HUP
    local IFS=$' \t\n' jobs # a signal may arrive during a `read` with another one
    jobs=$(jobs -p)
    # shellcheck disable=SC2086 # several numbers
    if [ -n "$jobs" ]; then { kill -KILL $jobs; wait $jobs; } 2>/dev/null || true; fi
    remove_run_directory
}

# ---- 1. set-up ------------------------------------------------------------------------------------------------------

if [ $# -gt 0 ]; then choose_majors "$1"; major=$1; else major=$(easiest_major); fi

heading "1. PostgreSQL $major, and the extension built for it"
tell "All files are below $CACHE; the system's own PostgreSQL does not change." ""
"$ROOT/scripts/setup.sh" "$major"
command -v python3 >/dev/null \
    || die "python3 is not on the PATH: the demo's identity provider is an HTTP server in Python (Debian, Ubuntu: package python3)"
command -v curl >/dev/null || die "curl is not on the PATH (Debian, Ubuntu: package curl)"
pg_config=$(pg_config_of "$major")
bin=$("$pg_config" --bindir)
make_run_directory
trap finish EXIT
lock_cache # until the end: the server loads the library from the tree

install_release "$major" "$pg_config"

start_server "$pg_config" demo "shared_preload_libraries = '$EXTENSION'"
say "a throw-away server is running; it listens only on a socket in $RUN"
say "shared_preload_libraries = '$EXTENSION': a background worker fetches key sets"

# ---- 2. the database ------------------------------------------------------------------------------------------------

heading "2. A shared table, and the policies that separate its rows"
tell "The administrator creates the extension and a table of todos. Drizzle's crudPolicy writes these policies: a row is" \
    "yours if its user_id is the one in your verified token. The default of user_id is the user of the token." ""
cat >"$RUN/schema.sql" <<'SQL'
CREATE EXTENSION pg_session_jwt;

CREATE TABLE todos (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     text NOT NULL DEFAULT (auth.user_id()),
    task        text NOT NULL,
    is_complete boolean NOT NULL DEFAULT false
);
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;

-- The extension has created the roles. The application logs in as `web`.
CREATE ROLE web LOGIN NOINHERIT;
GRANT authenticated, anonymous TO web;
GRANT USAGE ON SCHEMA public TO authenticated, anonymous;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO authenticated, anonymous;

CREATE POLICY "crud-authenticated-policy-select" ON todos AS PERMISSIVE FOR SELECT TO "authenticated"
    USING ((select auth.user_id() = "todos"."user_id"));
CREATE POLICY "crud-authenticated-policy-insert" ON todos AS PERMISSIVE FOR INSERT TO "authenticated"
    WITH CHECK ((select auth.user_id() = "todos"."user_id"));
CREATE POLICY "crud-authenticated-policy-update" ON todos AS PERMISSIVE FOR UPDATE TO "authenticated"
    USING ((select auth.user_id() = "todos"."user_id"))
    WITH CHECK ((select auth.user_id() = "todos"."user_id"));
CREATE POLICY "crud-authenticated-policy-delete" ON todos AS PERMISSIVE FOR DELETE TO "authenticated"
    USING ((select auth.user_id() = "todos"."user_id"));
SQL
sed -E 's/^./    &/' "$RUN/schema.sql"
server -q -f "$RUN/schema.sql" || die "the schema could not be created"
answer=$(server -At -c "select count(*) || ' policies' from pg_policies where tablename = 'todos'")
must_show "4 policies"

# ---- 3. the identity provider ---------------------------------------------------------------------------------------

heading "3. An identity provider, and how the server fetches its keys"
month=$(date +%Y-%m)
start_provider
new_rsa_key "$month-a"
tell "In production it is on the web, and its address begins with https. Here it is a small HTTP server on loopback. It signs" \
    "with its private key (openssl genpkey -algorithm RSA) and publishes the public key."
publish "$month-a"
tell "" "The administrator configures it once for the database. No other setting is needed:"
administer "alter database postgres set pg_session_jwt.providers = '[{
    \"issuer\": \"$issuer\",
    \"audience\": \"todos\",
    \"jwks_url\": \"$issuer$KEY_SET_PATH\",
    \"roles\": [\"authenticated\"]
}]';"
must_show "ALTER DATABASE"
tell "" "Which keys does the server have? It fetches them at the first use, which is this query."
keys="select kid, kty, alg, usable from auth.providers();"
administer "$keys"
must_show "$kid | RSA | RS256 | t"
must_show "(1 row)"
must_have_fetched 1

# ---- 4. two people --------------------------------------------------------------------------------------------------

heading "4. Two people use one connection, each with a token of the provider"
tell "A pooler gives each request a transaction on a shared connection. The application presents the user's token first; with" \
    "\"true\" the identity ends with the transaction."
open_session

sign_in user_alice
begin_as user_alice "$current"
ask "insert into todos (task) values ('water the plants'), ('call bob');"
must_show "INSERT 0 2"
ask "select * from todos order by id;"
must_show "| user_alice | water the plants | f"
must_show "(2 rows)"
ask "commit;"
must_show "COMMIT"
alices=$current

tell "" "The next request on the same connection is bob's."
sign_in user_bob
begin_as user_bob "$current"
ask "insert into todos (task) values ('buy milk');"
must_show "INSERT 0 1"
ask "select * from todos order by id;"
must_show "| user_bob | buy milk | f"
must_show "(1 row)"
ask "commit;"
must_show "COMMIT"
bobs=$current

tell "" "Between the requests the session is anonymous:"
ask "select auth.user_id() is null as anonymous;"
must_show " t"

heading "5. What bob cannot do"
tell "bob cannot see alice's rows. He can neither change nor delete them, nor add rows in her name."
begin_as user_bob "$bobs"
ask "update todos set task = 'call eve' where user_id = 'user_alice';"
must_show "UPDATE 0"
ask "delete from todos where user_id = 'user_alice';"
must_show "DELETE 0"
ask "insert into todos (user_id, task) values ('user_alice', 'give bob the house');"
must_be_rejected 'new row violates row-level security policy for table "todos"' 42501
ask "rollback;"
begin_as user_bob "$bobs"
ask "update todos set user_id = 'user_alice' where user_id = 'user_bob';"
must_be_rejected 'new row violates row-level security policy for table "todos"' 42501
ask "rollback;"
tell "" "He can change and delete his own row:"
begin_as user_bob "$bobs"
ask "update todos set is_complete = true where task = 'buy milk';"
must_show "UPDATE 1"
ask "delete from todos where is_complete returning task;"
must_show "DELETE 1"
ask "commit;"

tell "" "alice's rows have not changed. Her application now sets her identity for the whole connection, as with a pooler in" \
    "session mode:"
ask "select auth.jwt_session_init('$alices');"
must_be user_alice
ask "update todos set is_complete = true where task = 'call bob';"
must_show "UPDATE 1"
ask "select * from todos order by id;"
must_show "| user_alice | water the plants | f"
must_show "| user_alice | call bob         | t"
must_show "(2 rows)"

# ---- 6. rejected tokens ---------------------------------------------------------------------------------------------

heading "6. Rejected tokens"
new_rsa_key stranger
claims=$(claims_of user_bob)

tell "Forged: a token signed for bob, with alice's name in place of his and the same signature."
real=$(provided "$claims")
must_reject "${real%%.*}.$(claims_of user_alice | base64url).${real##*.}" "invalid JWT signature"

tell "" "Foreign: a well-formed token that names the provider's key, signed by a stranger with another key."
must_reject "$(provided "$claims" stranger)" "invalid JWT signature"

tell "" "Confused: signed with HS256, which signs and verifies with the same key. The stranger used the provider's public key."
must_reject "$(token "$(header_of HS256)" "$claims" hs256 "$(public_pem "$kid")"$'\n')" "JWT signature algorithm does not match the key"

tell "" "Another audience: the provider signed it for bob, for use in another application."
must_reject "$(provided "$(claims_of user_bob 300 photos)")" "JWT is intended for another audience"

tell "" "Expired: signed by the provider, but expired an hour ago."
must_reject "$(provided "$(claims_of user_bob -3600)")" "Token used after it has expired"

tell "" "A wrong signature can mean that the provider has changed its key. The server fetched the key set again for each of the" \
    "two, and found the same key. A limit keeps such tokens from flooding the provider."
must_have_fetched 3

tell "" "A rejected token does not change the current identity:"
ask "select auth.user_id();"
must_show " user_alice"

# ---- 7. rotation ----------------------------------------------------------------------------------------------------

heading "7. The provider rotates its keys"
new_rsa_key "$month-b"
tell "It creates a new key and publishes only that. The server is not notified."
publish "$month-b"

tell "" "alice's next token is signed with the new key, which the server does not have yet. The server fetches the key set again" \
    "during this statement:"
sign_in user_alice
begin_as user_alice "$current"
ask "select task from todos order by id;"
must_show "water the plants"
must_show "(2 rows)"
ask "commit;"
must_show "COMMIT"
must_have_fetched 4

tell "" "The server needed no restart and no new setting. It no longer has the retired key:"
administer "$keys"
must_show "$kid | RSA | RS256 | t"
must_show "(1 row)"

tell "" "Tokens of the retired key are rejected, although they have not expired. First bob's token:"
must_reject "$bobs" "no key matches the key ID of the JWT"
tell "" "Then alice's, which has been the identity of this connection since section 5:"
ask "select auth.user_id();"
must_be_rejected "no key matches the key ID of the JWT"

# ---- 8. without a token ---------------------------------------------------------------------------------------------

heading "8. Without a token there are no rows"
tell "alice presents her new token. Then RESET ALL, which a pooler sends between two clients, ends her identity."
ask "select auth.jwt_session_init('$current');"
must_be user_alice
ask "RESET ALL;"
ask "select auth.user_id() is null as anonymous;"
must_show " t"
ask "select * from todos;"
must_show "(0 rows)"
ask "insert into todos (task) values ('hello?');"
must_show "ERROR:"
must_show "SQLSTATE 42501"
close_session

tell "" "Another connection never presents a token and uses the role for visitors:"
open_session
ask "set role anonymous;"
ask "select * from todos;"
must_show "(0 rows)"
close_session

# ---- 9. the gateway -------------------------------------------------------------------------------------------------

heading "9. A browser's SQL, through the gateway"
tell "The gateway serves Neon's serverless driver. It has no key: it passes the token to PostgreSQL, as one transaction. A" \
    "script creates its login, which may only switch to the roles:" "" "    psql -f gateway/setup.sql"
server -q -f "$ROOT/gateway/setup.sql" >/dev/null 2>&1 || die "the gateway's login could not be created"
start_gateway
sign_in user_alice
post "$current" "select task from todos where not is_complete"
must_show '"rows":[["water the plants"]]'
sign_in user_bob
post "$current" "select task from todos"
must_show '"rows":[]'
post "$(provided "$(claims_of user_bob -3600)")" "select task from todos"
must_show '"message":"Token used after it has expired"'

# ---- 10. the proxy's connection --------------------------------------------------------------------------------------

heading "10. A trusted proxy with its own key, without a provider"
tell "A proxy that opens the connections can sign tokens for its users itself. It creates a key pair (openssl genpkey -algorithm" \
    "ed25519) and sends the public key in the startup packet of its connection:" ""
new_key proxy ed25519
options="-c pg_session_jwt.jwk=$(ed25519_jwk proxy)"
proxied() { token '{"alg":"EdDSA"}' "$1" eddsa proxy; }
tell "    PGOPTIONS='$options'" "" "While the database has providers, such a key is ignored:"
open_session "$options"
must_reject "$(proxied "{\"sub\":\"user_alice\",\"jti\":1}")" "JWT issuer is not trusted"
close_session
tell "" "The administrator removes the providers, which applies to new connections:"
administer "alter database postgres reset pg_session_jwt.providers;"
must_show "ALTER DATABASE"
open_session "$options"
ask "select auth.init();"
must_show "(1 row)"

# Presents the proxy's next token. Proxy mode requires that jti increases.
jti=0
present() { # WHO
    jti=$((jti + 1))
    local claims="{\"sub\":\"$1\",\"jti\":$jti,\"exp\":$((EPOCHSECONDS + 300))}"
    tell "" "The proxy signs for $1:  $claims"
    current=$(proxied "$claims")
    ask "select auth.jwt_session_init('$current');"
    must_be "$1"
}

present user_alice
ask "select count(*) || ' rows' as mine from todos;"
must_show "2 rows"
alices=$current
present user_bob
ask "select count(*) || ' rows' as mine from todos;"
must_show "0 rows"

tell "" "Replayed: the same token that alice used above. Its jti is not greater than the last one."
must_reject "$alices" "Token ID must be strictly monotonically increasing."
ask "select auth.user_id();"
must_show " user_bob"
close_session

answer=$(server -At -c "select count(*) || ' rows of alice' from todos where user_id = 'user_alice'")
must_show "2 rows of alice"

heading "What you have seen"
tell "PostgreSQL $major verified each token itself, and row-level security used its claims: alice and bob shared one connection," \
    "and neither could see or change the other's rows. The server fetched the provider's keys, and fetched them again after" \
    "the rotation: the next token was accepted, and those of the retired key were rejected. It rejected forged, foreign," \
    "expired and replayed tokens with SQLSTATE 28000. Without a token there were no rows." \
    "$checks results were checked, all as expected." \
    "" \
    "Next: README.md describes how to install the extension into your own PostgreSQL (make install PG_CONFIG=…), how to" \
    "configure your provider and how to write policies. The throw-away server and the provider are stopped and deleted."
