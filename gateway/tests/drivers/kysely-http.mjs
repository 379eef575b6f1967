// Kysely over HTTP, by kysely-neon.

import { NeonDialect } from 'kysely-neon';
import { neon, url } from './driver.mjs';
import { kysely } from './kysely.mjs';

await kysely((token) => new NeonDialect({ neon: neon(url(token ? 'authenticated' : 'anonymous'), { authToken: token }) }));
