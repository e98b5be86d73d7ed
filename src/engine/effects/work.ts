// What is under way for one partition: bounded, so that a slow target holds up nobody but itself (X3), and waited for when we stop.
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import { createBell } from '../async/bell.ts';
import { endsWithin } from '../async/deadline.ts';
import type { Progress } from './progress.ts';

const underWayMax = 512;

export interface WorkDeps {
  readonly clock: Pick<Clock, 'after'>;
  readonly progress: Progress;
  /** Once it aborts nobody waits for room any more. */
  readonly stopping: AbortSignal;
  /** Some work has ended. */
  readonly onEnded: () => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface Work {
  /** Resolves when more may begin. */
  room(): Promise<void>;
  begin(work: Promise<void>): void;
  /** Resolves when all has ended, or the span is over. */
  ended(withinMs: Millis): Promise<void>;
  readonly underWay: number;
}

export function createWork({ clock, progress, stopping, onEnded, onTrouble }: WorkDeps): Work {
  const pending = new Map<number, Promise<void>>();
  const ends = createBell();
  stopping.addEventListener('abort', ends.ring);
  return {
    async room() {
      while (pending.size >= underWayMax && !stopping.aborted) await ends.next(); // X3
    },
    begin(work) {
      const ticket = progress.begin();
      const done = work.catch(onTrouble).finally(() => {
        pending.delete(ticket);
        progress.end(ticket);
        ends.ring();
        onEnded();
      });
      pending.set(ticket, done);
    },
    ended: async (withinMs) => void (await endsWithin(clock, withinMs, Promise.all(pending.values()))),
    get underWay() {
      return pending.size;
    },
  };
}
