// The table of database.sql, as Drizzle sees it. user_id is not here: the application neither reads nor writes it.

import { bigint, boolean, pgTable, text } from 'drizzle-orm/pg-core';

export const todos = pgTable('todos', {
  id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
  task: text().notNull(),
  done: boolean().notNull().default(false),
});
