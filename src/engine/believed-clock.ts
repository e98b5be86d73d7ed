// The wall clock as the gateway believes it: measured against the steady clock, so that a jump of seconds leaves no trace.
// One for the process: whatever stamps, and whatever asks what time it is, asks here.
//   C1  A jump forward of more than `jumpMax` is not believed before it has lasted `forwardLastsMs` by the steady clock; till then time
//       passes steadily. A return within that time leaves nothing behind.
//   C2  A jump back is told at once: a stamp that is too early harms nothing, a desk's time does not go back for it. It is believed, and
//       desks may follow it, when it has lasted `backLastsMs`; a return before that is no jump forward.
//   C3  What is within `jumpMax` is followed at once: clocks are slewed and stepped by small amounts all the time.
import { minute, second, type Instant, type Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import { createMeter } from './meter.ts';

export const jumpMax: Millis = 2 * minute;
export const forwardLastsMs: Millis = minute;
export const backLastsMs: Millis = 5 * second;
/** Without anybody asking, a jump is noticed within this time. */
const lookEveryMs: Millis = second;

export interface BelievedClock extends Clock {
  /** How far the wall clock is from what is believed; 0 while it is believed. */
  drift(): Millis;
  /** Looks at the clock by itself from now on; returns how to stop. */
  watch(): () => void;
}

export interface ClockNews {
  /** `jumped`: the wall clock is elsewhere and is not believed yet. `returned`: it came back. `believed`: it has lasted, and time is set by it. */
  readonly what: 'jumped' | 'returned' | 'believed';
  readonly byMs: Millis;
}

/** `tell` hears of every jump once, and of what became of it. */
export function believedClock(clock: Clock, tell: (news: ClockNews) => void = () => {}): BelievedClock {
  /** Wall clock less steady clock, as believed. */
  let offset = clock.now() - clock.steady();
  let jump: { offset: number; readonly since: Millis } | null = null;

  function look(): Instant {
    const steady = clock.steady();
    const seen = clock.now() - steady;
    const by = seen - offset;
    if (Math.abs(by) <= jumpMax) {
      if (jump !== null) tell({ what: 'returned', byMs: jump.offset - offset });
      jump = null;
      offset = seen; // C3
      return offset + steady;
    }
    if (jump === null || Math.abs(seen - jump.offset) > jumpMax || Math.sign(jump.offset - offset) !== Math.sign(by)) {
      jump = { offset: seen, since: steady };
      tell({ what: 'jumped', byMs: by });
    }
    jump.offset = seen;
    if (steady - jump.since >= (by > 0 ? forwardLastsMs : backLastsMs)) {
      jump = null;
      offset = seen;
      tell({ what: 'believed', byMs: by });
    }
    return Math.min(offset, seen) + steady; // C1, C2
  }

  return {
    now: look,
    steady: () => clock.steady(),
    after: (span, call) => clock.after(span, call),
    drift() {
      look();
      return jump === null ? 0 : jump.offset - offset;
    },
    inDoubt() {
      look();
      return jump !== null;
    },
    watch() {
      const meter = createMeter({ clock, everyMs: lookEveryMs, first: 0, measure: async () => look(), onTrouble: () => {} });
      meter.start();
      return meter.stop;
    },
  };
}
