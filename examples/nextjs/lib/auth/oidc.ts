// Any OpenID provider, by the authorization code flow with PKCE, state and nonce. The access token must be a JWT with the
// database as its audience. It lives for a minute or so; the refresh token, which stays on the server, renews it.

import 'server-only';
import * as oidc from 'openid-client';
import { type Auth, expiryOf, type Person } from './interface';
import { isOwn, redirect } from './redirect';
import { sessions } from './sessions';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, AUDIENCE, ORIGIN } = process.env as Record<string, string>;
const HOUR = 3600;
const RENEW_BEFORE = 5000; // milliseconds before the token expires

interface SignedIn {
  name: string;
  token: string;
  refreshToken?: string;
  renewal?: Promise<void>;
}
type Who = 'first' | 'second';
interface SigningIn {
  who: Who;
  checks: oidc.AuthorizationCodeGrantChecks & { pkceCodeVerifier: string; expectedState: string; expectedNonce: string };
}

const signingIn = sessions<SigningIn>('signing-in');
const signedIn = { first: sessions<SignedIn>('session'), second: sessions<SignedIn>('second') };

// Discovered by the first request, because the provider need not run during the build.
let discovered: Promise<oidc.Configuration> | undefined;
function provider(): Promise<oidc.Configuration> {
  const options = new URL(ISSUER!).hostname === '127.0.0.1' // plain HTTP is only for the local provider
    ? { execute: [oidc.allowInsecureRequests] } : {};
  discovered ??= oidc.discovery(new URL(ISSUER!), CLIENT_ID!, undefined, oidc.ClientSecretBasic(CLIENT_SECRET!), options)
    .catch((error) => {
      discovered = undefined;
      throw error;
    });
  return discovered;
}

async function begin(request: Request) {
  const who: Who = new URL(request.url).searchParams.has('second') ? 'second' : 'first';
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
  };
  const url = oidc.buildAuthorizationUrl(await provider(), {
    redirect_uri: `${ORIGIN}/auth/callback`,
    scope: 'openid profile offline_access', // the last one is for the refresh token
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    resource: AUDIENCE!, // RFC 8707: the audience of the access token. Some providers call it `audience`
    prompt: 'login consent', // `login` for another person after a sign-out, `consent` for offline_access
  });
  await signingIn.open({ who, checks }, 600);
  return redirect(url.href);
}

async function finish(request: Request) {
  const began = await signingIn.get();
  await signingIn.close(); // the answer of the provider is valid once
  if (!began) return redirect('/?problem=sign-in');
  try {
    // Not from the Host header, which the client controls.
    const answer = new URL(`/auth/callback${new URL(request.url).search}`, ORIGIN);
    const tokens = await oidc.authorizationCodeGrant(await provider(), answer, began.checks, { resource: AUDIENCE! });
    const { name, sub } = tokens.claims()!;
    const person = { name: String(name ?? sub), token: tokens.access_token, refreshToken: tokens.refresh_token };
    await signedIn[began.who].open(person, HOUR);
  } catch (error) {
    const { code, name, message } = error as Error & { code?: string };
    console.error(`sign-in failed: ${code ?? name}: ${message}`);
    return redirect('/?problem=sign-in');
  }
  return redirect('/');
}

async function end(request: Request) {
  if (!isOwn(request)) return new Response(null, { status: 403 });
  await signedIn.first.close();
  await signedIn.second.close();
  return redirect('/');
}

async function renew(session: SignedIn) {
  const tokens = await oidc.refreshTokenGrant(await provider(), session.refreshToken!, { resource: AUDIENCE! });
  session.token = tokens.access_token;
  session.refreshToken = tokens.refresh_token ?? session.refreshToken; // some providers issue a new one each time
}

const person = (who: Who): Person => ({
  async getToken() {
    const session = await signedIn[who].get();
    if (!session) return null;
    if (expiryOf(session.token) - Date.now() > RENEW_BEFORE || !session.refreshToken) return session.token;
    // Requests at the same time share one renewal: a refresh token may be valid only once.
    session.renewal ??= renew(session).finally(() => { session.renewal = undefined; });
    try {
      await session.renewal;
      return session.token;
    } catch (error) {
      console.error(`the token was not renewed: ${(error as Error).message}`);
      await signedIn[who].close();
      return null;
    }
  },
  userName: async () => (await signedIn[who].get())?.name ?? null,
  signInUrl: who === 'first' ? '/auth/sign-in' : '/auth/sign-in?second',
});

export const auth: Auth = {
  ...person('first'),
  second: person('second'),
  signOutUrl: '/auth/sign-out',
  routes: { 'sign-in': begin, callback: finish, 'sign-out': end },
};
