// What went wrong, as PostgreSQL reports it. SQLSTATE class 28: the token is not valid, or not any more.

export interface Failure {
  code?: string; // no SQLSTATE: the request did not reach PostgreSQL
  message: string;
}

// Drizzle's error contains the statement and its parameters; PostgreSQL's is the cause.
export function failureOf(error: unknown): Failure {
  const { cause, code, message } = error as Error & { code?: string };
  if (cause instanceof Error && !code) return failureOf(cause);
  return { code, message };
}

// For a person who wants to add a todo.
export function problemOf(error: unknown): string {
  const { code, message } = failureOf(error);
  if (code?.startsWith('28')) return 'You have been signed out. Please sign in again.';
  if (code === '23514') return 'A todo has 1 to 200 characters.';
  return code ? `${message} (SQLSTATE ${code})` : message;
}
