#!/usr/bin/env bash
# From nothing to a result that a person understands: `make demo`.
#
#   scripts/demo.sh [MAJOR]        default: a PostgreSQL that is here already, newest first; else what can be had
#
# Sets up one PostgreSQL, builds the extension for release into its private tree, starts a throw-away server, and shows
# the main job: two people share one database connection, each proves with a signed token who they are, and row-level
# security gives each their own rows. Keys and tokens are made by openssl and the shell, outside of the extension.
# Each result that is shown is also compared with what it must be: the demo fails if the extension does.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/postgres.sh"
. "$ROOT/scripts/server.sh"

bold="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
tell() { printf '%s\n' "$@"; }

# ---- checks ---------------------------------------------------------------------------------------------------------

checks=0
answer=""

# must_show TEXT: the last answer must contain it.
must_show() {
    if ! grep -qF -- "$1" <<<"$answer"; then
        printf '\n%sThat is wrong.%s Expected in the answer above:\n    %s\n' "$bold" "$plain" "$1"
        printf 'Last lines of the server log:\n'
        tail -n 15 "$RUN/demo/log"
        exit 1
    fi
    checks=$((checks + 1))
}

# must_be_refused MESSAGE [SQLSTATE]: the last statement must have failed for this reason and no other.
must_be_refused() {
    must_show "ERROR:  $1"
    must_show "SQLSTATE ${2:-28000}"
}

# ---- one psql session, kept open ------------------------------------------------------------------------------------

# A session is one connection, as a pooler would hold it: identity, key and last jti live in it. Opened with the options
# of the startup packet. psql reads our statements from its standard input and says --end-- after each answer.
open_session() {
    coproc PSQL {
        export PGOPTIONS=$1
        exec stdbuf -oL "$bin/psql" -X -U web -v VERBOSITY=default 2>&1
    } 8>&-
    # Copies, because bash takes its own away as soon as psql is gone, in the middle of an answer perhaps.
    exec {to}>&"${PSQL[1]}" {from}<&"${PSQL[0]}"
    ask_quietly "SET ROLE authenticated;"
}

close_session() {
    local psql=$PSQL_PID
    echo '\q' >&"$to"
    wait "$psql" || true
    exec {to}>&- {from}<&-
}

# Sends statements and shows nothing. The answer is in $answer; its last line is the SQLSTATE if the last one failed.
ask_quietly() {
    local line
    printf '%s\n' "$1" '\if :ERROR' '\echo SQLSTATE :SQLSTATE' '\endif' '\echo --end--' >&"$to"
    answer=""
    while IFS= read -r line <&"$from"; do
        if [ "$line" = "--end--" ]; then return 0; fi
        answer+=$line$'\n'
    done
    printf '%s' "$answer"
    tail -n 15 "$RUN/demo/log"
    die "the connection was lost; above: its last words, and the server's"
}

# Shows statements and their answer. A token is sent whole and shown by the beginning of each of its parts.
ask() {
    sed -E 's/([A-Za-z0-9_-]{12})[A-Za-z0-9_-]*\.([A-Za-z0-9_-]{12})[A-Za-z0-9_-]*\.([A-Za-z0-9_-]{6})[A-Za-z0-9_-]+/\1…\2…\3…/g
        s/^/    => /' <<<"$1"
    ask_quietly "$1"
    sed -E '/^$/d; s/^/       /' <<<"$answer"
}

# ---- keys and tokens, by openssl alone ------------------------------------------------------------------------------

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

new_key() { openssl genpkey -algorithm ed25519 -out "$RUN/$1.pem"; }

# The public half as a JWK: the last 32 bytes of the DER form are the key itself. No spaces: it goes into a startup packet.
jwk_of() {
    printf '{"kty":"OKP","crv":"Ed25519","x":"%s"}' "$(openssl pkey -in "$RUN/$1.pem" -pubout -outform DER | tail -c 32 | base64url)"
}

# token KEY CLAIMS: header.claims.signature
token() {
    local signed
    signed=$(printf '{"alg":"EdDSA"}' | base64url).$(printf '%s' "$2" | base64url)
    printf '%s' "$signed" >"$RUN/signed"
    printf '%s.%s' "$signed" "$(openssl pkeyutl -sign -rawin -inkey "$RUN/$1.pem" -in "$RUN/signed" | base64url)"
}

# The next token in the proxy's hands: jti grows by one each time, as proxy mode requires.
jti=0
present() { # who
    jti=$((jti + 1))
    local claims="{\"sub\":\"$1\",\"jti\":$jti,\"exp\":$((EPOCHSECONDS + 300))}"
    tell "" "The proxy signs for $1:  $claims"
    current=$(token proxy "$claims")
    ask "select auth.jwt_session_init('$current');"
    ask_quietly "select 'I am ' || auth.user_id();"
    must_show "I am $1"
}

# ---- 1. set-up ------------------------------------------------------------------------------------------------------

