// The todos of all people, in one table. crudPolicy writes a policy for each command: a row is yours if its user_id is the one
// of your verified token. Neither the application nor the gateway has another rule.

import { sql } from 'drizzle-orm';
import { authenticatedRole, authUid, crudPolicy } from 'drizzle-orm/neon';
import { bigint, boolean, check, index, pgTable, text } from 'drizzle-orm/pg-core';

export const todos = pgTable(
  'todos',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    userId: text('user_id').notNull().default(sql`(auth.user_id())`),
    task: text().notNull(),
    done: boolean().notNull().default(false),
  },
  (table) => [
    index().on(table.userId),
    check('todos_task_length', sql`length(${table.task}) between 1 and 200`),
    crudPolicy({ role: authenticatedRole, read: authUid(table.userId), modify: authUid(table.userId) }),
  ],
);

export type Todo = Pick<typeof todos.$inferSelect, 'id' | 'task' | 'done'>;
