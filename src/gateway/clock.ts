// The real clock, handed to whoever needs time.
import type { Clock } from '../ports/clock.ts';

const delayMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(span, call) {
    const timer = setTimeout(call, Math.min(delayMax, Math.max(0, span)));
    return () => clearTimeout(timer);
  },
};
