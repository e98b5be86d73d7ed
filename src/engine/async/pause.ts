// A pause on the injected clock, which whoever stops the loop can cut short.
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';

/** Resolves when the span is over, or as soon as `cut` aborts; never rejects. Whoever has been cut short asks the signal. */
export function pause(clock: Pick<Clock, 'after'>, span: Millis, cut?: AbortSignal): Promise<void> {
  if (cut?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      cut?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(span, end);
    cut?.addEventListener('abort', end);
  });
}
