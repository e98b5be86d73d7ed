// http/request and http/probe: one call to an address on the operator's list, told honestly.
// The connection, its deadline and the address guard are kit/http-client.ts; the list is reach.ts. Redirects are never followed.
//   W1  Only addresses on `http.allow` are called; values from an alert travel encoded, in `query`, `json` or a header.
//   W2  Every http/request carries Idempotency-Key = the key of the call; it is sent once and never repeated here.
//   W3  What was written and not answered is `unknown` for a request; an answer of a go-between that it had none (502, 504) counts as that.
import { validateHeaderValue } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Json } from '../../src/core/json.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import type { Millis } from '../../src/core/time.ts';
import type { Template } from '../../src/core/playbook/document.ts';
import type { Action, ActionRequest, ListFault } from '../../src/ports/action.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { smallObject } from '../kit/answer.ts';
import { createHttp, targetOf, type Call, type Exchange, type Http } from '../kit/http-client.ts';
import { checked, type ActionFamily } from '../kit/kinds.ts';
import { redactUrl, scrub } from '../kit/redact.ts';
import { HttpConfig } from './config.ts';
import { createReach, isBelow, urlFaults, type Reach } from './reach.ts';

type Answered = Extract<Exchange, { kind: 'answered' }>;
type Output = { readonly [name: string]: Json };

interface Input {
  readonly url: string;
  readonly method?: Call['method'];
  readonly query?: { readonly [name: string]: string | number | boolean };
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
  readonly json?: Json;
  readonly expectStatus?: readonly number[];
  readonly bodyContains?: string;
  readonly successes?: number;
  readonly everyMs?: Millis;
}

/** Names that belong to the transport or to us. */
const ownHeaders = /^(?:host|connection|content-length|transfer-encoding|expect|upgrade|te|trailer|keep-alive|proxy-.*|idempotency-key)$/i;

const shared = {
  url: { type: 'string', 'x-quench': 'address', minLength: 1, maxLength: 4096 },
  query: {
    type: 'object',
    maxProperties: 32,
    additionalProperties: { type: ['string', 'number', 'boolean'], maxLength: 4096 },
  },
  headers: {
    type: 'object',
    maxProperties: 32,
    additionalProperties: false,
    patternProperties: { '^[A-Za-z][A-Za-z0-9-]{0,63}$': { type: 'string', maxLength: 4096 } },
  },
  expectStatus: { type: 'array', minItems: 1, maxItems: 32, items: { type: 'integer', minimum: 100, maximum: 599 } },
};

