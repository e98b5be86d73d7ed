// How many inputs are turned in a moment, as measured: what is urgent waits behind no more than that, on a slow machine and a busy one, too.
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';

/** What is let on to the log ahead is turned within about so long. */
const aheadMs: Millis = 100;
const measuredMs: Millis = 50;
const roomMin = 64;
const roomMax = 1_024;

export interface Pace {
  /** Told before each batch how far the inputs are turned, and whether the last batch left some: only then is there a pace to measure. */
  room(offset: number, isBehind: boolean): number;
}

export function createPace(clock: Pick<Clock, 'steady'>): Pace {
  let room = roomMax;
  let from: { readonly at: Millis; readonly offset: number } | null = null;
  return {
    room(offset, isBehind) {
      const at = clock.steady();
      if (!isBehind) from = null;
      else if (from === null) from = { at, offset };
      else if (at - from.at >= measuredMs) {
        room = Math.round(Math.min(roomMax, Math.max(roomMin, ((offset - from.offset) / (at - from.at)) * aheadMs)));
        from = { at, offset };
      }
      return room;
    },
  };
}
