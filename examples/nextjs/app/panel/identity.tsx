import { textOf } from './result';

// What PostgreSQL knows about the person who asks.
export interface Known {
  claims: { sub: string; exp: number; [claim: string]: unknown };
  status: Record<string, unknown>;
  first?: number; // the id of the person's first todo
}

export const IDENTITY = ['SELECT auth.session() AS claims', 'SELECT * FROM auth.status()', 'SELECT min(id)::int AS first FROM todos'];

export function Identity({ known: { claims, status } }: { known: Known }) {
  return (
    <div className="columns">
      <div>
        <h3>Claims</h3>
        <pre tabIndex={0} aria-label="Claims of the token"><code>{IDENTITY[0]}{'\n\n'}{JSON.stringify(claims, null, 2)}</code></pre>
      </div>
      <div>
        <h3>Status</h3>
        <pre><code>{IDENTITY[1]}</code></pre>
        <table className="status">
          <tbody>
            {Object.entries(status).map(([name, value]) => (
              <tr key={name}><th scope="row">{name}</th><td>{textOf(value)}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
