// Signing in and out, for providers whose SDK brings no routes.

import { auth } from '@/lib/auth';

export const dynamic = 'force-dynamic';

export async function GET(request: Request, { params }: { params: Promise<{ step: string }> }) {
  const { step } = await params;
  const route = Object.hasOwn(auth.routes ?? {}, step) && auth.routes?.[step];
  return route ? route(request) : new Response('There is no such page.', { status: 404 });
}
