// Caches of results, whose keys do not contain the user.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cache } from 'drizzle-orm/cache/core';
import { drizzle } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import * as withDrizzle from 'pg-session-jwt/drizzle';
import * as withTypeorm from 'pg-session-jwt/typeorm';
import postgres from 'postgres';
import { DataSource } from 'typeorm';
import { TypeormTodo, drizzleTodos } from './entities.mjs';

const { ALICE_TOKEN, BOB_TOKEN, PGHOST: host, PGPORT: port, PGUSER: username, PGDATABASE: database } = process.env;

// Returns for every statement what it was given last.
class Everything extends Cache {
  static #results = new Map();
  strategy = () => 'all';
  get = async (key) => Everything.#results.get(key);
  put = async (key, rows) => void Everything.#results.set(key, rows);
  onMutate = async () => {};
}

const pgPool = new pg.Pool({ max: 1 });
const sql = postgres({ max: 1 });
const clients = {
  'drizzle on pg': [drizzle(pgPool, { cache: new Everything() }), () => pgPool.end()],
  'drizzle on postgres': [drizzlePostgres(sql, { cache: new Everything() }), () => sql.end()],
};

for (const [name, [db, close]] of Object.entries(clients)) {
  test(name, async () => {
    const all = (tx) => tx.select({ task: drizzleTodos.task }).from(drizzleTodos);
    const cached = (tx) => all(tx).$withCache();
    await withDrizzle.withToken(db, ALICE_TOKEN, (tx) => tx.insert(drizzleTodos).values({ task: name }));
    for (const query of [all, cached]) {
      assert.ok((await withDrizzle.withToken(db, ALICE_TOKEN, query)).some(({ task }) => task === name));
      assert.deepEqual(await withDrizzle.withToken(db, BOB_TOKEN, query), []);
      assert.deepEqual(await withDrizzle.withToken(db, undefined, query), []);
    }
    await close();
  });
}

test('typeorm', async () => {
  const source = new DataSource({
    type: 'postgres', host, port: Number(port), username, database, entities: [TypeormTodo],
    cache: { provider: () => ({ connect() {}, disconnect() {}, synchronize() {} }) },
  });
  await source.initialize();
  await assert.rejects(withTypeorm.withToken(source, ALICE_TOKEN, () => assert.fail()), {
    name: 'TypeError',
    message: 'The cache of the data source does not tell users apart: use a data source without `cache`',
  });
  await source.destroy();
});
