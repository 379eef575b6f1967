// OpenID Connect: the authorization code flow with PKCE, state and nonce. It ends with an access token for the database.

import { webcrypto } from 'node:crypto';
import * as oidc from 'openid-client';

globalThis.crypto ??= webcrypto; // Node 18 has no such global

const { ISSUER, CLIENT_ID, CLIENT_SECRET, AUDIENCE, ORIGIN } = process.env;

const provider = await oidc.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  undefined,
  oidc.ClientSecretBasic(CLIENT_SECRET),
  // Plain HTTP is only for the local provider.
  { execute: new URL(ISSUER).hostname === '127.0.0.1' ? [oidc.allowInsecureRequests] : [] },
);

// Returns the address to which the browser is sent, and the values that its answer must match. `checks` stay on the server.
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
    resource: AUDIENCE, // RFC 8707: the audience of the access token. Some providers call it `audience`
    prompt: 'login', // so that another person can sign in after a sign-out here
  });
  return { url, checks };
}

// Exchanges the query of the browser's answer for a token and a name.
export async function finish(query, checks) {
  const answer = new URL(`/callback?${query}`, ORIGIN); // not from the Host header, which the client controls
  const tokens = await oidc.authorizationCodeGrant(provider, answer, checks, { resource: AUDIENCE });
  const { name, sub } = tokens.claims();
  return { token: tokens.access_token, name: name ?? sub, seconds: tokens.expiresIn() ?? 900 };
}
