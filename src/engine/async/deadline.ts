// Work under a deadline of the injected clock. What the work does when its time is over is its own business: here it is told, or no longer waited for.
//   D1  No timer and no listener stays behind when the work has ended.
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';

/** Gives the work a signal that aborts after the span, or when `stopping` does; ends as the work ends. */
export async function underDeadline<T>(
  clock: Pick<Clock, 'after'>,
  span: Millis,
  stopping: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const abort = (): void => deadline.abort();
  const cancel = clock.after(span, abort);
  stopping.addEventListener('abort', abort);
  if (stopping.aborted) abort();
  try {
    return await work(deadline.signal);
  } finally {
    cancel(); // D1
    stopping.removeEventListener('abort', abort);
  }
}

/** True when the work ended within the span; false when it goes on, unwaited for. Rejects when the work rejects within the span. */
export async function endsWithin(clock: Pick<Clock, 'after'>, span: Millis, work: Promise<unknown>): Promise<boolean> {
  const { promise: over, resolve } = Promise.withResolvers<false>();
  const cancel = clock.after(span, () => resolve(false));
  try {
    return await Promise.race([work.then(() => true), over]);
  } finally {
    cancel(); // D1
  }
}
