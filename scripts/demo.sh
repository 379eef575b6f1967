#!/usr/bin/env bash
# From nothing to a result that a person understands: `make demo`.
#
#   scripts/demo.sh [MAJOR]        default: a PostgreSQL that is here already, newest first; else what can be had
#
# Sets up one PostgreSQL, builds the extension for release into its private tree, starts a throw-away server and a local
# identity provider, and shows the main job: the server fetches the provider's keys, two people share one database
# connection, each proves with a signed token who they are, and row-level security gives each their own rows. Then the
# provider rotates its keys. Keys and tokens are made by openssl and the shell, outside of the extension.
# Each result that is shown is also compared with what it must be: the demo fails if the extension does.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/postgres.sh"
. "$ROOT/scripts/server.sh"
. "$ROOT/scripts/build-release.sh"
. "$ROOT/scripts/demo-session.sh"
. "$ROOT/scripts/demo-tokens.sh"
. "$ROOT/scripts/demo-provider.sh"

# Nothing stays: neither the provider nor a psql, which are jobs of this script, nor the server.
finish() {
    trap '' INT TERM HUP
    local IFS=$' \t\n' jobs # a signal may have come in the middle of a `read` that has another one
    jobs=$(jobs -p)
    # shellcheck disable=SC2086 # several numbers
    if [ -n "$jobs" ]; then { kill -KILL $jobs; wait $jobs; } 2>/dev/null || true; fi
    remove_run_directory
}

# ---- 1. set-up ------------------------------------------------------------------------------------------------------

if [ $# -gt 0 ]; then choose_majors "$1"; major=$1; else major=$(easiest_major); fi

heading "1. PostgreSQL $major, and the extension built for it"
tell "Everything goes below $CACHE; the system's own PostgreSQL stays as it is." ""
"$ROOT/scripts/setup.sh" "$major"
command -v python3 >/dev/null \
    || die "python3 is not on the PATH: the demo's identity provider is an HTTP server in Python (Debian, Ubuntu: package python3)"
pg_config=$(pg_config_of "$major")
bin=$("$pg_config" --bindir)
make_run_directory
trap finish EXIT
lock_cache # until the end: the server loads the library from the tree

install_release "$major" "$pg_config"

start_server "$pg_config" demo "shared_preload_libraries = '$EXTENSION'"
say "a throw-away server is running; it listens on a socket in $RUN and on no port"
say "it has shared_preload_libraries = '$EXTENSION': so there is a background worker that can fetch key sets"

# ---- 2. the database ------------------------------------------------------------------------------------------------

heading "2. A table that everybody shares, and the policies that part it"
tell "The administrator creates the extension and a table of to-dos. The policies are those that Drizzle's crudPolicy" \
    "writes: a row is yours if its user_id is the one in your verified token. user_id is filled in from the token." ""
cat >"$RUN/schema.sql" <<'SQL'
CREATE EXTENSION pg_session_jwt;

CREATE TABLE todos (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     text NOT NULL DEFAULT (auth.user_id()),
    task        text NOT NULL,
    is_complete boolean NOT NULL DEFAULT false
);
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;

-- The roles came with the extension. `web` is who the application logs in as.
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

heading "3. An identity provider, whose keys the server fetches"
month=$(date +%Y-%m)
start_provider
new_rsa_key "$month-a"
tell "In real life it is on the web, and its address begins with https. Here it is a small HTTP server on loopback; its" \
    "key (openssl genpkey -algorithm RSA) signs, and everybody may have the public half of that."
publish "$month-a"
tell "" "The administrator names it, once, for the database. This is all that there is to set up:"
administer "alter database postgres set pg_session_jwt.providers = '[{
    \"issuer\": \"$issuer\",
    \"audience\": \"todos\",
    \"jwks_url\": \"$issuer$KEY_SET_PATH\",
    \"roles\": [\"authenticated\"]
}]';"
must_show "ALTER DATABASE"
tell "" "Which keys does the server have? It fetches them when they are first needed, which is now."
keys="select kid, kty, alg, usable from auth.providers();"
administer "$keys"
must_show "$kid | RSA | RS256 | t"
must_show "(1 row)"
must_have_fetched 1

# ---- 4. two people --------------------------------------------------------------------------------------------------

heading "4. Two people use one connection, each with a token of the provider"
tell "A pooler gives each request a transaction on a connection that everybody shares. The application begins it with the" \
    "user's token; with \"true\" the identity ends with the transaction."
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

tell "" "The same connection, the next request: it is bob's."
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

tell "" "Between the requests nobody is known:"
ask "select auth.user_id() is null as nobody;"
must_show " t"

heading "5. What bob may not do"
tell "alice's rows are not there for him: nothing to change, nothing to delete, and nothing to add in her name."
begin_as user_bob "$bobs"
ask "update todos set task = 'call eve' where user_id = 'user_alice';"
must_show "UPDATE 0"
ask "delete from todos where user_id = 'user_alice';"
must_show "DELETE 0"
ask "insert into todos (user_id, task) values ('user_alice', 'give bob the house');"
must_be_refused 'new row violates row-level security policy for table "todos"' 42501
ask "rollback;"
begin_as user_bob "$bobs"
ask "update todos set user_id = 'user_alice' where user_id = 'user_bob';"
must_be_refused 'new row violates row-level security policy for table "todos"' 42501
ask "rollback;"
tell "" "His own row is his:"
begin_as user_bob "$bobs"
ask "update todos set is_complete = true where task = 'buy milk';"
must_show "UPDATE 1"
ask "delete from todos where is_complete returning task;"
must_show "DELETE 1"
ask "commit;"

