// The sessions of browsers on the server. A browser has only a random session id, in a cookie.
//
// In memory, which suffices for an example. A real application stores sessions in a table or in Redis, for several servers.

import { randomBytes } from 'node:crypto';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';

// httpOnly: no script can read the cookie. SameSite=Lax: browsers send it with the link back from the provider, but not with
// forms of other sites. With https its name begins with __Host-, so no other host, and no port without https, can set it.
const prefix = process.env.ORIGIN.startsWith('https:') ? 'host' : undefined;
const attributes = { httpOnly: true, sameSite: 'Lax', path: '/', prefix };

export function sessions(cookie) {
  const stored = new Map();
  return {
    // Always with a new id, so an id that an attacker planted in a browser has no effect.
    open(c, value, seconds) {
      const now = Date.now();
      for (const [id, { until }] of stored) if (until <= now) stored.delete(id);
      const id = randomBytes(32).toString('base64url');
      stored.set(id, { value, until: now + seconds * 1000 });
      setCookie(c, cookie, id, { ...attributes, maxAge: seconds });
    },
    get(c) {
      const session = stored.get(getCookie(c, cookie, prefix));
      return session && session.until > Date.now() ? session.value : undefined;
    },
    // Returns a value that is valid only once. The cookie stays until it expires: Debian's Node 18 cannot delete one cookie
    // and set another in the same response.
    take(c) {
      const value = this.get(c);
      stored.delete(getCookie(c, cookie, prefix));
      return value;
    },
    close(c) {
      stored.delete(deleteCookie(c, cookie, attributes));
    },
  };
}
