// Whether the partition is still ours to act for, by our own clock; and waiting for it to be so again.
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import { pause } from '../async/pause.ts';

const askAgainMs: Millis = 100;

export interface Lease {
  /** By our own clock nobody else can have been given the partition. */
  holds(): boolean;
  /** Waits while the partition is not surely ours; false when it is too late before, or we stop. */
  heldBefore(isTooLate: () => boolean): Promise<boolean>;
}

export function createLease(holds: () => boolean, clock: Pick<Clock, 'after'>, stopping: AbortSignal): Lease {
  return {
    holds,
    async heldBefore(isTooLate) {
      while (!holds()) {
        if (stopping.aborted || isTooLate()) return false;
        await pause(clock, askAgainMs);
      }
      return !isTooLate();
    },
  };
}
