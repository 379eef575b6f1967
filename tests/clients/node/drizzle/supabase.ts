// Row-level security by authUid of drizzle-orm/supabase, which is a UUID.

import { sql } from 'drizzle-orm';
import { bigint, pgPolicy, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole, authUid } from 'drizzle-orm/supabase';

export const todos = pgTable(
  'todos',
  {
    id: bigint({ mode: 'bigint' }).primaryKey().generatedByDefaultAsIdentity(),
    userId: uuid('user_id').notNull().default(sql`auth.uid()`),
    task: text().notNull(),
  },
  (table) => [
    pgPolicy('own todos', {
      for: 'all',
      to: authenticatedRole,
      using: sql`${table.userId} = ${authUid}`,
      withCheck: sql`${table.userId} = ${authUid}`,
    }),
  ],
);
