// Row-level security as drizzle-orm writes it by hand.

import { sql } from 'drizzle-orm';
import { bigint, boolean, pgPolicy, pgRole, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

// The extension makes this role: Drizzle only names it.
const authenticated = pgRole('authenticated').existing();

export const todos = pgTable(
  'todos',
  {
    id: bigint({ mode: 'bigint' }).primaryKey().generatedByDefaultAsIdentity(),
    userId: text('user_id').notNull().default(sql`(auth.user_id())`),
    task: text().notNull(),
    isComplete: boolean('is_complete').notNull().default(false),
    insertedAt: timestamp('inserted_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    pgPolicy('create own todos', {
      for: 'insert',
      to: authenticated,
      withCheck: sql`(select auth.user_id() = ${table.userId})`,
    }),
    pgPolicy('read own todos', {
      for: 'select',
      to: authenticated,
      using: sql`(select auth.user_id() = ${table.userId})`,
    }),
    pgPolicy('update own todos', {
      for: 'update',
      to: authenticated,
      using: sql`(select auth.user_id() = ${table.userId})`,
      withCheck: sql`(select auth.user_id() = ${table.userId})`,
    }),
    pgPolicy('delete own todos', {
      for: 'delete',
      to: authenticated,
      using: sql`(select auth.user_id() = ${table.userId})`,
    }),
  ],
);
