'use client';

import { useCallback, useEffect, useState } from 'react';
import { getToken } from '@/lib/auth/browser';
import { expiryOf } from '@/lib/auth/interface';
import { sql } from '@/lib/db/browser';
import { problemOf } from '@/lib/db/failure';
import { type Answer, type Attempt, attemptsOf, send } from './attempts';
import { Identity, IDENTITY, type Known } from './identity';
import { Result } from './result';

interface Props {
  me: string;
  second?: { name: string | null; signInUrl: string };
  rendered: number;
}

// What PostgreSQL knows about the person, and what it answers to attackers. This page sends all of it to the gateway.
export function Panel({ me, second, rendered }: Props) {
  const { known, count, problem } = useIdentity(rendered);
  const now = useNow();
  const kept = useKeptToken();
  const [last, setLast] = useState<{ attempt: Attempt; answer: Answer }>();

  if (problem) return <section className="panel"><p className="notice" role="alert">{problem}</p></section>;
  if (!known || !kept) return <section className="panel"><p className="hint">Reading …</p></section>;
  const wait = Math.max(0, Math.ceil((expiryOf(kept) - now) / 1000));
  const left = Math.max(0, Math.ceil(known.claims.exp - now / 1000));
  const attempts = attemptsOf(me, second?.name ?? '', known.first, known.claims.sub)
    .filter(({ as }) => as !== 'second' || second?.name);

  async function run(attempt: Attempt) {
    setLast({ attempt, answer: await send(attempt, kept!) });
  }

  return (
    <section className="panel" aria-labelledby="panel">
      <h2 id="panel">What PostgreSQL knows</h2>
      <p className="hint">Token {count} of this page expires in {left} s. Then the page gets another one.</p>
      <Identity known={known} />
      <h2>What an attacker gets</h2>
      {second && !second.name && (
        <p><a className="button quiet" href={second.signInUrl}>Sign in a second person</a> to attack {me}’s todos.</p>
      )}
      <div className="attempts">
        {attempts.map((attempt) => (
          <button key={attempt.label} className="quiet" disabled={attempt.as === 'expired' && wait > 0} onClick={() => run(attempt)}>
            {attempt.label}
          </button>
        ))}
      </div>
      {wait > 0 && <p className="hint">The page keeps its first token until it has expired, in {wait} s.</p>}
      <div className="answer" role="status" aria-label="Answer of PostgreSQL">{last && <Result {...last} />}</div>
    </section>
  );
}

// Asks PostgreSQL after each change of the page, and when the token has expired. Counts the tokens.
function useIdentity(rendered: number) {
  const [state, setState] = useState<{ known?: Known; count: number; problem?: string }>({ count: 0 });
  const load = useCallback(async () => {
    try {
      const results = await sql.transaction(IDENTITY.map((text) => sql.query(text)));
      const [session, status, first] = results.map(([row]) => row as Record<string, any>);
      const known: Known = { claims: session!.claims, status: status!, first: first!.first ?? undefined };
      setState((before) => ({ known, count: before.count + Number(before.known?.claims.exp !== known.claims.exp) }));
    } catch (error) {
      setState((before) => ({ ...before, problem: problemOf(error) }));
    }
  }, []);
  useEffect(() => { void load(); }, [load, rendered]);
  const exp = state.known?.claims.exp;
  useEffect(() => {
    if (!exp) return;
    const timer = setTimeout(load, exp * 1000 - Date.now());
    return () => clearTimeout(timer);
  }, [load, exp]);
  return state;
}

function useNow() {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

// The first token of this page. It is never sent before it has expired.
function useKeptToken() {
  const [token, setToken] = useState<string>();
  useEffect(() => { getToken().then(setToken, () => {}); }, []);
  return token;
}
