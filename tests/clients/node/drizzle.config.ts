// drizzle-kit as a project has it: `drizzle-kit generate` writes the migration, `drizzle-kit migrate` applies it.

import { defineConfig } from 'drizzle-kit';

const { SCHEMA, MIGRATIONS, OWNER_URL } = process.env;

export default defineConfig({
  dialect: 'postgresql',
  schema: `./drizzle/${SCHEMA}.ts`,
  out: MIGRATIONS!,
  dbCredentials: { url: OWNER_URL! },
});
