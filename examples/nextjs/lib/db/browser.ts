// The database for the browser: the same driver, with the token of the person in front of it. Every visitor can send any SQL
// here. That is safe because PostgreSQL verifies the token, and the policies decide about each row.

import { neon, neonConfig } from '@neondatabase/serverless';
import { getToken } from '@/lib/auth/browser';

neonConfig.fetchEndpoint = process.env.NEXT_PUBLIC_FETCH_ENDPOINT!;

const options = { disableWarningInBrowsers: true }; // it warns of a password in the page, and there is none

export const sql = neon(process.env.NEXT_PUBLIC_DATABASE_AUTHENTICATED_URL!, {
  authToken: async () => getToken(),
  ...options,
});

// The same with another token, for the panel.
export const sqlWith = (token: string) =>
  neon(process.env.NEXT_PUBLIC_DATABASE_AUTHENTICATED_URL!, { authToken: token, ...options });

// A visitor without a token has the role `anonymous`.
export const sqlOfVisitors = () =>
  neon(process.env.NEXT_PUBLIC_DATABASE_AUTHENTICATED_URL!.replace('authenticated', 'anonymous'), options);
