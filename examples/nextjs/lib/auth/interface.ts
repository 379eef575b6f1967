// What the application needs of an identity provider. Each module of this directory is one.

export interface Person {
  // An access token for the database, renewed if necessary, or null if this person is not signed in.
  getToken(): Promise<string | null>;
  userName(): Promise<string | null>;
  signInUrl: string;
}

export interface Auth extends Person {
  signOutUrl: string;
  // Another person in the same browser, for the panel: the attacker. Only the example's provider has it.
  second?: Person;
  // The requests below /auth/, for providers whose SDK brings no routes.
  routes?: Record<string, (request: Request) => Promise<Response>>;
}

// The time at which a token expires, in milliseconds. Reads the token without verifying it: PostgreSQL does that.
export function expiryOf(token: string): number {
  const payload = token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/');
  return JSON.parse(atob(payload)).exp * 1000;
}
