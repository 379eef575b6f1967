// A local OpenID provider for the example, in place of Auth0, Clerk or Keycloak. It needs no password. The library
// oidc-provider implements the protocol; this file adds the two people, the client, and the page to choose a person.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import Provider, { errors } from 'oidc-provider';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, AUDIENCE, ORIGIN } = process.env;
const { REDIRECT_URI = `${ORIGIN}/callback`, TOKEN_SECONDS = '3600' } = process.env; // others in examples/nextjs
const people = new Map([['user_alice', 'Alice'], ['user_bob', 'Bob']]);
const style = await readFile(new URL('style.css', import.meta.url), 'utf8');

// A new key at each start invalidates all earlier tokens.
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(6).toString('hex'), alg: 'RS256', use: 'sig' };

const provider = new Provider(ISSUER, {
  jwks: { keys: [key] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  clients: [{
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code', 'refresh_token'], // the latter if the application asks for offline_access
    response_types: ['code'],
  }],
  pkce: { required: () => true, methods: ['S256'] },
  features: {
    devInteractions: { enabled: false },
    // The extension needs an access token that is a JWT with the database as its audience.
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(ctx, resource) {
        if (resource !== AUDIENCE) throw new errors.InvalidTarget();
        return { audience: resource, scope: '', accessTokenFormat: 'jwt' };
      },
    },
  },
  claims: { openid: ['sub'], profile: ['name'] },
  conformIdTokenClaims: false, // puts the name into the ID token, which saves a request
  findAccount: (ctx, sub) => people.has(sub) && { accountId: sub, claims: () => ({ sub, name: people.get(sub) }) },
  // The application belongs to the same organization, so the provider asks for no consent.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid profile offline_access');
    await grant.save();
    return grant;
  },
  interactions: { url: (ctx, { uid }) => `/who/${uid}` },
  ttl: { AccessToken: Number(TOKEN_SECONDS), Grant: 3600, IdToken: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600 },
});

const choice = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Who are you?</title><style>${style}</style></head>
  <body>
    <main>
      <h1>Who are you?</h1>
      <p>This is the example's identity provider. A real one would ask for a password.</p>
      <form class="people" method="post">
        ${[...people].map(([sub, name]) => `<button name="sub" value="${sub}">${name}</button>`).join('\n        ')}
      </form>
    </main>
  </body>
</html>`;

async function ask(request, response) {
  await provider.interactionDetails(request, response); // fails in a browser without a sign-in of the application
  if (request.method !== 'POST') {
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end(choice);
    return;
  }
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const accountId = new URLSearchParams(Buffer.concat(chunks).toString()).get('sub');
  if (!people.has(accountId)) throw new Error('unknown person');
  await provider.interactionFinished(request, response, { login: { accountId }, consent: {} });
}

const protocol = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith('/who/')) return protocol(request, response);
  return ask(request, response).catch((error) => {
    console.error(error);
    response.writeHead(400).end('This sign-in is over. Please begin again in the application.');
  });
}).listen(new URL(ISSUER).port, '127.0.0.1', () => console.log(`ready: ${ISSUER}`));
