// Each driver and ORM behind the same functions. Everything that it can log goes to the standard error, which the test
// searches for tokens.
//
//   withToken(token, work, options)   one request, on a pool of at most `max` connections
//
//   insert(transaction, task)         by the means of the ORM
//
//   tasks(transaction)                by the means of the ORM: the tasks of all visible rows
//
//   query(transaction, text, values)  rows of a statement in SQL with $1
//
//   roundTrips()                      on pg: how often the server was waited for
//
//   close()

import { Pool as NeonPool, neonConfig } from '@neondatabase/serverless';
import { PrismaPg } from '@prisma/adapter-pg';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle as drizzleNeon } from 'drizzle-orm/neon-serverless';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js';
import knex from 'knex';
import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import * as withDrizzle from 'pg-session-jwt/drizzle';
import * as withKnex from 'pg-session-jwt/knex';
import * as withKysely from 'pg-session-jwt/kysely';
import * as withPg from 'pg-session-jwt/pg';
import * as withPostgres from 'pg-session-jwt/postgres';
import * as withPrisma from 'pg-session-jwt/prisma';
import * as withSequelize from 'pg-session-jwt/sequelize';
import * as withTypeorm from 'pg-session-jwt/typeorm';
import postgres from 'postgres';
import { QueryTypes, Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { WebSocket } from 'ws';
import { TypeormTodo, drizzleTodos, sequelizeTodo } from './entities.mjs';
import prismaClient from './prisma-client/index.js';
import { relay } from './relay.mjs';

const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = process.env;
const log = (...what) => console.error(...what);

function pgPool(max) {
  const pool = new pg.Pool({ max });
  pool.on('error', log); // an idle connection was lost
  pool.roundTrips = 0;
  pool.on('connect', (client) => client.connection.on('readyForQuery', () => (pool.roundTrips += 1)));
  return pool;
}

const postgresPool = (max) => postgres({ max, onnotice: log });

// $1 as a value of Drizzle's sql.
const drizzleText = (text, values) => {
  const parts = text.split(/\$\d/);
  return drizzleSql(Object.assign(parts, { raw: parts }), ...values);
};

const drizzleOn = (db, rows, close, roundTrips) => ({
  roundTrips,
  withToken: (...args) => withDrizzle.withToken(db, ...args),
  insert: (transaction, task) => transaction.insert(drizzleTodos).values({ task }),
  tasks: async (transaction) => (await transaction.select().from(drizzleTodos).orderBy(drizzleTodos.id)).map(({ task }) => task),
  query: async (transaction, text, values = []) => rows(await transaction.execute(drizzleText(text, values))),
  close,
});

export const drivers = {
  pg(max) {
    const pool = pgPool(max);
    return {
      withToken: (...args) => withPg.withToken(pool, ...args),
      roundTrips: () => pool.roundTrips,
      insert: (client, task) => client.query('insert into todos (task) values ($1)', [task]),
      tasks: async (client) => (await client.query('select task from todos order by id')).rows.map(({ task }) => task),
      query: async (client, text, values) => (await client.query(text, values)).rows,
      close: () => pool.end(),
    };
  },

  postgres(max) {
    const pool = postgresPool(max);
    return {
      withToken: (...args) => withPostgres.withToken(pool, ...args),
      throwsAtLoss: true, // before the application's part has ended
      insert: (sql, task) => sql`insert into todos ${sql({ task })}`,
      tasks: async (sql) => (await sql`select task from todos order by id`).map(({ task }) => task),
      query: (sql, text, values) => sql.unsafe(text, values),
      close: () => pool.end(),
    };
  },

  'drizzle on pg'(max) {
    const pool = pgPool(max);
    const logger = { logQuery: log };
    return drizzleOn(drizzlePg(pool, { logger }), ({ rows }) => rows, () => pool.end(), () => pool.roundTrips);
  },

  'drizzle on postgres'(max) {
    const pool = postgresPool(max);
    const logger = { logQuery: log };
    return { ...drizzleOn(drizzlePostgres(pool, { logger }), (rows) => rows, () => pool.end()), throwsAtLoss: true };
  },

  async 'drizzle on neon-serverless'(max) {
    const { address, close } = await relay(host, port);
    Object.assign(neonConfig, {
      wsProxy: () => address, useSecureWebSocket: false, webSocketConstructor: WebSocket, pipelineConnect: false,
    });
    const pool = new NeonPool({ connectionString: `postgresql://${user}@db.example.com/${database}`, max });
    pool.on('error', log);
    return drizzleOn(drizzleNeon(pool, { logger: { logQuery: log } }), ({ rows }) => rows, async () => {
      await pool.end();
      close();
    });
  },

  kysely(max) {
    const pool = pgPool(max);
    // Kysely does not listen, and an error event without a listener ends the program.
    pool.on('connect', (client) => client.on('error', log));
    const db = new Kysely({ dialect: new PostgresDialect({ pool }), log });
    return {
      withToken: (...args) => withKysely.withToken(db, ...args),
      insert: (transaction, task) => transaction.insertInto('todos').values({ task }).execute(),
      tasks: async (transaction) =>
        (await transaction.selectFrom('todos').select('task').orderBy('id').execute()).map(({ task }) => task),
      query: async (transaction, text, values = []) => (await transaction.executeQuery(CompiledQuery.raw(text, values))).rows,
      close: () => db.destroy(),
    };
  },

  knex(max) {
    const db = knex({ client: 'pg', connection: { host, port, user, database }, pool: { min: 0, max } });
    db.on('query', log).on('query-error', log);
    return {
      withToken: (...args) => withKnex.withToken(db, ...args),
      insert: (transaction, task) => transaction('todos').insert({ task }),
      tasks: (transaction) => transaction('todos').orderBy('id').pluck('task'),
      query: async (transaction, text, values = []) => (await transaction.raw(text.replaceAll(/\$\d/g, '?'), values)).rows,
      close: () => db.destroy(),
    };
  },

  async typeorm(max) {
    const source = new DataSource({
      type: 'postgres', host, port: Number(port), username: user, database, poolSize: max, entities: [TypeormTodo],
      logging: true, logger: { logQuery: log, logQueryError: log, logQuerySlow: log, logSchemaBuild: log, logMigration: log, log },
    });
    await source.initialize();
    return {
      withToken: (...args) => withTypeorm.withToken(source, ...args),
      insert: (manager, task) => manager.insert(TypeormTodo, { task }),
      tasks: async (manager) => (await manager.find(TypeormTodo, { order: { id: 'ASC' } })).map(({ task }) => task),
      query: (manager, text, values) => manager.query(text, values),
      close: () => source.destroy(),
    };
  },

  sequelize(max) {
    const sequelize = new Sequelize({
      dialect: 'postgres', host, port, username: user, database, pool: { max, idle: 60000 }, logging: log, logQueryParameters: true,
    });
    const Todo = sequelizeTodo(sequelize);
    return {
      withToken: (...args) => withSequelize.withToken(sequelize, ...args),
      insert: (transaction, task) => Todo.create({ task }, { transaction, returning: false }),
      tasks: async (transaction) => (await Todo.findAll({ order: ['id'], transaction })).map(({ task }) => task),
      query: (transaction, text, bind) => sequelize.query(text, { transaction, bind, type: QueryTypes.SELECT }),
      close: () => sequelize.close(),
    };
  },

  prisma(max) {
    const adapter = new PrismaPg({ max }, { onPoolError: log, onConnectionError: log });
    const prisma = new prismaClient.PrismaClient({ adapter, errorFormat: 'minimal', log: ['info', 'warn', 'error'] }).$extends(withPrisma.extension);
    return {
      withToken: (...args) => prisma.$withToken(...args),
      insert: (client, task) => client.todo.createMany({ data: { task } }),
      tasks: async (client) => (await client.todo.findMany({ orderBy: { id: 'asc' } })).map(({ task }) => task),
      query: (client, text, values = []) => client.$queryRawUnsafe(text, ...values),
      // Its pool never gets back a connection whose ROLLBACK failed, so the only one would be missing.
      keepsLostConnections: true,
      close: () => prisma.$disconnect(),
    };
  },
};
