"""psycopg 3 behind a pooler in statement mode: what is sent in one pipeline is one transaction."""

import os

import psycopg

ALICE, EXPIRED = os.environ["ALICE_TOKEN"], os.environ["EXPIRED_TOKEN"]


def pipeline(connection, token):
    with connection.pipeline():
        connection.execute("select set_config('role', 'authenticated', true)")
        connection.execute("select auth.jwt_session_init(%s, true)", [token])
        connection.execute("insert into todos (task) values ('water the plants')")
        seen = connection.execute("select count(*) || ' of ' || min(user_id) from todos")
        connection.execute("delete from todos")
    return seen.fetchone()[0]


with psycopg.connect(autocommit=True, prepare_threshold=None) as connection:
    for _ in range(100):
        print("alice:", pipeline(connection, ALICE))
        try:
            pipeline(connection, EXPIRED)
        except psycopg.Error as error:
            print("expired:", error.sqlstate)
        print("afterwards:", *connection.execute("select current_user, auth.user_id()").fetchone())
