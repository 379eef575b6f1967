// The table of database.sql for Drizzle. It omits user_id, which the application neither reads nor writes.

import { bigint, boolean, pgTable, text } from 'drizzle-orm/pg-core';

export const todos = pgTable('todos', {
  id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
  task: text().notNull(),
  done: boolean().notNull().default(false),
});
