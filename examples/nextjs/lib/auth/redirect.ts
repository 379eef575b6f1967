// Sends the browser to a path of this site, or to another site.
export const redirect = (target: string) =>
  new Response(null, { status: 303, headers: { Location: new URL(target, process.env.ORIGIN).href, 'Cache-Control': 'no-store' } });

// Whether a request is a click in a page of this site, and not a link or an image of another one.
export const isOwn = (request: Request) => request.headers.get('sec-fetch-site') === 'same-origin';
