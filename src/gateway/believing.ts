// The one clock of a gateway: what everything in it is stamped by, and what is said when the machine's clock does not go as it should.
import { believedClock, type BelievedClock, type ClockNews } from '../engine/believed-clock.ts';
import type { Service } from '../engine/service.ts';
import { spanOf, type Millis } from '../core/time.ts';
import type { Check } from '../http/deps.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Stops } from './stops.ts';

/** Looks by itself until the gateway stops; said in the log when it jumps, returns or is believed. */
export function openClock(clock: Clock, logger: Pick<Logger, 'warn'>, stops: Pick<Stops, 'add'>): BelievedClock {
  const believed = believedClock(clock, ({ what, byMs }) => logger.warn({ seconds: Math.round(byMs / 1_000) }, words[what]));
  const unwatch = believed.watch();
  stops.add(async () => unwatch());
  return believed;
}

const words: { readonly [What in ClockNews['what']]: string } = {
  jumped: 'the wall clock jumped: it is not believed before the jump has lasted',
  returned: 'the wall clock is back where it was: the jump leaves nothing behind',
  believed: 'the wall clock stays where it jumped to: time is set by it, and what was counted on a clock that ran ahead goes back with it',
};

/** By how much the wall clock differs from the time that is gone by: of a jump not believed, or, below zero, of desks that are ahead of it. */
export function driftOf(clock: Pick<BelievedClock, 'drift'>, service: Pick<Service, 'aheadMs'>): Millis {
  return clock.drift() || -service.aheadMs() || 0;
}

/** No reason to send work elsewhere: spans are measured on the steady clock. */
export function clockCheck(drift: () => Millis): Check {
  return {
    name: 'clock',
    check: async () => null,
    note() {
      const by = drift();
      if (by === 0) return null;
      const way = by > 0 ? 'ahead of' : 'behind';
      return `the wall clock is ${spanOf(Math.abs(by))} ${way} the time that is gone by; see whether NTP runs on this machine`;
    },
  };
}
