// Gives the page its token. Only pages of this site receive it: other sites cannot read the response, nor ask for it.

import { auth } from '@/lib/auth';
import { isOwn } from '@/lib/auth/redirect';

export const dynamic = 'force-dynamic';

export async function GET(request: Request) {
  if (!isOwn(request)) return new Response(null, { status: 403 });
  const person = new URL(request.url).searchParams.get('person') === 'second' ? auth.second : auth;
  const token = await person?.getToken();
  const headers = { 'Cache-Control': 'no-store' };
  return token ? Response.json({ token }, { headers }) : new Response(null, { status: 401, headers });
}
