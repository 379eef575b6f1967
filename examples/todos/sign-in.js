// OpenID Connect: the authorization code flow with PKCE, state and nonce. It ends with an access token for the database.

import { webcrypto } from 'node:crypto';
import * as oidc from 'openid-client';

globalThis.crypto ??= webcrypto; // Node 18 has it, but not as a global

const { ISSUER, CLIENT_ID, CLIENT_SECRET, AUDIENCE, ORIGIN } = process.env;

const provider = await oidc.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  undefined,
  oidc.ClientSecretBasic(CLIENT_SECRET),
  // Plain HTTP is for the provider on this machine. A real one has https.
  { execute: new URL(ISSUER).hostname === '127.0.0.1' ? [oidc.allowInsecureRequests] : [] },
);

// Where to send the browser, and what its answer must fit: `checks` stay on the server.
export async function begin() {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
  };
  const url = oidc.buildAuthorizationUrl(provider, {
    redirect_uri: `${ORIGIN}/callback`,
    scope: 'openid profile',
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    resource: AUDIENCE, // RFC 8707: whom the access token is for. Some providers call it `audience`
    prompt: 'login', // so that signing out here is enough to let somebody else in
  });
  return { url, checks };
}

// The query of the browser's answer, for a token and a name to show.
export async function finish(query, checks) {
  const answer = new URL(`/callback?${query}`, ORIGIN); // not from the Host header, which anybody may write
  const tokens = await oidc.authorizationCodeGrant(provider, answer, checks, { resource: AUDIENCE });
  const { name, sub } = tokens.claims();
  return { token: tokens.access_token, name: name ?? sub, seconds: tokens.expiresIn() ?? 900 };
}
