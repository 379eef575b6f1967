"""psycopg 3, with one connection that both users share. With POOLED, for a pooler in transaction mode."""

import os
from contextlib import contextmanager

import psycopg
from psycopg.rows import namedtuple_row

from scenario import scenario

COLUMNS = "id, user_id, task"


class Psycopg:
    def __init__(self, connection):
        self.connection = connection

    @contextmanager
    def transaction(self, token):
        with self.connection.transaction(), self.connection.cursor(row_factory=namedtuple_row) as cursor:
            cursor.execute("set local role authenticated")
            if token is not None:
                cursor.execute("select auth.jwt_session_init(%s, true)", [token])
            yield cursor

    def create(self, token, task, user_id=None):
        with self.transaction(token) as cursor:
            if user_id is None:
                cursor.execute(f"insert into todos (task) values (%s) returning {COLUMNS}", [task])
            else:
                insert = f"insert into todos (task, user_id) values (%s, %s) returning {COLUMNS}"
                cursor.execute(insert, [task, user_id])
            return cursor.fetchone()

    def read(self, token):
        with self.transaction(token) as cursor:
            return cursor.execute(f"select {COLUMNS} from todos order by id").fetchall()

    def update(self, token, id, task):
        with self.transaction(token) as cursor:
            return cursor.execute("update todos set task = %s where id = %s", [task, id]).rowcount

    def delete(self, token, id):
        with self.transaction(token) as cursor:
            return cursor.execute("delete from todos where id = %s", [id]).rowcount

    def rejection(self, error):
        return error.sqlstate, error.diag.message_primary


pooled = {"prepare_threshold": None} if "POOLED" in os.environ else {}
with psycopg.connect(autocommit=True, **pooled) as connection:
    scenario(Psycopg(connection))
