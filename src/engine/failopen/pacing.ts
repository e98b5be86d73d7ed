// How many raw pages go out one by one, and when the rest goes out as one page that counts it. Pure: `now` is the steady clock, handed in.
//   O2  In five minutes at most ten alerts are paged one by one; all others in one page that counts them, at most one in five minutes.
import { minute, second, type Millis } from '../../core/time.ts';

export const singlesMax = 10;
export const windowMs: Millis = 5 * minute;
/** How long the page that counts the rest waits for more of them. */
const gatherMs: Millis = 10 * second;

export interface Pacing {
  /** Whether the alert may be paged by itself; if not, it is one of the rest. */
  takeSingle(key: string, now: Millis): boolean;
  /** There is an alert that only the counting page will tell of; it gets the same time as others. */
  expectMore(afterMs: Millis, now: Millis): void;
  /** The counting page is not to tell of it any more. */
  forget(key: string): void;
  /** When the counting page is due, or null. */
  readonly restDue: Millis | null;
  /** Those that the counting page is about. It is due no more; `sent` says when one went out. */
  takeRest(): readonly string[];
  sent(now: Millis): void;
}

export function createPacing(): Pacing {
  const rest = new Set<string>();
  let windowFrom = Number.NEGATIVE_INFINITY;
  let singles = 0;
  let restDue: Millis | null = null;
  let restSentAt = Number.NEGATIVE_INFINITY;
  return {
    takeSingle(key, now) {
      if (now - windowFrom >= windowMs) {
        windowFrom = now;
        singles = 0;
      }
      if (singles < singlesMax) {
        singles += 1;
        return true;
      }
      rest.add(key); // O2
      restDue = Math.min(restDue ?? Number.POSITIVE_INFINITY, Math.max(now + gatherMs, restSentAt + windowMs));
      return false;
    },
    expectMore(afterMs, now) {
      restDue ??= Math.max(now + afterMs + gatherMs, restSentAt + windowMs);
    },
    forget: (key) => void rest.delete(key),
    get restDue() {
      return restDue;
    },
    takeRest() {
      const keys = [...rest];
      rest.clear();
      restDue = null;
      return keys;
    },
    sent(now) {
      restSentAt = now;
    },
  };
}
