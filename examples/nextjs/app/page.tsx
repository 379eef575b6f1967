import { auth } from '@/lib/auth';
import { BrowserTodos } from './browser-todos';
import { Panel } from './panel/panel';
import { ServerTodos } from './server-todos';

export const dynamic = 'force-dynamic'; // the page belongs to one person: Next.js must not store it

export default async function Page({ searchParams }: { searchParams: Promise<{ problem?: string }> }) {
  const name = await auth.userName();
  if (!name) return <Welcome failed={(await searchParams).problem === 'sign-in'} />;
  const second = auth.second && { name: await auth.second.userName(), signInUrl: auth.second.signInUrl };
  const rendered = Date.now();
  return (
    <main>
      <header>
        <h1>Todos of {name}</h1>
        {/* No <Link>: Next.js would fetch the address before a click. */}
        <a className="button quiet" href={auth.signOutUrl}>Sign out</a>
      </header>
      <div className="columns">
        <section aria-labelledby="server">
          <h2 id="server">From the server</h2>
          <p className="hint">A server component reads, and server actions write.</p>
          <ServerTodos />
        </section>
        <section aria-labelledby="browser">
          <h2 id="browser">From the browser</h2>
          <p className="hint">This page sends SQL to the gateway, without the server.</p>
          <BrowserTodos rendered={rendered} />
        </section>
      </div>
      <Panel me={name} second={second} rendered={rendered} />
    </main>
  );
}

function Welcome({ failed }: { failed: boolean }) {
  return (
    <main className="narrow">
      <h1>Todos</h1>
      {failed && <p className="notice" role="alert">That did not work. Please sign in again.</p>}
      <p>All todos are in one table. PostgreSQL shows you yours, to the server and to your browser.</p>
      <p><a className="button" href={auth.signInUrl}>Sign in</a></p>
    </main>
  );
}
