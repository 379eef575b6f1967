// Stytch, with its OAuth sign-in. The callback of the provider is /auth/callback.

import 'server-only';
import { cookies } from 'next/headers';
import { Client } from 'stytch';
import type { Auth } from './interface';
import { isOwn, redirect } from './redirect';

const { STYTCH_PROJECT_ID, STYTCH_SECRET, STYTCH_PUBLIC_TOKEN, STYTCH_API, ORIGIN } = process.env as Record<string, string>;
const client = new Client({ project_id: STYTCH_PROJECT_ID!, secret: STYTCH_SECRET! });
const COOKIE = 'stytch_session_jwt';
const MINUTES = 60; // of the session; a JWT lives for 5 minutes

// The session of the browser, with a JWT that is valid for another minute at least: Stytch renews an older one.
async function session() {
  const session_jwt = (await cookies()).get(COOKIE)?.value;
  if (!session_jwt) return null;
  try {
    return await client.sessions.authenticateJwt({ session_jwt, max_token_age_seconds: 240 });
  } catch {
    return null; // the session is over
  }
}

async function finish(request: Request) {
  const token = new URL(request.url).searchParams.get('token');
  if (!token) return redirect('/?problem=sign-in');
  try {
    const { session_jwt } = await client.oauth.authenticate({ token, session_duration_minutes: MINUTES });
    (await cookies()).set(COOKIE, session_jwt, {
      httpOnly: true, sameSite: 'lax', path: '/', secure: ORIGIN!.startsWith('https:'), maxAge: MINUTES * 60,
    });
  } catch (error) {
    console.error(`sign-in failed: ${(error as Error).message}`);
    return redirect('/?problem=sign-in');
  }
  return redirect('/');
}

async function end(request: Request) {
  if (!isOwn(request)) return new Response(null, { status: 403 });
  const session_jwt = (await cookies()).get(COOKIE)?.value;
  if (session_jwt) await client.sessions.revoke({ session_jwt }).catch(() => {});
  (await cookies()).delete(COOKIE);
  return redirect('/');
}

export const auth: Auth = {
  getToken: async () => (await session())?.session_jwt ?? null,
  async userName() {
    const current = await session();
    if (!current) return null;
    const { name, user_id } = await client.users.get({ user_id: current.session.user_id });
    return name?.first_name || user_id;
  },
  signInUrl: `${STYTCH_API}/v1/public/oauth/google/start?public_token=${STYTCH_PUBLIC_TOKEN}`,
  signOutUrl: '/auth/sign-out',
  routes: { callback: finish, 'sign-out': end },
};
