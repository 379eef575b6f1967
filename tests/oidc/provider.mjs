// A real OpenID provider for the tests: the oidc-provider library on a port of its own on loopback. Its tokens go to
// PostgreSQL, which fetches the keys from its jwks_uri.
//
//   stdout   a line of JSON for each event: {"issuer":…,"jwks_uri":…} when it is ready, {"rotated":true} after a rotation
//   stdin    the line `rotate`: new keys with new kids, and the old ones are no longer published. The end of stdin ends it.
//
// POST /token gives an access token and an ID token for any account, without asking for a password:
//
//   grant_type=urn:test:login & client_id=app-ALG & account=NAME & resource=urn:api:ALG
//
// The resource decides which key signs the access token and is its `aud`; the client decides which key signs the ID token
// and is its `aud`. With grant_type=client_credentials there is no account, and `sub` is the client.

import { generateKeyPair, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import Provider, { errors } from 'oidc-provider';

const LOGIN = 'urn:test:login';
const LIFETIME = 3600; // seconds, of every token
const RESOURCE = 'urn:api:';

// RFC 7518 and RFC 8037: what kind of key each algorithm takes.
const KEY_TYPES = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
  PS256: ['rsa', { modulusLength: 2048 }],
};
const ALGORITHMS = Object.keys(KEY_TYPES);

// The library's notices would go to stdout, where whoever started us reads JSON.
console.info = console.error;

async function newKey(alg) {
  const { privateKey } = await promisify(generateKeyPair)(...KEY_TYPES[alg]);
  // Random, so that no kid comes again in another rotation or another process.
  const kid = `${alg}-${randomBytes(6).toString('hex')}`;
  return { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

function resourceServer(resource) {
  const alg = ALGORITHMS.find((name) => resource === RESOURCE + name);
  if (!alg) throw new errors.InvalidTarget();
  return { audience: resource, scope: '', accessTokenFormat: 'jwt', jwt: { sign: { alg } } };
}

// The grant in which the account is whoever the request says. Issuing and signing are the library's own.
async function login(ctx) {
  const { client, params, provider } = ctx.oidc;
  const { account, resource } = params;
  if (!account || !resource) throw new errors.InvalidRequest('account and resource are required');

  const accessToken = new provider.AccessToken({ accountId: account, client, gty: LOGIN });
  accessToken.resourceServer = new provider.ResourceServer(resource, resourceServer(resource));
  const idToken = new provider.IdToken({ sub: account }, { ctx });
  idToken.scope = 'openid';
  ctx.body = {
    access_token: await accessToken.save(),
    id_token: await idToken.issue({ use: 'idtoken' }),
    expires_in: accessToken.expiration,
    token_type: accessToken.tokenType,
  };
}

// JWTs are not stored, so no grant here ever needs the library's store.
class NoStore {
  async find() {}

  async upsert() {
    throw new Error('this provider stores nothing');
  }
}

// The library takes its keys at construction and never again: a rotation is a new Provider with the same issuer.
async function newProvider(issuer) {
  const provider = new Provider(issuer, {
    adapter: NoStore,
    jwks: { keys: await Promise.all(ALGORITHMS.map(newKey)) },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clients: ALGORITHMS.map((alg) => ({
      client_id: `app-${alg}`,
      token_endpoint_auth_method: 'none',
      grant_types: [LOGIN, 'client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: alg,
    })),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => resourceServer(resource),
        // Without a resource the token would be opaque, and nobody here could verify it.
        defaultResource() {
          throw new errors.InvalidTarget();
        },
      },
    },
    ttl: { AccessToken: LIFETIME, ClientCredentials: LIFETIME, IdToken: LIFETIME },
  });
  provider.registerGrantType(LOGIN, login, ['account', 'resource']);
  provider.on('server_error', (ctx, error) => console.error(error));
  return provider;
}

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

let answer; // the request listener of the provider with the present keys
const server = createServer((request, response) => answer(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = await newProvider(issuer);
answer = provider.callback();
say({ issuer, jwks_uri: issuer + provider.pathFor('jwks') });

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rotate') {
    answer = (await newProvider(issuer)).callback();
    say({ rotated: true });
  } else {
    console.error(`unknown command: ${line}`);
  }
}
process.exit(); // the end of stdin: also connections that are kept alive end now
