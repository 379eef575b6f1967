// `npm run generate` writes the next migration from the schema, and `npm run migrate` applies them as the owner of the tables.
// Do not use `drizzle-kit push`: it writes policies without their conditions, so that no user gets rows.

import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './db/schema.ts',
  out: './drizzle',
  dbCredentials: { url: process.env.DATABASE_URL! },
});
