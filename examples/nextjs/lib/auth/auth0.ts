// Auth0. Besides this module, middleware.ts must have:
//
//   import { auth0 } from '@/lib/auth/auth0';
//   export const middleware = (request: Request) => auth0.middleware(request);
//
// The audience makes the access token a JWT; without it Auth0 issues an opaque one.

import 'server-only';
import { Auth0Client } from '@auth0/nextjs-auth0/server';
import type { Auth } from './interface';

export const auth0 = new Auth0Client({
  authorizationParameters: { audience: process.env.AUTH0_AUDIENCE, scope: 'openid profile offline_access' },
});

export const auth: Auth = {
  getToken: async () => (await auth0.getSession()) && (await auth0.getAccessToken()).token,
  userName: async () => (await auth0.getSession())?.user.name ?? null,
  signInUrl: '/auth/login',
  signOutUrl: '/auth/logout',
};
