// Clerk. Besides this module, middleware.ts must have: export { clerkMiddleware as default } from '@clerk/nextjs/server';

import 'server-only';
import { auth as clerk, clerkClient, currentUser } from '@clerk/nextjs/server';
import type { Auth } from './interface';
import { isOwn, redirect } from './redirect';

export const auth: Auth = {
  getToken: async () => (await clerk()).getToken(), // lives for a minute; the SDK renews it
  async userName() {
    const user = await currentUser();
    return user && (user.fullName ?? user.id);
  },
  signInUrl: '/auth/sign-in',
  signOutUrl: '/auth/sign-out',
  routes: {
    'sign-in': async () => (await clerk()).redirectToSignIn({ returnBackUrl: process.env.ORIGIN! }),
    async 'sign-out'(request) {
      if (!isOwn(request)) return new Response(null, { status: 403 });
      const { sessionId } = await clerk();
      if (sessionId) await (await clerkClient()).sessions.revokeSession(sessionId);
      return redirect('/');
    },
  },
};
