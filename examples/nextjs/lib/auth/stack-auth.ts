// Stack Auth. Besides this module, app/handler/[...stack]/page.tsx must have:
//
//   import { StackHandler } from '@stackframe/stack';
//   import { stack } from '@/lib/auth/stack-auth';
//   export default (props: unknown) => <StackHandler fullPage app={stack} routeProps={props} />;

import 'server-only';
import { StackServerApp } from '@stackframe/stack';
import type { Auth } from './interface';

export const stack = new StackServerApp({ tokenStore: 'nextjs-cookie' });

export const auth: Auth = {
  getToken: async () => (await (await stack.getUser())?.getAuthJson())?.accessToken ?? null,
  async userName() {
    const user = await stack.getUser();
    return user && (user.displayName ?? user.id);
  },
  signInUrl: stack.urls.signIn,
  signOutUrl: stack.urls.signOut,
};
