// The three kinds of failure: expected (a Result with a named error), broken world (GatewayError), bug (invariant).

/** An answer or a named refusal; a caller cannot forget the second. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function fail<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** Every way in which the world around us can be broken; `http/problem.ts` maps each to a status. */
export type ErrorCode =
  | 'invalid_config'
  | 'invalid_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'state_conflict'
  | 'payload_too_large'
  | 'unsupported_media'
  | 'overloaded'
  | 'log_unavailable'
  | 'store_unavailable'
  | 'executor_unavailable'
  | 'deadline_exceeded'
  | 'adapter_missing'
  | 'internal';

/** The world is broken, or the request is: a code to act on, a sentence to read, the cause for the log. */
export class GatewayError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'GatewayError';
    this.code = code;
  }
}

/** Stops on a bug. The text cites the invariant that was broken: `R2: step within playbook`. */
export function invariant(holds: unknown, says: string): asserts holds {
  if (!holds) throw new Error(`invariant broken: ${says}`);
}

export function assertNever(value: never): never {
  throw new Error(`invariant broken: unhandled case ${JSON.stringify(value)}`);
}
