// The callers of the API: a named token with a role, and the scopes that it may see.
import type { IncomingHttpHeaders } from 'node:http';
import { bearerOf, matcherOf, passwordOf } from './credentials.ts';
import type { ScopeFilter } from '../readmodel/query.ts';

export const roles = ['read', 'operate', 'admin'] as const;
/** Each role includes the ones before it. */
export type Role = (typeof roles)[number];

export interface ApiToken {
  /** Goes into the audit as the actor. */
  readonly name: string;
  readonly role: Role;
  readonly secret: string;
  /** Null = every scope, and what belongs to none. */
  readonly scopes: readonly string[] | null;
}

/** Who calls, once the secret was recognised. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
  readonly scopes: ScopeFilter;
}

/** Finds the caller of a request by its token, sent as bearer or as the password of basic; null when there is none. */
export function createTokens(tokens: () => readonly ApiToken[]): (headers: IncomingHttpHeaders) => Caller | null {
  const callerOf = createCallers(tokens);
  return ({ authorization = '' }) => callerOf(bearerOf(authorization) || passwordOf(authorization));
}

/** Finds the caller of a token; null when it is nobody's. */
export function createCallers(tokens: () => readonly ApiToken[]): (given: string) => Caller | null {
  const entriesNow = whenChanged(tokens, (known) => known.map(entryOf));
  return (given) => {
    let found: Caller | null = null;
    for (const entry of entriesNow()) if (entry.matches(given)) found = entry.caller; // A1 in credentials.ts
    return found;
  };
}

function entryOf({ name, role, secret, scopes }: ApiToken): { readonly caller: Caller; readonly matches: (given: string) => boolean } {
  return { caller: { name, role, scopes: scopes ?? 'all' }, matches: matcherOf([secret]) };
}

/** What is made of something that a reload of the configuration may replace: made again only then. */
export function whenChanged<Given, Made>(given: () => Given, make: (given: Given) => Made): () => Made {
  let from = given();
  let made = make(from);
  return () => {
    const now = given();
    if (now !== from) [from, made] = [now, make(now)];
    return made;
  };
}

/** Whether a role includes another. */
export function allows(role: Role, asked: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(asked);
}
