// Asking a monitoring system a question over HTTP: one JSON answer, bounded in time and size, or one sentence about what went wrong.
// Shared by every `reconcile.ts`. What the answer means is the vendor's.
//   Q1  No sentence holds a secret, or an address beyond its origin.
import { fail, type Result } from '../../src/core/errors.ts';
import { second, type Millis } from '../../src/core/time.ts';
import { parseJson } from './event.ts';
import type { Call, Http } from './http-client.ts';
import { excerptOf, redactUrl } from './redact.ts';

const answerMs: Millis = 15 * second;
/** About 20,000 alerts with their texts. */
const answerBytesMax = 33_554_432;

/** How many open alerts are taken from one answer; one that holds more is partial. */
export const openMax = 20_000;

export interface Question extends Pick<Call, 'method' | 'url' | 'headers' | 'body'> {
  /** Who is asked, for the sentence. */
  readonly vendor: string;
  readonly secrets: readonly string[];
}

/** The JSON of a 200; anything else is a failure in words (Q1). */
export async function askJson(http: Http, question: Question, signal: AbortSignal): Promise<Result<unknown, string>> {
  const { vendor, method, url, headers, body, secrets } = question;
  const where = `${vendor}: ${redactUrl(url.href)}`;
  const answer = await http.send({ method, url, headers, body, timeoutMs: answerMs, answerBytesMax }, signal);
  if (answer.kind !== 'answered') {
    return fail(`${where}: no answer (${answer.trouble}${answer.code === '' ? '' : `, ${answer.code}`})`);
  }
  const excerpt = excerptOf(answer.body.slice(0, 4_096), { secrets, url });
  if (answer.status !== 200) return fail(`${where} answered ${answer.status}${excerpt === '' ? '' : `: ${excerpt}`}`);
  if (answer.bodyEnd !== 'whole') {
    return fail(`${where}: ${answer.bodyEnd === 'capped' ? `more than ${answerBytesMax / 1_048_576} MiB` : 'the answer broke off'}`);
  }
  const json = parseJson(answer.body, vendor);
  return json.ok ? json : fail(`${where}: the answer is no JSON: expected an API, seen ${excerpt}`);
}

/** A Basic or Bearer header from configured credentials; nothing without any. */
export function authorizationOf(given: { readonly token?: string; readonly user?: string; readonly password?: string }): {
  readonly [name: string]: string;
} {
  if (given.token !== undefined) return { authorization: `Bearer ${given.token}` };
  if (given.user === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${given.user}:${given.password ?? ''}`).toString('base64')}` };
}

/** An address below another: `http://host/prefix/` and `api/v2/alerts` to `http://host/prefix/api/v2/alerts`. */
export function below(base: URL, path: string): URL {
  const url = new URL(base.href);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  return url;
}