tell "" "And hers are as she left them. Her application takes on her identity for as long as it has the connection, as with a" \
    "pooler in session mode:"
ask "select auth.jwt_session_init('$alices');"
must_be user_alice
ask "update todos set is_complete = true where task = 'call bob';"
must_show "UPDATE 1"
ask "select * from todos order by id;"
must_show "| user_alice | water the plants | f"
must_show "| user_alice | call bob         | t"
must_show "(2 rows)"

# ---- 6. tokens that must not work -----------------------------------------------------------------------------------

heading "6. Tokens that are refused"
new_rsa_key stranger
claims=$(claims_of user_bob)

tell "Forged: a token signed for bob, in which somebody wrote alice's name over his and kept the signature."
real=$(provided "$claims")
must_refuse "${real%%.*}.$(claims_of user_alice | base64url).${real##*.}" "invalid JWT signature"

tell "" "Foreign: well made, and it names the provider's key, but a stranger signed it with a key of their own."
must_refuse "$(provided "$claims" stranger)" "invalid JWT signature"

tell "" "Confused: signed with HS256, whose one key signs and verifies. The stranger took the provider's public key for it."
must_refuse "$(token "$(header_of HS256)" "$claims" hs256 "$(public_pem "$kid")"$'\n')" "the JWT's algorithm is not the key's"

tell "" "Meant for others: the provider signed it for bob, to be used in another application."
must_refuse "$(provided "$(claims_of user_bob 300 photos)")" "the JWT is meant for another audience"

tell "" "Expired: signed by the provider, an hour too old."
must_refuse "$(provided "$(claims_of user_bob -3600)")" "Token used after it has expired"

tell "" "None of them changed anything: a refused token leaves the identity that was there."
ask "select auth.user_id();"
must_show " user_alice"

# ---- 7. rotation ----------------------------------------------------------------------------------------------------

heading "7. The provider rotates its keys"
new_rsa_key "$month-b"
tell "It makes a new key, and publishes only that. Nobody tells the server."
publish "$month-b"

tell "" "alice's next token is signed with the new key. It names a key that the server does not have, so the server asks the" \
    "provider again, in the middle of this statement:"
sign_in user_alice
begin_as user_alice "$current"
ask "select task from todos order by id;"
must_show "water the plants"
must_show "(2 rows)"
ask "commit;"
must_show "COMMIT"
must_have_fetched 2

tell "" "No restart, and no change of a setting. The retired key is gone:"
administer "$keys"
must_show "$kid | RSA | RS256 | t"
must_show "(1 row)"

tell "" "What it signed counts for nothing any more, although it has not expired: bob's token from before,"
must_refuse "$bobs" "no key for this JWT"
tell "" "and alice's, on which the identity of this connection has rested since section 5."
ask "select auth.user_id();"
must_be_refused "no key for this JWT"

# ---- 8. without a token ---------------------------------------------------------------------------------------------

heading "8. No token, no rows"
tell "With her new token alice is back. RESET ALL is what a pooler sends between two clients. It is also the logout."
ask "select auth.jwt_session_init('$current');"
must_be user_alice
ask "RESET ALL;"
ask "select auth.user_id() is null as nobody;"
must_show " t"
ask "select * from todos;"
must_show "(0 rows)"
ask "insert into todos (task) values ('hello?');"
must_show "ERROR:"
must_show "SQLSTATE 42501"
close_session

tell "" "Another connection that never shows a token, as the role for visitors:"
open_session
ask "set role anonymous;"
ask "select * from todos;"
must_show "(0 rows)"
close_session

# ---- 9. the proxy's connection --------------------------------------------------------------------------------------

heading "9. Without a provider: a trusted proxy, with a key of its own"
tell "A proxy that opens the connections can vouch for its users itself. It makes a key pair (openssl genpkey -algorithm" \
    "ed25519) and puts the public half into the startup packet of its connection:" ""
new_key proxy ed25519
options="-c pg_session_jwt.jwk=$(ed25519_jwk proxy)"
proxied() { token '{"alg":"EdDSA"}' "$1" eddsa proxy; }
tell "    PGOPTIONS='$options'" "" "As long as the database has providers, such a key opens nothing:"
open_session "$options"
must_refuse "$(proxied "{\"sub\":\"user_alice\",\"jti\":1}")" "the JWT's issuer is not trusted"
close_session
tell "" "So the administrator takes them away; that counts for new connections."
administer "alter database postgres reset pg_session_jwt.providers;"
must_show "ALTER DATABASE"
open_session "$options"
ask "select auth.init();"
must_show "(1 row)"

# The next token in the proxy's hands: jti grows by one each time, as proxy mode requires.
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

tell "" "Replayed: the very token that alice used above. Its jti is not greater than the last one seen."
must_refuse "$alices" "Token ID must be strictly monotonically increasing."
ask "select auth.user_id();"
must_show " user_bob"
close_session

answer=$(server -At -c "select count(*) || ' rows of alice' from todos where user_id = 'user_alice'")
must_show "2 rows of alice"

heading "What you have seen"
tell "PostgreSQL $major verified each token itself, and row-level security used what the token said: alice and bob shared one" \
    "connection, and neither saw or touched the other's rows. It fetched the provider's keys by itself, and again when they" \
    "were rotated: the next token worked, and those of the retired key stopped. Forged, foreign, expired and replayed tokens" \
    "were refused with SQLSTATE 28000, and without a token there was nothing to see." \
    "$checks results were checked, all as expected." \
    "" \
    "Next: README.md tells how to install it into your own PostgreSQL (make install PG_CONFIG=…), how to name your provider" \
    "and how to write policies. The throw-away server and the provider are gone."
