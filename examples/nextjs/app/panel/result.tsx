import type { Answer, Attempt } from './attempts';

// A value of PostgreSQL, as text.
export function textOf(value: unknown): string {
  if (value === null) return 'NULL';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function Result({ attempt, answer }: { attempt: Attempt; answer: Answer }) {
  return (
    <>
      <h3>{attempt.label}</h3>
      <pre><code>{attempt.sql}{attempt.params.length > 0 && `\n-- ${attempt.params.map((value, index) => `$${index + 1} = ${JSON.stringify(value)}`).join(', ')}`}</code></pre>
      {'rows' in answer ? <Rows rows={answer.rows} /> : <p className="failure">{answer.code && `SQLSTATE ${answer.code}: `}{answer.message}</p>}
    </>
  );
}

function Rows({ rows }: { rows: Record<string, unknown>[] }) {
  const count = <p className="count">{rows.length === 1 ? '1 row' : `${rows.length} rows`}</p>;
  if (!rows[0]) return count;
  const names = Object.keys(rows[0]);
  return (
    <>
      <div className="scroll">
        <table>
          <thead><tr>{names.map((name) => <th key={name}>{name}</th>)}</tr></thead>
          <tbody>{rows.map((row, index) => <tr key={index}>{names.map((name) => <td key={name}>{textOf(row[name])}</td>)}</tr>)}</tbody>
        </table>
      </div>
      {count}
    </>
  );
}
