// The real clock for a gateway inside a test that is soon told to stop.
import { systemClock } from '../../src/gateway/clock.ts';
import type { Clock } from '../../src/ports/clock.ts';

/**
 * Waits that do not hold up the end of the tests, and are short once the gateway is told to stop: it waits long for connections
 * that a client opened in advance and never used. Its time passes `haste` times as fast as the machine's.
 */
export function passingClock(haste = 1): { readonly clock: Clock; hurry(): void } {
  let spanMax = Number.POSITIVE_INFINITY;
  const [wall, steady] = [systemClock.now(), systemClock.steady()];
  return {
    clock: {
      now: () => wall + (systemClock.now() - wall) * haste,
      steady: () => steady + (systemClock.steady() - steady) * haste,
      after(span, call) {
        const timer = setTimeout(call, Math.min(span / haste, spanMax)).unref();
        return () => clearTimeout(timer);
      },
    },
    hurry: () => (spanMax = 300),
  };
}
