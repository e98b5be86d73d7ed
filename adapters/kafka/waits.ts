// How this folder waits: under a deadline, for a span of time, or until a bell rings. Every timer is the injected clock's.
// Nothing here knows the brokers, and nothing here tries again: how often and how long is each caller's to say.
import { GatewayError } from '../../src/core/errors.ts';
import type { Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** The promise, or `deadline_exceeded` once the span is over; what the promise began goes on, and how it ends is ignored. */
export async function within<T>(clock: Clock, span: Millis, what: string, promise: Promise<T>): Promise<T> {
  let cancel: () => void = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(span, () => reject(new GatewayError('deadline_exceeded', `${what}: no answer within ${span} ms`)));
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}

/** Resolves when the span is over. It cannot be cancelled: use it for short spans only. */
export function pause(clock: Clock, span: Millis): Promise<void> {
  return new Promise((resolve) => void clock.after(span, resolve));
}

/** Resolves when the span is over or the promise is settled, whichever is first; leaves no timer behind. */
export async function pauseOr(clock: Clock, span: Millis, woken: Promise<unknown>): Promise<void> {
  let cancel: () => void = () => {};
  const over = new Promise<void>((resolve) => (cancel = clock.after(span, resolve)));
  await Promise.race([over, woken]);
  cancel();
}

/** Wakes one loop that waits. */
export interface Bell {
  /** A promise that the next `ring` resolves. A promise that was asked for earlier and has not been resolved by then never is. */
  next(): Promise<void>;
  /** Does nothing when nobody has asked for a promise yet. */
  ring(): void;
}

export function createBell(): Bell {
  let ring: () => void = () => {};
  return {
    next: () => new Promise((resolve) => (ring = resolve)),
    ring: () => ring(),
  };
}
