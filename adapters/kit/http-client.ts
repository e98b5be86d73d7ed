// One outgoing HTTP call, told honestly, and the one table from its answer to an outcome. Shared by all that speak out.
// It does not retry and does not decide what unknown means; the engine does.
//   K1  A call ends by its deadline, by its signal, or by its answer; nothing of it stays behind.
//   K2  `unwritten` is said only while no byte of the request can have left: such a call may be made again safely.
//   K3  Redirects are not followed, and every address is vetted in the connector (address-guard.ts).
//   K5  A word to people that has not begun to leave within a few seconds (`leaveWithinMs`) does not leave: it was asked against the present
//       when it was granted, and behind connections that hang it would leave much later, and unasked.
//   K6  A word to people that is withdrawn before it was written does not leave.
//   K4  What leaves here for people holds no address beyond the origin, and no secret that the caller named.
import http from 'node:http';
import https from 'node:https';
import { isIP, type Socket } from 'node:net';
import { GatewayError } from '../../src/core/errors.ts';
import type { NotifyOutcome } from '../../src/core/page/notification.ts';
import { hour, second, type Instant, type Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { createGuard, type AddressPolicy, type Resolve } from './address-guard.ts';
import { excerptOf, redactUrl } from './redact.ts';

const answerBytesMax = 65_536;
const socketsPerHostMax = 8;
const callsPerOriginMax = 64;
// Below the 5 s after which common servers drop an idle connection: a request into a dying socket would be `unknown`.
const idleMs = 4_000;
/** K5: how long a notifier's words may wait for a connection. */
export const wordsLeaveWithinMs: Millis = 5 * second;

export interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `targetOf`. */
  readonly url: URL;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  readonly timeoutMs: Millis;
  /** Within this span a connection must be there that carries it, or nothing is sent (K5); without it `timeoutMs` alone counts. */
  readonly leaveWithinMs?: Millis;
  /** Aborted when it must not leave any more: nothing is sent unless it was written by then (K6). */
  readonly withdrawn?: AbortSignal | undefined;
  /** How much of an answer is read; without it 64 KiB. */
  readonly answerBytesMax?: number;
}

/** Why a call came to nothing; the fixed words of log and metric. */
export type Trouble = 'network' | 'deadline' | 'aborted' | 'busy' | 'withdrawn' | 'blocked' | 'untrusted';

/** What is known about a call afterwards. */
export type Exchange =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: http.IncomingHttpHeaders;
      /** At most `answerBytesMax` of the call, read as UTF-8. */
      readonly body: string;
      readonly bodyEnd: 'whole' | 'capped' | 'broken';
    }
  /** Nothing left our side (K2). `code` is the system's word, such as `ECONNREFUSED`. */
  | { readonly kind: 'unwritten'; readonly trouble: Trouble; readonly code: string }
  /** Written, at least in part; it may have been acted upon. */
  | { readonly kind: 'unanswered'; readonly trouble: Trouble; readonly code: string };

export interface Http {
  /** Makes the call once. Never rejects for anything the network does; throws for a header that HTTP does not allow. */
  send(call: Call, signal: AbortSignal): Promise<Exchange>;
  /** Drops the idle connections. */
  close(): void;
}

export interface HttpOptions {
  readonly clock: Clock;
  /** `allowPrivate: true` for targets written by the operator; false for any that a playbook parameter can name. */
  readonly policy: AddressPolicy;
  /** Trusted authorities, PEM, in place of the built-in ones. */
  readonly ca?: string;
  readonly resolve?: Resolve;
}

