// Types: what each `withToken` accepts and gives to `work`. Compiled with --strict and never run.

import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js';
import { bigint, pgTable, text } from 'drizzle-orm/pg-core';
import knex from 'knex';
import { type Generated, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { ForbiddenError, type Options, TokenError } from 'pg-session-jwt';
import * as withDrizzle from 'pg-session-jwt/drizzle';
import * as withKnex from 'pg-session-jwt/knex';
import * as withKysely from 'pg-session-jwt/kysely';
import * as withNeonHttp from 'pg-session-jwt/neon-http';
import * as withPg from 'pg-session-jwt/pg';
import * as withPostgres from 'pg-session-jwt/postgres';
import * as withPrisma from 'pg-session-jwt/prisma';
import * as withSequelize from 'pg-session-jwt/sequelize';
import * as withTypeorm from 'pg-session-jwt/typeorm';
import postgres from 'postgres';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { PrismaClient } from './prisma-client/index.js';

const todos = pgTable('todos', { id: bigint('id', { mode: 'bigint' }).primaryKey(), task: text('task').notNull() });
const pool = new pg.Pool();
const token: string | undefined = process.env.TOKEN;
const options: Options = { role: 'authenticated', anonymous: 'anonymous', signal: AbortSignal.timeout(1000) };

export const pgTasks: Promise<string[]> = withPg.withToken(pool, token, async (client) => {
  const { rows } = await client.query<{ task: string }>('select task from todos');
  return rows.map(({ task }) => task);
}, options);

export const postgresTasks: Promise<string[]> = withPostgres.withToken(postgres(), token, async (sql) => {
  const rows = await sql.savepoint((inner) => inner<{ task: string }[]>`select task from todos`);
  return rows.map(({ task }) => task);
});

export const drizzlePgTasks: Promise<{ id: bigint; task: string }[]> =
  withDrizzle.withToken(drizzlePg(pool), token, async (transaction) => transaction.select().from(todos));

export const drizzlePostgresTasks: Promise<{ id: bigint; task: string } | undefined> =
  withDrizzle.withToken(drizzlePostgres(postgres(), { schema: { todos } }), token, async (transaction) => transaction.query.todos.findFirst());

const kysely = new Kysely<{ todos: { id: Generated<string>; task: string } }>({ dialect: new PostgresDialect({ pool }) });
export const kyselyTasks: Promise<{ task: string }[]> =
  withKysely.withToken(kysely, token, (transaction) => transaction.selectFrom('todos').select('task').execute());

export const knexTasks: Promise<string[]> =
  withKnex.withToken(knex({ client: 'pg' }), token, async (transaction) => transaction<{ task: string }>('todos').pluck('task'));

export const typeormTasks: Promise<number> =
  withTypeorm.withToken(new DataSource({ type: 'postgres' }), token, (manager) => manager.count('Todo'));

export const sequelizeTasks: Promise<number> =
  withSequelize.withToken(new Sequelize(), token, async (transaction) => (await new Sequelize().query('select 1', { transaction })).length);

const prisma = new PrismaClient({ adapter: null });
export const prismaTasks: Promise<{ task: string }[]> =
  withPrisma.withToken(prisma, token, (client) => client.todo.findMany({ select: { task: true } }), { transaction: { timeout: 1000 } });
export const extendedTasks: Promise<{ task: string }[]> =
  prisma.$extends(withPrisma.extension).$withToken(token, (client) => client.todo.findMany({ select: { task: true } }));

export const neonTasks: Promise<string> = withNeonHttp.withToken((role, jwt) => ({ role, jwt }), token, (db) => db.role);

export function statusOf(error: unknown): 401 | 403 | 500 {
  return error instanceof TokenError || error instanceof ForbiddenError ? error.status : 500;
}

// @ts-expect-error: a token is a string
withPg.withToken(pool, 7, () => 0);
// @ts-expect-error: a misspelt option
withPg.withToken(pool, token, () => 0, { roles: 'authenticated' });
// @ts-expect-error: a connection is not a pool
withPg.withToken(new pg.Client(), token, () => 0);
