# shellcheck shell=bash
# What the demo shows: statements, their answers, and whether these are what they must be. Sourced by demo.sh, which
# has set `bin`, started the server and made $RUN.

bold="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
tell() { printf '%s\n' "$@"; }

# A token is sent whole and shown by the beginning of each of its parts.
show_statements() {
    sed -E 's/([A-Za-z0-9_-]{12})[A-Za-z0-9_-]*\.([A-Za-z0-9_-]{12})[A-Za-z0-9_-]*\.([A-Za-z0-9_-]{6})[A-Za-z0-9_-]+/\1…\2…\3…/g
        1s/^/    => /; 2,$s/^/       /' <<<"$1"
}

# Shows $answer, but for the empty row that is the answer of a function that returns void.
show_answer() { sed -E '/^ jwt_session_init $/,/^\(1 row\)$/d; /^$/d; s/^/       /' <<<"$answer"; }

# ---- checks ---------------------------------------------------------------------------------------------------------

checks=0
answer=""

# must_show TEXT: the last answer must contain it.
must_show() {
    if ! grep -qF -- "$1" <<<"$answer"; then
        printf '\n%sThat is wrong.%s Expected in the answer above:\n    %s\n' "$bold" "$plain" "$1"
        show_server_log
        exit 1
    fi
    checks=$((checks + 1))
}

# must_be_refused MESSAGE [SQLSTATE]: the last statement must have failed for this reason and no other.
must_be_refused() {
    must_show "ERROR:  $1"
    must_show "SQLSTATE ${2:-28000}"
}

show_server_log() {
    printf '\nLast lines of the server log:\n'
    tail -n 15 "$RUN/demo/log"
}

# ---- the administrator ----------------------------------------------------------------------------------------------

server() { "$bin/psql" -X -v ON_ERROR_STOP=1 "$@"; }

# A statement of the administrator, in a connection of its own.
administer() {
    show_statements "$1"
    answer=$(server -c "$1" 2>&1) || { printf '%s\n' "$answer"; show_server_log; die "the administrator's statement failed"; }
    show_answer
}

# ---- one psql session, kept open ------------------------------------------------------------------------------------

# A session is one connection, as a pooler would hold it: identity, key and last jti live in it. Opened with the options
# of the startup packet. psql reads our statements from its standard input and says --end-- after each answer.
open_session() { # [OPTIONS]
    coproc PSQL {
        export PGOPTIONS=${1:-}
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
    show_server_log
    die "the connection was lost; above: its last words, and the server's"
}

# Shows statements and their answer.
ask() {
    show_statements "$1"
    ask_quietly "$1"
    show_answer
}

# ---- identities -----------------------------------------------------------------------------------------------------

# begin_as WHO TOKEN: a request of theirs begins, in a transaction that has their identity.
begin_as() {
    ask "begin; select auth.jwt_session_init('$2', true);"
    must_be "$1"
}

must_be() { # WHO
    ask_quietly "select 'I am ' || auth.user_id();"
    must_show "I am $1"
}

must_refuse() { # TOKEN MESSAGE
    ask "select auth.jwt_session_init('$1');"
    must_be_refused "$2"
}
