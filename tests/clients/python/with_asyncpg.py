"""asyncpg, with one connection that both users share. With POOLED, for a pooler in transaction mode."""

import asyncio
import os
from contextlib import asynccontextmanager
from types import SimpleNamespace

import asyncpg

from scenario import scenario

COLUMNS = "id, user_id, task"


def todo(row):
    return SimpleNamespace(**row)


class Asyncpg:
    """Each function runs to its end, as the scenario expects it of all clients."""

    def __init__(self, loop, connection):
        self.loop = loop
        self.connection = connection

    @asynccontextmanager
    async def transaction(self, token):
        async with self.connection.transaction():
            await self.connection.execute("set local role authenticated")
            if token is not None:
                await self.connection.execute("select auth.jwt_session_init($1, true)", token)
            yield self.connection

    def run(self, token, method, *arguments):
        async def in_transaction():
            async with self.transaction(token) as connection:
                return await getattr(connection, method)(*arguments)

        return self.loop.run_until_complete(in_transaction())

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

    def rejection(self, error):
        return error.sqlstate, error.message


loop = asyncio.new_event_loop()
pooled = {"statement_cache_size": 0} if "POOLED" in os.environ else {}
connection = loop.run_until_complete(asyncpg.connect(**pooled))
scenario(Asyncpg(loop, connection))
loop.run_until_complete(connection.close())
