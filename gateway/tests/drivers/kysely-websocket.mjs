// Kysely over WebSocket, by the dialect that it has for pg.

import { PostgresDialect } from 'kysely';
import { Pool, url } from './driver.mjs';
import { kysely } from './kysely.mjs';

await kysely((token) => new PostgresDialect({
  pool: new Pool({ connectionString: token ? url('authenticated', token) : url('anonymous', '') }),
}));