if [ $# -gt 0 ]; then choose_majors "$1"; major=$1; else major=$(easiest_major); fi

heading "1. PostgreSQL $major, and the extension built for it"
tell "Everything goes below $CACHE; the system's own PostgreSQL stays as it is." ""
"$ROOT/scripts/setup.sh" "$major"
pg_config=$(pg_config_of "$major")
bin=$("$pg_config" --bindir)
make_run_directory
lock_cache # until the end: the server loads the library from the tree

say "building for release; the first time this takes some minutes, after that seconds"
crates=0 told=$EPOCHSECONDS
cd "$ROOT"
if ! PGRX_BUILD_FLAGS=--locked cargo pgrx install --release --no-default-features --features "pg$major" --pg-config "$pg_config" 2>&1 8>&- \
    | tee -i "$RUN/build.log" | while IFS= read -r line; do
        case $line in
            *"Compiling $EXTENSION "*) say "compiling the extension itself, with link-time optimisation" ;;
            *Compiling*)
                crates=$((crates + 1))
                if [ $((EPOCHSECONDS - told)) -ge 10 ]; then
                    told=$EPOCHSECONDS
                    say "still building: $crates libraries so far"
                fi
                ;;
        esac
    done; then
    cat "$RUN/build.log" >&2
    die "the build failed"
fi
say "installed into $("$pg_config" --pkglibdir)"

start_server "$pg_config" demo
say "a throw-away server is running; it listens on a socket in $RUN and on no port"
server() { "$bin/psql" -X -v ON_ERROR_STOP=1 "$@"; }

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

-- The roles came with the extension. `web` is who the proxy logs in as.
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

# ---- 3. the proxy's connection --------------------------------------------------------------------------------------

new_key proxy
new_key stranger
options="-c pg_session_jwt.jwk=$(jwk_of proxy)"

heading "3. A trusted proxy opens one connection, and two people use it"
tell "The proxy makes a key pair (openssl genpkey -algorithm ed25519) and puts the public half into the connection's" \
    "startup packet. From then on, only who has the private half can say who is speaking:" "" \
    "    PGOPTIONS='$options'" ""
open_session "$options"
ask "select auth.init();"
must_show "(1 row)"

present alice
ask "insert into todos (task) values ('water the plants'), ('call bob');"
must_show "INSERT 0 2"
ask "select * from todos order by id;"
must_show "| alice   | water the plants | f"
must_show "(2 rows)"

tell "" "The same connection, the next request: it is bob's."
present bob
ask "insert into todos (task) values ('buy milk');"
must_show "INSERT 0 1"
ask "select * from todos order by id;"
must_show "| bob     | buy milk | f"
must_show "(1 row)"

heading "4. What bob may not do"
tell "alice's rows are not there for him: nothing to change, nothing to delete, and nothing to add in her name."
ask "update todos set task = 'call eve' where user_id = 'alice';"
must_show "UPDATE 0"
ask "delete from todos where user_id = 'alice';"
must_show "DELETE 0"
ask "insert into todos (user_id, task) values ('alice', 'give bob the house');"
must_be_refused 'new row violates row-level security policy for table "todos"' 42501
ask "update todos set user_id = 'alice' where user_id = 'bob';"
must_be_refused 'new row violates row-level security policy for table "todos"' 42501
tell "His own row is his:"
ask "update todos set is_complete = true where task = 'buy milk';"
must_show "UPDATE 1"
ask "delete from todos where is_complete returning task;"
must_show "DELETE 1"

bobs=$current
present alice
tell "And hers are as she left them:"
ask "update todos set is_complete = true where task = 'call bob';"
must_show "UPDATE 1"
ask "select * from todos order by id;"
must_show "| alice   | water the plants | f"
must_show "| alice   | call bob         | t"
must_show "(2 rows)"

# ---- 5. tokens that must not work -----------------------------------------------------------------------------------

heading "5. Tokens that are refused"
later=$((EPOCHSECONDS + 300))

tell "Forged: a token signed for bob, in which somebody wrote alice's name over his and kept the signature."
real=$(token proxy "{\"sub\":\"bob\",\"jti\":1000,\"exp\":$later}")
ask "select auth.jwt_session_init('${real%%.*}.$(printf '{"sub":"alice","jti":1000,"exp":%s}' "$later" | base64url).${real##*.}');"
must_be_refused "invalid JWT signature"

tell "" "Foreign: well made, but signed with somebody else's key."
ask "select auth.jwt_session_init('$(token stranger "{\"sub\":\"bob\",\"jti\":1001,\"exp\":$later}")');"
must_be_refused "invalid JWT signature"

tell "" "Expired: signed by the proxy, an hour too old."
ask "select auth.jwt_session_init('$(token proxy "{\"sub\":\"bob\",\"jti\":1002,\"exp\":$((EPOCHSECONDS - 3600))}")');"
must_be_refused "Token used after it has expired"

tell "" "Replayed: the very token that bob used above. Its jti is not greater than the last one seen."
ask "select auth.jwt_session_init('$bobs');"
must_be_refused "Token ID must be strictly monotonically increasing."

tell "" "None of them changed anything: a refused token leaves the identity that was there."
ask "select auth.user_id();"
must_show " alice"

# ---- 6. without a token ---------------------------------------------------------------------------------------------

heading "6. No token, no rows"
tell "RESET ALL is what a pooler sends between two clients. It is also the logout."
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
open_session "$options"
ask "set role anonymous;"
ask "select * from todos;"
must_show "(0 rows)"
close_session

answer=$(server -At -c "select count(*) || ' rows of alice' from todos where user_id = 'alice'")
must_show "2 rows of alice"

heading "What you have seen"
tell "PostgreSQL $major verified each token itself, and row-level security used what the token said: alice and bob shared one" \
    "connection, and neither saw or touched the other's rows. A forged, a foreign, an expired and a replayed token were" \
    "refused with SQLSTATE 28000, and without a token there was nothing to see. $checks results were checked, all as expected." \
    "" \
    "Next: README.md tells how to install it into your own PostgreSQL (make install PG_CONFIG=…) and how to write policies." \
    "The throw-away server is gone."
