"""asyncpg by docs/languages.md, with a pool of one connection that both users share. With POOLED, for a pooler in
transaction mode; with PROMISES, with two connections and threads.
"""

import asyncio
import os
import threading
from types import SimpleNamespace

import asyncpg
from page_asyncpg import TokenError, with_token

from scenario import promises, scenario

COLUMNS = "id, user_id, task"


def todo(row):
    return SimpleNamespace(**row)


class Asyncpg:
    """Each function runs to its end, as the scenario expects it of all clients."""

    def __init__(self, loop, pool):
        self.loop = loop
        self.pool = pool

    def complete(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def run(self, token, method, *arguments):
        async def in_transaction():
            async with with_token(self.pool, token) as connection:
                return await getattr(connection, method)(*arguments)

        return self.complete(in_transaction())

    def create(self, token, task, user_id=None):
        if user_id is None:
            insert = f"insert into todos (task) values ($1) returning {COLUMNS}"
            return todo(self.run(token, "fetchrow", insert, task))
        insert = f"insert into todos (task, user_id) values ($1, $2) returning {COLUMNS}"
        return todo(self.run(token, "fetchrow", insert, task, user_id))

    def read(self, token):
        return [todo(row) for row in self.run(token, "fetch", f"select {COLUMNS} from todos order by id")]

    # asyncpg gives the command tag: "UPDATE 1".
    def update(self, token, id, task):
        tag = self.run(token, "execute", "update todos set task = $2 where id = $1", id, task)
        return tag.removeprefix("UPDATE ")

    def delete(self, token, id):
        return self.run(token, "execute", "delete from todos where id = $1", id).removeprefix("DELETE ")

    def interrupted(self, token, work):
        async def in_transaction():
            async with with_token(self.pool, token):
                work()

        self.complete(in_transaction())

    def rejection(self, error):
        if isinstance(error, TokenError):
            return "28000", str(error)
        return error.sqlstate, error.message


async def new_pool():
    size = 2 if "PROMISES" in os.environ else 1
    pooled = {"statement_cache_size": 0} if "POOLED" in os.environ else {}
    return await asyncpg.create_pool(min_size=size, max_size=size, **pooled)


loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
pool = asyncio.run_coroutine_threadsafe(new_pool(), loop).result()
(promises if "PROMISES" in os.environ else scenario)(Asyncpg(loop, pool))
asyncio.run_coroutine_threadsafe(pool.close(), loop).result()
