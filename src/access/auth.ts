// Who is at the door: senders by what their endpoint asks for, people and tools by a named token with a role.
//   A1  Every secret is compared in constant time, and all of them are, whichever matches.
//   A2  No check at all refuses; an open endpoint says `none` in words.
import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Instant } from '../core/time.ts';

/** One thing that an endpoint asks of a delivery. Several secrets are for rotation, and each of them passes. */
export type EndpointAuth =
  | { readonly kind: 'none' }
  /** `Authorization: Bearer <secret>`. */
  | { readonly kind: 'bearer'; readonly secrets: readonly string[] }
  /** `Authorization: Basic`, any user, the secret as password. */
  | { readonly kind: 'basic'; readonly secrets: readonly string[] }
  /** A signature over the body, as the injected `VerifySignature` defines it. */
  | { readonly kind: 'hmac'; readonly secrets: readonly string[] };

/** Prepares the secrets of one endpoint; the check is true when one of them signed exactly this body, lately. Constant time, never throws. */
export type VerifySignature = (
  secrets: readonly string[],
) => (signed: { readonly headers: IncomingHttpHeaders; readonly body: Buffer; readonly now: Instant }) => boolean;

export const roles = ['read', 'operate', 'admin'] as const;
/** Each role includes the ones before it. */
export type Role = (typeof roles)[number];

export interface ApiToken {
  /** Goes into the audit as the actor. */
  readonly name: string;
  readonly role: Role;
  readonly secret: string;
}

export interface Gate {
  /** Everything that can be checked before the body is read. */
  headers(headers: IncomingHttpHeaders): boolean;
  body(headers: IncomingHttpHeaders, body: Buffer, now: Instant): boolean;
  /** For `WWW-Authenticate`. */
  readonly challenge: string;
}

/** All of the listed checks must pass. */
export function createGate(auth: readonly EndpointAuth[], verify: VerifySignature): Gate {
  const early = auth.filter((check) => check.kind !== 'hmac').map(headerCheck);
  const signing = auth.filter((check) => check.kind === 'hmac').map((check) => verify(check.secrets.filter((secret) => secret !== '')));
  const challenges = auth.map((check) => challenge[check.kind]).filter((text) => text !== '');
  return {
    headers: (headers) => auth.length > 0 && early.every((check) => check(headers.authorization ?? '')),
    body: (headers, body, now) => signing.every((check) => check({ headers, body, now })),
    challenge: challenges.join(', ') || challenge.bearer,
  };
}

const challenge = { none: '', bearer: 'Bearer realm="quench"', basic: 'Basic realm="quench"', hmac: 'Signature realm="quench"' } as const;

function headerCheck(check: Exclude<EndpointAuth, { readonly kind: 'hmac' }>): (authorization: string) => boolean {
  if (check.kind === 'none') return () => true;
  const known = knows(check.secrets);
  return check.kind === 'bearer' ? (header) => known(bearerOf(header)) : (header) => known(passwordOf(header));
}

/** Finds the token of a request, or null. */
export function createTokens(tokens: readonly ApiToken[]): (headers: IncomingHttpHeaders) => ApiToken | null {
  const entries = tokens.map((token) => ({ token, known: knows([token.secret]) }));
  return (headers) => {
    const given = bearerOf(headers.authorization ?? '') || passwordOf(headers.authorization ?? '');
    let found: ApiToken | null = null;
    for (const entry of entries) if (entry.known(given)) found = entry.token; // A1
    return found;
  };
}

export function allows(held: Role, asked: Role): boolean {
  return roles.indexOf(held) >= roles.indexOf(asked);
}

/** A1: compares digests, which have one length; an empty secret, given or configured, never matches. */
function knows(secrets: readonly string[]): (given: string) => boolean {
  const digests = secrets.filter((secret) => secret !== '').map((secret) => hash('sha256', secret, 'buffer'));
  return (given) => {
    const digest = hash('sha256', given, 'buffer');
    let found = false;
    for (const held of digests) found = timingSafeEqual(held, digest) || found;
    return found;
  };
}

function bearerOf(header: string): string {
  return /^bearer /i.test(header) ? header.slice(7).trim() : '';
}

function passwordOf(header: string): string {
  if (!/^basic /i.test(header)) return '';
  const pair = Buffer.from(header.slice(6).trim(), 'base64').toString('utf8');
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : '';
}
