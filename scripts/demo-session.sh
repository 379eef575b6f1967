# shellcheck shell=bash
# Shows statements and their answers, and compares the answers with the expected ones. Sourced by demo.sh, which has set
# `bin`, started the server and created $RUN.

bold="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
tell() { printf '%s\n' "$@"; }

# Shows the beginning of each part of a token; psql receives the whole token.
show_statements() {
    sed -E 's/([A-Za-z0-9_-]{12})[A-Za-z0-9_-]*\.([A-Za-z0-9_-]{12})[A-Za-z0-9_-]*\.([A-Za-z0-9_-]{6})[A-Za-z0-9_-]+/\1…\2…\3…/g
        1s/^/    => /; 2,$s/^/       /' <<<"$1"
}

# Shows $answer without the empty row of a function that returns void.
show_answer() { sed -E '/^ jwt_session_init $/,/^\(1 row\)$/d; /^$/d; s/^/       /' <<<"$answer"; }

# ---- checks ---------------------------------------------------------------------------------------------------------

checks=0
answer=""

# must_show TEXT: the last answer must contain it.
must_show() {
    if ! grep -qF -- "$1" <<<"$answer"; then
        printf '\n%sWrong result.%s Expected in the answer above:\n    %s\n' "$bold" "$plain" "$1"
        show_server_log
        exit 1
    fi
    checks=$((checks + 1))
}

# must_be_rejected MESSAGE [SQLSTATE]: the last statement must have failed with this error.
must_be_rejected() {
    must_show "ERROR:  $1"
    must_show "SQLSTATE ${2:-28000}"
}

show_server_log() {
    printf '\nLast lines of the server log:\n'
    tail -n 15 "$RUN/demo/log"
}

# ---- the administrator ----------------------------------------------------------------------------------------------

server() { "$bin/psql" -X -v ON_ERROR_STOP=1 "$@"; }

# Runs a statement of the administrator in a separate connection.
administer() {
    show_statements "$1"
    answer=$(server -c "$1" 2>&1) || { printf '%s\n' "$answer"; show_server_log; die "the administrator's statement failed"; }
    show_answer
}

# ---- one psql session, kept open ------------------------------------------------------------------------------------

# Opens a session: one connection, like a pooler's, with its identity, key and last jti. OPTIONS go into the startup packet.
# psql reads statements from its standard input and prints --end-- after each answer.
open_session() { # [OPTIONS]
    coproc PSQL {
        export PGOPTIONS=${1:-}
        exec stdbuf -oL "$bin/psql" -X -U web -v VERBOSITY=default 2>&1
    } 8>&-
    # Copies, because bash closes its own as soon as psql ends, possibly in the middle of an answer.
    exec {to}>&"${PSQL[1]}" {from}<&"${PSQL[0]}"
    ask_quietly "SET ROLE authenticated;"
}

close_session() {
    local psql=$PSQL_PID
    echo '\q' >&"$to"
    wait "$psql" || true
    exec {to}>&- {from}<&-
}

# Sends statements and sets $answer. Its last line is the SQLSTATE if the last statement failed.
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
    die "the connection was lost; its last lines and the server's are above"
}

# Sends and shows statements, and shows their answer.
ask() {
    show_statements "$1"
    ask_quietly "$1"
    show_answer
}

# ---- identities -----------------------------------------------------------------------------------------------------

# begin_as WHO TOKEN: begins a request in a transaction with the identity of this user.
begin_as() {
    ask "begin; select auth.jwt_session_init('$2', true);"
    must_be "$1"
}

must_be() { # WHO
    ask_quietly "select 'I am ' || auth.user_id();"
    must_show "I am $1"
}

must_reject() { # TOKEN MESSAGE
    ask "select auth.jwt_session_init('$1');"
    must_be_rejected "$2"
}