/** One pool of connections under one address policy; shared by all notifiers. */
export function createHttp(options: HttpOptions): Http {
  const guard = createGuard(options.policy, options.resolve);
  const pool = { keepAlive: true, maxSockets: socketsPerHostMax, maxFreeSockets: 2, timeout: idleMs, lookup: guard.lookup };
  const plain = new http.Agent(pool);
  const secure = new https.Agent({ ...pool, rejectUnauthorized: true, ...(options.ca === undefined ? {} : { ca: options.ca }) });
  const underway = new Map<string, number>();

  async function send(call: Call, signal: AbortSignal): Promise<Exchange> {
    const host = call.url.hostname.replace(/^\[|\]$/g, '');
    const calls = underway.get(call.url.origin) ?? 0;
    if (signal.aborted) return unwritten('aborted');
    if (call.withdrawn?.aborted === true) return unwritten('withdrawn');
    if (isIP(host) !== 0 && !guard.admits(host)) return unwritten('blocked', 'EBLOCKED');
    if (calls >= callsPerOriginMax) return unwritten('busy');
    underway.set(call.url.origin, calls + 1);
    try {
      return await exchange(call, { host, agent: call.url.protocol === 'https:' ? secure : plain, clock: options.clock, signal });
    } finally {
      const left = (underway.get(call.url.origin) ?? 1) - 1;
      if (left === 0) underway.delete(call.url.origin);
      else underway.set(call.url.origin, left);
    }
  }

  function close(): void {
    plain.destroy();
    secure.destroy();
  }
  return { send, close };
}

interface Means {
  readonly host: string;
  readonly agent: http.Agent;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

function exchange(call: Call, { host, agent, clock, signal }: Means): Promise<Exchange> {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  const { request: open } = call.url.protocol === 'https:' ? https : http;
  const request = open({
    agent,
    method: call.method,
    hostname: host,
    port: call.url.port,
    path: call.url.pathname + call.url.search,
    headers: {
      'user-agent': 'Quench',
      ...call.headers,
      host: call.url.host,
      ...(call.body === '' ? {} : { 'content-length': String(Buffer.byteLength(call.body)) }),
    },
  });
  let written = false;
  let answer: { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly chunks: Buffer[] } | null = null;

  const end = (trouble: Trouble, code: string): void => {
    if (answer !== null) resolve(answered(answer, 'broken'));
    else resolve({ kind: written ? 'unanswered' : 'unwritten', trouble, code });
  };
  const stop = (trouble: Trouble): void => {
    end(trouble, '');
    request.destroy();
  };
  const abort = (): void => stop('aborted');
  const cancel = clock.after(call.timeoutMs, () => stop('deadline'));
  const cancelLeaving =
    call.leaveWithinMs === undefined ? null : clock.after(call.leaveWithinMs, () => (written ? undefined : stop('busy'))); // K5
  const withdraw = (): void => (written ? undefined : stop('withdrawn')); // K6
  signal.addEventListener('abort', abort, { once: true });
  call.withdrawn?.addEventListener('abort', withdraw, { once: true });
  request.on('socket', (socket) => onceReady(socket, () => (written = true)));
  request.on('error', (error: NodeJS.ErrnoException) => end(troubleOf(codeOf(error)), codeOf(error)));
  request.on('close', () => end('network', 'ECLOSED'));
  request.on('response', (response) => {
    const seen = { status: response.statusCode ?? 0, headers: response.headers, chunks: [] as Buffer[] };
    answer = seen;
    readCapped(response, seen.chunks, call.answerBytesMax ?? answerBytesMax, (bodyEnd) => {
      resolve(answered(seen, bodyEnd));
      if (bodyEnd === 'capped') request.destroy();
    });
  });
  request.end(call.body);
  return promise.finally(() => {
    cancel();
    cancelLeaving?.();
    signal.removeEventListener('abort', abort);
    call.withdrawn?.removeEventListener('abort', withdraw);
  });
}

/** Calls when the socket can carry the request: at once for a kept one, after the handshake for TLS (K2). */
function onceReady(socket: Socket, call: () => void): void {
  // `secureConnecting` is TLSSocket's; the type of the event knows the plain socket only.
  if ((socket as { secureConnecting?: boolean }).secureConnecting === true) socket.once('secureConnect', call);
  else if (socket.connecting) socket.once('connect', call);
  else if (!socket.destroyed) call();
}

function readCapped(response: http.IncomingMessage, chunks: Buffer[], bytesMax: number, done: (bodyEnd: 'whole' | 'capped') => void): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    const room = bytesMax - bytes;
    if (room > 0) chunks.push(chunk.subarray(0, room));
    bytes += chunk.length;
    if (bytes > bytesMax) done('capped');
  });
  response.on('end', () => done('whole'));
  // Reset mid-answer: the request's `close` tells it.
  response.on('error', () => {});
}