const requestInput = {
  type: 'object',
  required: ['url'],
  additionalProperties: false,
  not: { required: ['body', 'json'] },
  properties: {
    ...shared,
    method: { enum: ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'] },
    body: { type: 'string', maxLength: 262_144 },
    json: { type: ['object', 'array'] },
  },
};

const probeInput = {
  type: 'object',
  required: ['url'],
  additionalProperties: false,
  properties: {
    ...shared,
    method: { enum: ['GET', 'HEAD'] },
    bodyContains: { type: 'string', minLength: 1, maxLength: 4096 },
    successes: { type: 'integer', minimum: 1, maximum: 20 },
    everyMs: { type: 'integer', minimum: 0, maximum: 60_000 },
  },
};

interface Means {
  readonly http: Http;
  readonly reach: Reach;
  readonly credentials: readonly { readonly below: URL; readonly headers: { readonly [name: string]: string } }[];
  /** Their values, and the words in them: a token is secret without its scheme too. */
  readonly secrets: readonly string[];
}

export const httpActions: ActionFamily = {
  name: 'http',
  options: HttpConfig,
  create: (config, clock) => createHttpActions(checked(config), clock),
};

/** The two HTTP actions; `invalid_config` for an unreadable list entry or credential address. */
export function createHttpActions(config: HttpConfig, clock: Clock): readonly Action[] {
  const reach = createReach(config.allow ?? []);
  const credentials = (config.credentials ?? []).map(({ url, headers }) => ({ below: targetOf(url, 'http.credentials'), headers }));
  const values = credentials.flatMap(({ headers }) => Object.values(headers));
  const secrets = [...values, ...values.flatMap((value) => value.split(' '))].filter((secret) => secret.length >= 8);
  const http = createHttp({ clock, policy: { allowPrivate: false, allow: reach.hosts } });
  const means: Means = { http, reach, credentials, secrets };
  const permits = (asked: Template): readonly ListFault[] => urlFaults(asked, reach, config.allow ?? []);
  return [
    {
      name: 'http/request',
      summary: 'Sends one HTTP request that changes something.',
      effect: 'once',
      input: requestInput,
      permits,
      act: (asked, signal) => request(means, asked, signal),
    },
    {
      name: 'http/probe',
      summary: 'Asks an address for its status, several times in a row if wanted.',
      effect: 'read',
      probe: true,
      input: probeInput,
      permits,
      act: (asked, signal) => probe(means, asked, signal),
    },
  ];
}

async function request(means: Means, asked: ActionRequest, signal: AbortSignal): Promise<ActionOutcome> {
  const input = inputOf(asked);
  const call = callOf(means, input, { method: input.method ?? 'POST', timeoutMs: asked.timeoutMs, key: asked.key });
  if (!call.ok) return call.error;
  const startedAt = performance.now();
  const exchange = await means.http.send(call.value, signal);
  const judged = judge(means, call.value, input, { exchange, tookMs: Math.round(performance.now() - startedAt) });
  const lost = exchange.kind === 'unanswered' || (exchange.kind === 'answered' && (exchange.status === 502 || exchange.status === 504));
  return judged.outcome === 'failed' && lost ? { outcome: 'unknown', detail: judged.detail } : judged; // W3
}

async function probe(means: Means, asked: ActionRequest, signal: AbortSignal): Promise<ActionOutcome> {
  const input = inputOf(asked);
  const startedAt = performance.now();
  const successes = input.successes ?? 1;
  for (let done = 1; ; done += 1) {
    const left = Math.floor(asked.timeoutMs - (performance.now() - startedAt));
    if (left < 1)
      return failed('deadline', `http: ${redactUrl(input.url)}: ${done - 1} of ${successes} answers within ${asked.timeoutMs}ms`);
    const call = callOf(means, input, { method: input.method ?? 'GET', timeoutMs: left, key: null });
    if (!call.ok) return call.error;
    const exchange = await means.http.send(call.value, signal);
    const judged = judge(means, call.value, input, { exchange, tookMs: Math.round(performance.now() - startedAt) });
    if (judged.outcome !== 'ok' || done === successes) return judged;
    const rest = Math.max(0, asked.timeoutMs - (performance.now() - startedAt));
    await sleep(Math.min(input.everyMs ?? 1_000, rest), undefined, { signal }).catch(() => {}); // called off: the next send says so
  }
}

/** The call as it will be made, or why it must not be. */
function callOf(
  means: Means,
  input: Input,
  how: { readonly method: Call['method']; readonly timeoutMs: Millis; readonly key: string | null },
): Result<Call, ActionOutcome> {
  const url = URL.canParse(input.url) ? new URL(input.url) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    return fail(failed('invalid_input', `http: expected an http or https address without user and password, got ${redactUrl(input.url)}`));
  }
  for (const [name, value] of Object.entries(input.query ?? {})) url.searchParams.append(name, String(value));
  url.hash = '';
  if (!means.reach.admits(url))
    return fail(failed('refused', `http: ${redactUrl(url.href)} is not on the list http.allow of the configuration`));
  const headers = new Map<string, string>();
  if (input.json !== undefined) headers.set('content-type', 'application/json');
  for (const [name, value] of Object.entries(input.headers ?? {})) {
    if (ownHeaders.test(name)) return fail(failed('invalid_input', `http: header ${name} is set by Quench itself`));
    if (!sendable(name, value)) return fail(failed('invalid_input', `http: header ${name} holds a character that HTTP does not allow`));
    headers.set(name.toLowerCase(), value);
  }
  for (const { below, headers: secret } of means.credentials) {
    if (isBelow(url, below)) for (const [name, value] of Object.entries(secret)) headers.set(name.toLowerCase(), value);
  }
  if (how.key !== null) headers.set('idempotency-key', how.key); // W2
  const body = input.json === undefined ? (input.body ?? '') : JSON.stringify(input.json);
  return ok({ method: how.method, url, headers: Object.fromEntries(headers), body, timeoutMs: how.timeoutMs });
}

/** What an exchange means for one that only looks; `request` alone knows that it may have changed something. */
function judge(
  means: Means,
  call: Call,
  input: Input,
  seen: { readonly exchange: Exchange; readonly tookMs: Millis },
): Extract<ActionOutcome, { outcome: 'ok' | 'failed' }> {
  const { exchange, tookMs } = seen;
  const where = `http: ${call.method} ${redactUrl(call.url.href)}`;
  if (exchange.kind !== 'answered') {
    const word = exchange.code === '' ? exchange.trouble : `${exchange.trouble}, ${exchange.code}`;
    return failed(exchange.trouble, `${where}: ${exchange.kind === 'unwritten' ? 'nothing sent' : 'sent, no answer'} (${word})`, {
      tookMs,
    });
  }
  const output = outputOf(means, exchange, tookMs);
  const { status } = exchange;
  const expected = input.expectStatus?.includes(status) ?? (status >= 200 && status <= 299);
  if (!expected) {
    const wanted = input.expectStatus?.join(', ') ?? '2xx';
    const redirect = status >= 300 && status <= 399 ? '; redirects are not followed' : '';
    return failed('status', `${where} answered ${status}, expected ${wanted}${redirect}`, output);
  }
  if (input.bodyContains !== undefined && !exchange.body.includes(input.bodyContains)) {
    return failed('body', `${where} answered ${status} without the text ${JSON.stringify(input.bodyContains.slice(0, 120))}`, output);
  }
  return { outcome: 'ok', output };
}

function outputOf(means: Means, exchange: Answered, tookMs: Millis): Output {
  const body = scrub(exchange.body, means.secrets);
  const json = exchange.bodyEnd === 'whole' ? smallObject(body) : null;
  return { status: exchange.status, body, truncated: exchange.bodyEnd !== 'whole', tookMs, ...(json === null ? {} : { json }) };
}

function inputOf(asked: ActionRequest): Input {
  // The shape was checked against the schema before we are called.
  return checked(asked.input);
}

function sendable(name: string, value: string): boolean {
  try {
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

function failed(error: string, detail: string, output: Output = {}): Extract<ActionOutcome, { outcome: 'failed' }> {
  return { outcome: 'failed', error, detail, output };
}
