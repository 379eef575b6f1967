// drizzle-kit writes the migration and applies it, by pg.

import { defineConfig } from 'drizzle-kit';

const { MIGRATIONS, OWNER_URL } = process.env;

export default defineConfig({ dialect: 'postgresql', schema: './schema.mjs', out: MIGRATIONS, dbCredentials: { url: OWNER_URL } });
