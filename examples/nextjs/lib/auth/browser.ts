// The token in the browser, for every provider: the server renews it. The SDKs of most providers have this function too.

import { expiryOf } from './interface';

const FRESH = 2000; // milliseconds: a token that expires sooner is not sent any more
let known: { [person: string]: string } = {};

export async function getToken(person: 'first' | 'second' = 'first'): Promise<string> {
  const token = known[person];
  if (token && expiryOf(token) - Date.now() > FRESH) return token;
  const response = await fetch(`/api/token?person=${person}`, { cache: 'no-store' });
  if (!response.ok) throw new Error('You are signed out. Please sign in again.');
  known = { ...known, [person]: (await response.json()).token };
  return known[person]!;
}
