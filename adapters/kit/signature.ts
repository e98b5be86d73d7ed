// Standard Webhooks 1.0, scheme v1 (HMAC-SHA256): signing what goes out, checking what comes in. Pure; time comes in.
// It keeps no memory of ids: refusing a replay inside the tolerance is the caller's, who has a store.
//   S1  Signatures are compared in constant time, as text of equal length: base64 has several spellings of the same bytes.
//   S2  The raw bytes are signed and checked, never a re-serialised body.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import { second, type Instant } from '../../src/core/time.ts';

/** How far the sender's clock may be off, either way; ids must be remembered at least this long. */
const signatureToleranceMs = 300 * second;

const secretBytesMin = 24;
const secretBytesMax = 64;
const idCharsMax = 256;
const signaturesMax = 16;

/** Why a delivery was not believed; a fixed word, fit for a metric label. */
export type SignatureFailure = 'missing_header' | 'bad_id' | 'bad_timestamp' | 'too_old' | 'too_new' | 'no_match';

/** The key in a `whsec_…` text (the prefix may be missing): base64 of 24 to 64 bytes. The error never repeats the text. */
export function keyOf(secret: string): Result<Uint8Array, string> {
  const text = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return fail('secret must be whsec_ and base64');
  const key = Buffer.from(text, 'base64');
  if (key.length < secretBytesMin || key.length > secretBytesMax) {
    return fail(`secret must hold ${secretBytesMin} to ${secretBytesMax} bytes, got ${key.length}`);
  }
  return ok(key);
}

/** The three headers for one attempt: `id` is the same over attempts, `now` is the attempt's. One signature per key, for rotation. */
export function signedHeaders(
  message: { readonly id: string; readonly body: string | Uint8Array; readonly now: Instant },
  keys: readonly Uint8Array[],
): { readonly 'webhook-id': string; readonly 'webhook-timestamp': string; readonly 'webhook-signature': string } {
  const stamp = String(Math.floor(message.now / second));
  const signatures = keys.map((key) => signatureOf(key, message.id, stamp, message.body));
  return { 'webhook-id': message.id, 'webhook-timestamp': stamp, 'webhook-signature': signatures.join(' ') };
}

/**
 * Believes a delivery when one of its `v1` signatures fits one of the keys and its time lies within ±300 s, both ends included.
 * Header names are lower case; unknown schemes (`v1a`, `v2`) are passed over.
 */
export function verifySigned(
  delivery: {
    readonly headers: { readonly [name: string]: string | undefined };
    readonly body: string | Uint8Array;
    readonly now: Instant;
  },
  keys: readonly Uint8Array[],
): Result<{ readonly id: string; readonly signedAt: Instant }, SignatureFailure> {
  const id = delivery.headers['webhook-id'];
  const stamp = delivery.headers['webhook-timestamp'];
  const signatures = delivery.headers['webhook-signature'];
  if (!id || !stamp || !signatures) return fail('missing_header');
  if (id.length > idCharsMax || id.includes('.')) return fail('bad_id');
  if (!/^\d{1,12}$/.test(stamp)) return fail('bad_timestamp');

  const signedAt = Number(stamp) * second;
  const age = Math.floor(delivery.now / second) * second - signedAt;
  if (age > signatureToleranceMs) return fail('too_old');
  if (age < -signatureToleranceMs) return fail('too_new');

  const expected = keys.map((key) => signatureOf(key, id, stamp, delivery.body));
  const offered = signatures.split(' ').slice(0, signaturesMax);
  return offered.some((text) => fitsAny(text, expected)) ? ok({ id, signedAt }) : fail('no_match');
}

function fitsAny(offered: string, expected: readonly string[]): boolean {
  const seen = Buffer.from(offered);
  return expected.some((text) => seen.length === text.length && timingSafeEqual(Buffer.from(text), seen)); // S1
}

function signatureOf(key: Uint8Array, id: string, stamp: string, body: string | Uint8Array): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${stamp}.`).update(body).digest('base64')}`;
}
