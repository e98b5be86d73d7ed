// Links that a page carries, by which its reader looks or acts without an account: a signed token, good until it expires.
//   K1  A token is for one kind of link, names one incident, and was sent with one page of it; no other is made of it without the secret.
//   K2  A link that was sent to one person says who that is, and only the secret makes one that says so.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail, ok, type Result } from '../../core/errors.ts';
import type { Instant } from '../../core/time.ts';

const tokenCharsMax = 2_048;

/** `ack` takes an incident, `incident` shows it, `answer` says yes or no to a run that waits for it. */
export type LinkKind = 'ack' | 'incident' | 'answer';

export interface LinkClaim {
  readonly scope: string;
  readonly incident: string;
  readonly page: string;
  /** The notifier it was sent through: it says where the link was, not who opened it. */
  readonly to: string;
  readonly expiresAt: Instant;
  /** The run that waits for a yes, of `answer`. */
  readonly run?: string;
  /** Whom the notifier reaches, when that is one person and nobody else; absent of a link that several can read. */
  readonly person?: string;
}

/** A token for `/{kind}/{token}`: the claim in base64url, a dot, and its HMAC-SHA256. */
export function signLink(secret: string, kind: LinkKind, claim: LinkClaim): string {
  const { scope, incident, page, to, expiresAt, run, person } = claim;
  const members = [scope, incident, page, to, expiresAt, ...laterMembers(run, person)];
  const text = Buffer.from(JSON.stringify(members)).toString('base64url');
  return `${text}.${macOf(secret, kind, text).toString('base64url')}`;
}

/** The claim, or why not. A tampered token is `invalid` whatever it says about its expiry. */
export function readLink(
  secrets: readonly string[],
  kind: LinkKind,
  { token, now }: { readonly token: string; readonly now: Instant },
): Result<LinkClaim, 'invalid' | 'expired'> {
  const [text, mac, ...rest] = token.slice(0, tokenCharsMax + 1).split('.');
  if (text === undefined || mac === undefined || rest.length > 0 || token.length > tokenCharsMax) return fail('invalid');
  const given = Buffer.from(mac, 'base64url');
  let genuine = false;
  for (const secret of secrets) {
    const made = macOf(secret, kind, text);
    genuine = (secret !== '' && given.length === made.length && timingSafeEqual(given, made)) || genuine;
  }
  if (!genuine) return fail('invalid');
  // Written by signLink: the signature vouches for the shape.
  const [scope, incident, page, to, expiresAt, run, person] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as [
    string,
    string,
    string,
    string,
    Instant,
    (string | null)?,
    string?,
  ];
  if (now >= expiresAt) return fail('expired');
  return ok({
    scope,
    incident,
    page,
    to,
    expiresAt,
    ...(typeof run === 'string' ? { run } : {}),
    ...(person === undefined ? {} : { person }),
  });
}

/** In the place that they had since links were made: a link of an earlier version reads as it was meant. */
function laterMembers(run: string | undefined, person: string | undefined): readonly (string | null)[] {
  if (person !== undefined) return [run ?? null, person];
  return run === undefined ? [] : [run];
}

/** How an act by a link stands in the audit: where the link was sent, and whether its name was given or known. */
export function viaLink({ to, person }: Pick<LinkClaim, 'to' | 'person'>): string {
  return `${person === undefined ? 'link' : 'personal link'}${to === '' ? '' : ` to ${to}`}`;
}

function macOf(secret: string, kind: LinkKind, text: string): Buffer {
  return createHmac('sha256', secret).update(`quench-${kind}:${text}`).digest();
}