function answered(
  answer: { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly chunks: readonly Buffer[] },
  bodyEnd: 'whole' | 'capped' | 'broken',
): Exchange {
  return { kind: 'answered', status: answer.status, headers: answer.headers, body: Buffer.concat(answer.chunks).toString('utf8'), bodyEnd };
}

function unwritten(trouble: Trouble, code = ''): Exchange {
  return { kind: 'unwritten', trouble, code };
}

const certificateCodes =
  /^(ERR_TLS_CERT_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(VERIFY|GET_ISSUER)|INVALID_(CA|PURPOSE)$|HOSTNAME_MISMATCH)/;

/** Sorts a socket's error by its code; shared with notifiers that speak no HTTP. */
export function troubleOf(code: string): Trouble {
  if (code === 'EBLOCKED') return 'blocked';
  return certificateCodes.test(code) ? 'untrusted' : 'network';
}

/** The system's word for an error, such as `ECONNREFUSED`; never its message, which may hold more than people should read. */
export function codeOf(error: { readonly code?: string | undefined }): string {
  return error.code !== undefined && /^[A-Z][A-Z0-9_]{1,60}$/.test(error.code) ? error.code : 'unnamed';
}

/** Reads a configured address; `invalid_config` unless it is http(s) without user and password. The message never repeats it whole. */
export function targetOf(address: string, where: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new GatewayError('invalid_config', `${where}: expected an http or https address, got ${redactUrl(address)}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new GatewayError('invalid_config', `${where}: user and password do not belong in the address of ${url.host}`);
  }
  return url;
}

// ---------------------------------------------------------------- from answer to outcome

/** What an outcome's sentence is made of; `secrets` are scrubbed by value from whatever the vendor says back. */
export interface Telling {
  readonly who: string;
  readonly url: URL;
  readonly now: Instant;
  readonly secrets: readonly string[];
}

/**
 * The one table. 2xx accepted; 408, 425, 429 and 5xx deferred; every other answer refused; unwritten deferred,
 * but refused when waiting cannot help (address not allowed, certificate not trusted); written without an answer unknown.
 * `retryAfterMs` is 0 when the vendor names no time: the caller's own backoff counts.
 */
export function outcomeOf(call: Exchange, telling: Telling): NotifyOutcome {
  const where = `${telling.who}: ${redactUrl(telling.url.href)}`;
  if (call.kind === 'unanswered') {
    return { outcome: 'unknown', detail: `${where}: written, no answer (${wordOf(call)})` };
  }
  if (call.kind === 'unwritten') {
    const detail = `${where}: nothing sent (${wordOf(call)})`;
    const hopeless = call.trouble === 'blocked' || call.trouble === 'untrusted';
    return hopeless ? { outcome: 'refused', detail } : { outcome: 'deferred', retryAfterMs: 0, detail };
  }
  const { status } = call;
  const said = call.bodyEnd === 'broken' ? '' : excerptOf(call.body, telling);
  const detail = `${where} answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (status >= 200 && status <= 299) return { outcome: 'accepted', detail };
  if (status === 408 || status === 425 || status === 429 || (status >= 500 && status <= 599)) {
    return { outcome: 'deferred', retryAfterMs: retryAfterOf(call.headers['retry-after'], telling.now) ?? 0, detail };
  }
  if (status === 410) return { outcome: 'refused', detail: `${detail} (gone for good: remove this target)` };
  return { outcome: 'refused', detail };
}

function wordOf(failed: { readonly trouble: Trouble; readonly code: string }): string {
  return failed.code === '' ? failed.trouble : `${failed.trouble}, ${failed.code}`;
}

/** Whole seconds or an HTTP date, at most an hour from now; null when missing or unreadable. */
function retryAfterOf(header: string | undefined, now: Instant): Millis | null {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * second, hour);
  if (!/^[A-Z][a-z]{2,8},? .{5,40}$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isFinite(at) ? Math.min(Math.max(at - now, 0), hour) : null;
}
