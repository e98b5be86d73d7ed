// Errors as problem documents (RFC 9457), and the one table from error code to HTTP status.
// What is not a GatewayError is a bug: the caller learns `internal`, the log learns the rest.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { GatewayError, type ErrorCode } from '../core/errors.ts';
import { isSenderWaiting } from './door/continue.ts';

const table = {
  invalid_request: [400, 'the request is not valid'],
  unauthenticated: [401, 'credentials are missing or wrong'],
  forbidden: [403, 'the role does not allow this'],
  not_found: [404, 'there is no such thing'],
  method_not_allowed: [405, 'the path does not take this method'],
  state_conflict: [409, 'not possible in the present state'],
  payload_too_large: [413, 'the body is too large'],
  unsupported_media: [415, 'the media type or encoding is not accepted'],
  invalid_config: [500, 'the configuration is not valid'],
  adapter_missing: [500, 'an adapter is missing'],
  internal: [500, 'something broke inside'],
  overloaded: [503, 'too much work at the moment, try again'],
  log_unavailable: [503, 'the log cannot be written, try again'],
  store_unavailable: [503, 'the store cannot be reached, try again'],
  executor_unavailable: [503, 'the executor cannot be reached, try again'],
  deadline_exceeded: [504, 'it took too long'],
} as const satisfies { readonly [code in ErrorCode]: readonly [number, string] };

/** A status and its document; `extra` members are for machines (`letter`, `reason`). */
export interface Problem {
  readonly status: number;
  readonly code: ErrorCode;
  readonly title: string;
  readonly detail: string;
  readonly extra?: { readonly [name: string]: string };
  readonly retryAfterSeconds?: number;
}

export function problem(code: ErrorCode, detail: string, extra?: { readonly [name: string]: string }): Problem {
  const [status, title] = table[code];
  return { status, code, title, detail, ...(extra === undefined ? {} : { extra }), ...(status === 503 ? { retryAfterSeconds: 2 } : {}) };
}

/** The problem that an error is. Messages of GatewayErrors are made for callers, unless their code is about our own inside. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof GatewayError)) return problem('internal', 'see the log of the gateway');
  return table[error.code][0] === 500 ? problem(error.code, 'see the log of the gateway') : problem(error.code, error.message);
}

export function sendProblem(res: ServerResponse, { status, code, title, detail, extra, retryAfterSeconds }: Problem): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const body = JSON.stringify({ type: `urn:quench:problem:${code}`, title, status, detail, code, ...extra });
  if (retryAfterSeconds !== undefined) res.setHeader('retry-after', String(retryAfterSeconds));
  const head = { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(body) };
  finish(res, status, { head, body });
}

/** How long a sender whose body is not wanted may be silent, in milliseconds, and how much of it is read and dropped. */
const lingerMs = 2_000;
const lingerBytesMax = 134_217_728;

/**
 * Answers at once. Where the body is still arriving the connection closes, but only when the sender has ended, or after a while: what is closed
 * over unread bytes takes the answer with it.
 */
function finish(res: ServerResponse, status: number, { head, body }: { readonly head: OutgoingHttpHeaders; readonly body: string }): void {
  const { req } = res;
  if (status !== 413 || req.complete || req.destroyed || isSenderWaiting(req)) {
    res.writeHead(status, head);
    res.end(body);
    return;
  }
  res.writeHead(status, { ...head, connection: 'close' });
  res.write(body);
  let bytes = 0;
  const end = (): void => void res.end();
  req.socket.setTimeout(lingerMs); // of silence; then Node ends the connection
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > lingerBytesMax) end();
  });
  req.once('end', end).once('close', end);
}

/** The same in the words of a vendor's API: only the status is ours. */
export function sendRefusal(res: ServerResponse, said: Problem, of: (detail: string) => unknown): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const body = JSON.stringify(of(said.detail));
  if (said.retryAfterSeconds !== undefined) res.setHeader('retry-after', String(said.retryAfterSeconds));
  finish(res, said.status, { head: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }, body });
}
