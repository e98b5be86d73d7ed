// What an endpoint asks of a delivery before it takes it.
//   A2  No check at all refuses; an open endpoint says `none` in words.
import type { IncomingHttpHeaders } from 'node:http';
import type { Instant } from '../core/time.ts';
import { bearerOf, matcherOf, passwordOf } from './credentials.ts';

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

export interface Gate {
  /** Everything that can be checked before the body is read. */
  headers(headers: IncomingHttpHeaders): boolean;
  body(headers: IncomingHttpHeaders, body: Buffer, now: Instant): boolean;
  /** Whether anything that is secret is asked before the body is read. */
  readonly asksBefore: boolean;
  /** For `WWW-Authenticate`. */
  readonly challenge: string;
  /** The same in words, for whoever sets up a sender; '' when nothing would do. */
  readonly asks: string;
}

/** All of the listed checks must pass. */
export function createGate(auth: readonly EndpointAuth[], verify: VerifySignature): Gate {
  const early = auth.filter((check) => check.kind !== 'hmac').map(headerCheck);
  const signing = auth.filter((check) => check.kind === 'hmac').map((check) => verify(check.secrets.filter((secret) => secret !== '')));
  const challenges = auth.map((check) => challenge[check.kind]).filter((text) => text !== '');
  return {
    headers: (headers) => auth.length > 0 && early.every((check) => check(headers.authorization ?? '')), // A2
    body: (headers, body, now) => signing.every((check) => check({ headers, body, now })),
    asksBefore: auth.some((check) => check.kind === 'bearer' || check.kind === 'basic'),
    challenge: challenges.join(', ') || challenge.bearer,
    asks: auth
      .map((check) => asked[check.kind])
      .filter((text) => text !== '')
      .join(' and '),
  };
}

const asked = {
  none: '',
  bearer: 'its token as Authorization: Bearer',
  basic: 'its token as the password of Authorization: Basic',
  hmac: 'a signature (Standard Webhooks) by its secret',
} as const;

const challenge = { none: '', bearer: 'Bearer realm="quench"', basic: 'Basic realm="quench"', hmac: 'Signature realm="quench"' } as const;

function headerCheck(check: Exclude<EndpointAuth, { readonly kind: 'hmac' }>): (authorization: string) => boolean {
  if (check.kind === 'none') return () => true;
  const matches = matcherOf(check.secrets);
  return check.kind === 'bearer' ? (header) => matches(bearerOf(header)) : (header) => matches(passwordOf(header));
}
