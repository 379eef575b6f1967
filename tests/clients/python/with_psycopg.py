"""psycopg 3 by docs/languages.md, with a pool of one connection that both users share. With POOLED, for a pooler in
transaction mode; with PROMISES, with two connections and threads.
"""

import os

from page_psycopg import TokenError, with_token
from psycopg.rows import namedtuple_row
from psycopg_pool import ConnectionPool

from scenario import promises, scenario

COLUMNS = "id, user_id, task"


class Psycopg:
    def __init__(self, pool):
        self.pool = pool

    def create(self, token, task, user_id=None):
        with with_token(self.pool, token) as connection:
            if user_id is None:
                insert, parameters = f"insert into todos (task) values (%s) returning {COLUMNS}", [task]
            else:
                insert = f"insert into todos (task, user_id) values (%s, %s) returning {COLUMNS}"
                parameters = [task, user_id]
            return connection.execute(insert, parameters).fetchone()

    def read(self, token):
        with with_token(self.pool, token) as connection:
            return connection.execute(f"select {COLUMNS} from todos order by id").fetchall()

    def update(self, token, id, task):
        with with_token(self.pool, token) as connection:
            return connection.execute("update todos set task = %s where id = %s", [task, id]).rowcount

    def delete(self, token, id):
        with with_token(self.pool, token) as connection:
            return connection.execute("delete from todos where id = %s", [id]).rowcount

    def interrupted(self, token, work):
        with with_token(self.pool, token):
            work()

    def rejection(self, error):
        if isinstance(error, TokenError):
            return "28000", str(error)
        return error.sqlstate, error.diag.message_primary


size = 2 if "PROMISES" in os.environ else 1
options = {"row_factory": namedtuple_row}
if "POOLED" in os.environ:
    options["prepare_threshold"] = None
with ConnectionPool(min_size=size, max_size=size, kwargs=options, open=True) as pool:
    (promises if "PROMISES" in os.environ else scenario)(Psycopg(pool))
