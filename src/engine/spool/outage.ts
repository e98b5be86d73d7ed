// What we know of the shared log: whether it can be reached, and how often in a row it could not. Pure: times are handed in.
import { backoffAfter, second, type Instant, type Millis } from '../../core/time.ts';

const probe = { firstMs: 500, maxMs: 5 * second } as const;

export interface Outage {
  /** What came did not get through. True when this is news: the log could be reached until now. */
  began(at: Instant): boolean;
  /** What was sent on did not get through. */
  goesOn(at: Instant): void;
  /** It has taken something. */
  reached(): void;
  /** Nothing is owed to it any more: what comes goes to it directly again. */
  over(): void;
  /** An attempt to send on did not get through; true when it is the first in a row. */
  missed(): boolean;
  /** Sending on gets through. */
  through(): void;
  /** How long to wait before the next attempt to send on; none after none failed. */
  waitMs(): Millis;
  readonly isMissing: boolean;
  /** When it failed first, while it has not taken anything since. */
  readonly awaySince: Instant | null;
}

export function createOutage(): Outage {
  let awaySince: Instant | null = null;
  /** Attempts to send on, in a row, that did not get through. */
  let misses = 0;
  return {
    began(at) {
      if (awaySince !== null) return false;
      awaySince = at;
      misses = Math.max(misses, 1);
      return true;
    },
    goesOn: (at) => void (awaySince ??= at),
    reached: () => void (awaySince = null),
    over() {
      awaySince = null;
      misses = 0;
    },
    missed() {
      misses += 1;
      return misses === 1;
    },
    through: () => void (misses = 0),
    waitMs: () => backoffAfter(misses, probe),
    get isMissing() {
      return misses > 0;
    },
    get awaySince() {
      return awaySince;
    },
  };
}
