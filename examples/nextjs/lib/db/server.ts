// The database for the server: Neon's driver, with the token of the person who sent the present request.

import 'server-only';
import { neon, neonConfig } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-http';
import { auth } from '@/lib/auth';

// Without it the driver connects to port 443 of names that it makes from the connection string.
neonConfig.fetchEndpoint = process.env.NEXT_PUBLIC_FETCH_ENDPOINT!;

const sql = neon(process.env.DATABASE_AUTHENTICATED_URL!, {
  authToken: async () => {
    const token = await auth.getToken();
    if (!token) throw new Error('You are signed out. Please sign in again.');
    return token;
  },
  fetchOptions: { cache: 'no-store' }, // Next.js must not store the rows of one person and show them to another
});

export const db = drizzle({ client: sql });
