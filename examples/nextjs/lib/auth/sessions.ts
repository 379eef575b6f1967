// The sessions of browsers on the server. A browser has only a random session id, in a cookie.
//
// In memory, which suffices for an example. A real application stores sessions in a table or in Redis, for several servers.

import { randomBytes } from 'node:crypto';
import { cookies } from 'next/headers';

// httpOnly: no script can read the cookie. SameSite=Lax: browsers send it with the link back from the provider, but not with
// forms of other sites.
const attributes = { httpOnly: true, sameSite: 'lax', path: '/', secure: process.env.ORIGIN?.startsWith('https:') } as const;

// Next.js loads this module more than once, for pages and for routes.
const shared = globalThis as { sessionsOfTodos?: Map<string, { value: unknown; until: number }> };
const stored = (shared.sessionsOfTodos ??= new Map());

export function sessions<Value>(cookie: string) {
  return {
    // Always with a new id, so an id that an attacker planted in a browser has no effect.
    async open(value: Value, seconds: number) {
      const now = Date.now();
      for (const [id, { until }] of stored) if (until <= now) stored.delete(id);
      await this.close();
      const id = randomBytes(32).toString('base64url');
      stored.set(id, { value, until: now + seconds * 1000 });
      (await cookies()).set(cookie, id, { ...attributes, maxAge: seconds });
    },
    async get(): Promise<Value | undefined> {
      const session = stored.get((await cookies()).get(cookie)?.value ?? '');
      return session && session.until > Date.now() ? (session.value as Value) : undefined;
    },
    // Ends the session on the server. The id in the cookie is useless then.
    async close() {
      stored.delete((await cookies()).get(cookie)?.value ?? '');
    },
  };
}
