// Azure AD B2C, with MSAL. The scope must be one of your API's: `openid` alone does not return an access token for it.

import 'server-only';
import { ConfidentialClientApplication, CryptoProvider } from '@azure/msal-node';
import type { Auth } from './interface';
import { isOwn, redirect } from './redirect';
import { sessions } from './sessions';

const { B2C_TENANT, B2C_POLICY, B2C_CLIENT_ID, B2C_CLIENT_SECRET, B2C_SCOPE, ORIGIN } = process.env as Record<string, string>;
const HOUR = 3600;
const host = `${B2C_TENANT}.b2clogin.com`;
const scopes = [B2C_SCOPE!, 'offline_access'];
const redirectUri = `${ORIGIN}/auth/callback`;

// MSAL has the tokens of all sessions, in memory, and renews them.
const msal = new ConfidentialClientApplication({
  auth: {
    clientId: B2C_CLIENT_ID!,
    clientSecret: B2C_CLIENT_SECRET!,
    authority: `https://${host}/${B2C_TENANT}.onmicrosoft.com/${B2C_POLICY}`,
    knownAuthorities: [host],
  },
});
const crypto = new CryptoProvider();
const signingIn = sessions<{ verifier: string; state: string; nonce: string }>('signing-in');
const signedIn = sessions<{ homeAccountId: string }>('session');

async function begin() {
  const { verifier, challenge } = await crypto.generatePkceCodes();
  const checks = { verifier, state: crypto.createNewGuid(), nonce: crypto.createNewGuid() };
  const { state, nonce } = checks;
  const url = await msal.getAuthCodeUrl({
    scopes, redirectUri, state, nonce, codeChallenge: challenge, codeChallengeMethod: 'S256',
  });
  await signingIn.open(checks, 600);
  return redirect(url);
}

async function finish(request: Request) {
  const began = await signingIn.get();
  await signingIn.close();
  const answer = new URL(request.url).searchParams;
  const code = answer.get('code');
  if (!began || !code || answer.get('state') !== began.state) return redirect('/?problem=sign-in');
  try {
    const { account } = await msal.acquireTokenByCode(
      { code, scopes, redirectUri, codeVerifier: began.verifier },
      { code, nonce: began.nonce },
    );
    await signedIn.open({ homeAccountId: account!.homeAccountId }, HOUR);
  } catch (error) {
    console.error(`sign-in failed: ${(error as { errorCode?: string }).errorCode}`);
    return redirect('/?problem=sign-in');
  }
  return redirect('/');
}

async function end(request: Request) {
  if (!isOwn(request)) return new Response(null, { status: 403 });
  await signedIn.close();
  return redirect('/');
}

async function account() {
  const session = await signedIn.get();
  return session ? msal.getTokenCache().getAccountByHomeId(session.homeAccountId) : null;
}

export const auth: Auth = {
  async getToken() {
    const current = await account();
    return current && (await msal.acquireTokenSilent({ account: current, scopes })).accessToken;
  },
  async userName() {
    const current = await account();
    return current && (current.name ?? current.localAccountId);
  },
  signInUrl: '/auth/sign-in',
  signOutUrl: '/auth/sign-out',
  routes: { 'sign-in': begin, callback: finish, 'sign-out': end },
};
