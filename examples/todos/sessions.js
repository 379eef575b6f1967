// What the server remembers of a browser. The browser itself has only a random name for it, in a cookie.
//
// In memory, as befits an example: a real site keeps it in a table or in Redis, and several servers share that.

import { randomBytes } from 'node:crypto';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';

// httpOnly: no script can read it. SameSite=Lax: it does not come with a form of another site, but with the link back from
// the provider. With https its name gets the prefix __Host-, and then no other host or port without https can set it.
const prefix = process.env.ORIGIN.startsWith('https:') ? 'host' : undefined;
const attributes = { httpOnly: true, sameSite: 'Lax', path: '/', prefix };

export function sessions(cookie) {
  const kept = new Map();
  return {
    // Always under a new name, so that one that somebody planted in a browser is worth nothing.
    open(c, value, seconds) {
      const now = Date.now();
      for (const [id, { until }] of kept) if (until <= now) kept.delete(id);
      const id = randomBytes(32).toString('base64url');
      kept.set(id, { value, until: now + seconds * 1000 });
      setCookie(c, cookie, id, { ...attributes, maxAge: seconds });
    },
    get(c) {
      const session = kept.get(getCookie(c, cookie, prefix));
      return session && session.until > Date.now() ? session.value : undefined;
    },
    // For what is good only once. The cookie is left to expire, since it names nothing any more: Debian's Node 18 cannot
    // take away one cookie and set another in the same answer.
    take(c) {
      const value = this.get(c);
      kept.delete(getCookie(c, cookie, prefix));
      return value;
    },
    close(c) {
      kept.delete(deleteCookie(c, cookie, attributes));
    },
  };
}
