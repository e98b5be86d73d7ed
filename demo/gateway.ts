// The gateway as a client sees it: senders' deliveries with the ingest token, the API with the admin token.
// Every failure is a sentence that says what to do about it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GivenUp } from './given-up.ts';

const answerWithinMs = 10_000;
const busyTriesMax = 5;

/** A line of an incident's timeline. */
export interface Entry {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly text: string;
  readonly detail: { readonly [name: string]: unknown };
}

export interface AlertDoc {
  readonly source: string;
  readonly summary: string;
  readonly startedAt: number;
  readonly incident?: string | null;
}

export interface PageDoc {
  readonly id: string;
  readonly incident: string;
  readonly state: string;
  readonly title: string;
  readonly reason: string;
}

export interface IncidentDoc {
  readonly id: string;
  readonly state: string;
  readonly title: string;
  readonly storm: boolean;
  readonly openedAt: number;
  readonly members: number;
  readonly resolvedBy?: string;
  /** The storm that speaks for it. */
  readonly parent?: string;
}

export interface WholeIncident extends IncidentDoc {
  readonly alerts: readonly AlertDoc[];
  readonly pages: readonly PageDoc[];
}

export interface Items<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface Gateway {
  readonly url: string;
  /** T is what the API documents for the path. */
  get<T>(path: string): Promise<T>;
  post(path: string, body: object): Promise<void>;
  /** Posts a payload as its sender would, and comes again while the gateway is busy. */
  deliver(endpoint: string, payload: unknown): Promise<void>;
}

export function createGateway(place: { readonly url: string; readonly data: string; readonly signal: AbortSignal }): Gateway {
  const { url, signal } = place;
  const admin = tokenIn(join(place.data, 'admin.token'));
  const ingest = tokenIn(join(place.data, 'ingest.token'));

  async function send(path: string, token: Token, body?: unknown): Promise<Response> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
    const headers = { authorization: `Bearer ${token.secret}`, 'content-type': 'application/json' };
    const posted = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, { headers, redirect: 'error', signal: deadline, ...posted }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new GivenUp(unreachable(url, error));
    });
    if (response.ok || response.status === 503) return response;
    if (response.status === 401 || response.status === 403)
      throw new GivenUp(`the gateway at ${url} does not take the token in ${token.file} (${response.status}); --data names its folder`);
    throw new GivenUp(`${path} was answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  }

  async function ask(path: string, token: Token, body?: unknown): Promise<Response> {
    for (let tried = 1; ; tried += 1) {
      const response = await send(path, token, body);
      if (response.ok) return response;
      if (tried === busyTriesMax) throw new GivenUp(`${path}: the gateway says that it is busy: ${(await response.text()).slice(0, 300)}`);
      await response.body?.cancel();
      await sleep(1_000, undefined, { signal });
    }
  }

  return {
    url,
    async get<T>(path: string): Promise<T> {
      const response = await ask(path, admin);
      return (await response.json()) as T; // the API's own documents
    },
    async post(path, body) {
      await (await ask(path, admin, body)).body?.cancel();
    },
    async deliver(endpoint, payload) {
      await (await ask(`/webhooks/${endpoint}`, ingest, payload)).body?.cancel();
    },
  };
}

interface Token {
  readonly file: string;
  readonly secret: string;
}

function tokenIn(file: string): Token {
  try {
    return { file, secret: readFileSync(file, 'utf8').trim() };
  } catch {
    throw new GivenUp(`there is no ${file}; the gateway makes it at its first start. Start it first, in another shell: npm start`);
  }
}

function unreachable(url: string, error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : cause instanceof Error ? cause.message : 'no answer';
  return `no gateway answers at ${url} (${code}). Start it first, in another shell: npm start`;
}
