// What a request brings to prove who sent it, and comparing that with the secrets we hold.
//   A1  Every secret is compared in constant time, and all of them are, whichever matches.
import { hash, timingSafeEqual } from 'node:crypto';

/** A check of a given secret against ours. An empty secret, given or configured, never matches. */
export function matcherOf(secrets: readonly string[]): (given: string) => boolean {
  // A1: digests have one length, whatever the secrets have.
  const digests = secrets.filter((secret) => secret !== '').map(digestOf);
  return (given) => {
    const digest = digestOf(given);
    let found = false;
    for (const ours of digests) found = timingSafeEqual(ours, digest) || found;
    return found;
  };
}

/** The secret of `Authorization: Bearer`, or ''. */
export function bearerOf(header: string): string {
  return /^bearer /i.test(header) ? header.slice(7).trim() : '';
}

/** The password of `Authorization: Basic`, or ''. */
export function passwordOf(header: string): string {
  if (!/^basic /i.test(header)) return '';
  const pair = Buffer.from(header.slice(6).trim(), 'base64').toString('utf8');
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : '';
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
