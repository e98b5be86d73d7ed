// Keeping secrets out of what people read: addresses down to their origin, and known secrets taken out by value.
// An allow-list where that is possible (redactUrl), a scrub by value where text of others must be shown (scrub).
import { oneLine } from './text.ts';

/** The origin, and `/…` for all that follows: a webhook's path or query is often its password. */
export function redactUrl(address: string): string {
  if (!URL.canParse(address)) return 'unreadable address';
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'unreadable address';
  return url.pathname === '/' && url.search === '' ? url.origin : `${url.origin}/…`;
}

/** Puts `[redacted]` for each secret, also where it was URL-encoded, base64-encoded or escaped as JSON. */
export function scrub(text: string, secrets: readonly string[]): string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < 4) continue;
    for (const form of [secret, encodeURIComponent(secret.toWellFormed()), btoaOf(secret), JSON.stringify(secret).slice(1, -1)])
      forms.add(form);
  }
  let clean = text;
  for (const form of [...forms].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(form, '[redacted]');
  return clean;
}

/** The parts of a webhook's address that may be its password. */
function secretsOfUrl(url: URL): string[] {
  const segments = url.pathname.split('/').filter((segment) => segment.length >= 8);
  return [url.pathname + url.search, url.search.slice(1), ...url.searchParams.values(), ...segments].filter((text) => text.length >= 4);
}

/** What the vendor said, on one short line for people; scrubbed before it is cut, so that no half of a secret stays. */
export function excerptOf(body: string, telling: { readonly secrets: readonly string[]; readonly url: URL }): string {
  return oneLine(scrub(body, [...telling.secrets, ...secretsOfUrl(telling.url)]), 160);
}

function btoaOf(text: string): string {
  return Buffer.from(text).toString('base64');
}
