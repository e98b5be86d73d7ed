// Virtual time: nothing happens until a test moves it. The wall clock may be set to jump; the steady clock never does.
import type { Instant, Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';

export interface VirtualClock extends Clock {
  /** Lets the span pass, waking what is due in order, with time for promises to settle after each. */
  forward(span: Millis): Promise<void>;
  /** Sets the wall clock forward or back; waits go on undisturbed. */
  jump(span: Millis): void;
  /** Lets promises settle without time passing. */
  settle(): Promise<void>;
}

/** 2026-11-21T04:00:00Z. */
export const someday: Instant = 1_795_233_600_000;

export function virtualClock(start: Instant = someday): VirtualClock {
  let steady = 0;
  let wall = start;
  let sequence = 0;
  const waits: { due: number; order: number; call: () => void }[] = [];

  async function settle(): Promise<void> {
    for (let round = 0; round < 12; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  return {
    now: () => wall,
    steady: () => steady,
    after(span, call) {
      const wait = { due: steady + Math.max(0, span), order: (sequence += 1), call };
      waits.push(wait);
      return () => {
        const place = waits.indexOf(wait);
        if (place >= 0) waits.splice(place, 1);
      };
    },
    async forward(span) {
      const until = steady + span;
      await settle();
      for (;;) {
        let first: (typeof waits)[number] | undefined;
        for (const wait of waits)
          if (first === undefined || wait.due < first.due || (wait.due === first.due && wait.order < first.order)) first = wait;
        if (first === undefined || first.due > until) break;
        waits.splice(waits.indexOf(first), 1);
        wall += Math.max(0, first.due - steady);
        steady = Math.max(steady, first.due);
        first.call();
        await settle();
      }
      wall += until - steady;
      steady = until;
      await settle();
    },
    jump(span) {
      wall += span;
    },
    settle,
  };
}
