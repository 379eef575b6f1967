// What an attacker could try with this page: send any SQL to the gateway, with any token that is at hand.

import { getToken } from '@/lib/auth/browser';
import { sqlOfVisitors, sqlWith } from '@/lib/db/browser';
import { type Failure, failureOf } from '@/lib/db/failure';

export interface Attempt {
  label: string;
  as: 'second' | 'visitor' | 'expired';
  sql: string;
  params: unknown[];
}

export type Answer = { rows: Record<string, unknown>[] } | Failure;

// `id` is the first todo of `me`, whose user id is `userId`.
export function attemptsOf(me: string, other: string, id: number | undefined, userId: string): Attempt[] {
  const all = { sql: 'SELECT id, user_id, task FROM todos ORDER BY id', params: [] };
  const attempts: Attempt[] = [
    { label: `As ${other}`, as: 'second', ...all },
    { label: 'Without a token', as: 'visitor', ...all },
    { label: 'With an expired token', as: 'expired', ...all },
    { label: `As ${other}: write a row for ${me}`, as: 'second', sql: 'INSERT INTO todos (user_id, task) VALUES ($1, $2)', params: [userId, 'a gift'] },
  ];
  if (id === undefined) return attempts; // there is no row to attack
  return [
    ...attempts,
    { label: `As ${other}: read ${me}’s row ${id}`, as: 'second', sql: 'SELECT user_id, task FROM todos WHERE id = $1', params: [id] },
    { label: `As ${other}: change ${me}’s row ${id}`, as: 'second', sql: 'UPDATE todos SET task = $2 WHERE id = $1 RETURNING id, task', params: [id, 'mine now'] },
  ];
}

// Sends the SQL, and returns PostgreSQL's answer.
export async function send({ as, sql, params }: Attempt, expired: string): Promise<Answer> {
  try {
    const client = as === 'visitor' ? sqlOfVisitors() : sqlWith(as === 'expired' ? expired : await getToken('second'));
    return { rows: await client.query(sql, params) };
  } catch (error) {
    return failureOf(error);
  }
}
