// How many inputs are turned in a moment, as measured: what is urgent waits behind about so many, on a slow machine and a busy one, too.
//   P1  Only the time of rounds that turned something counts, however few it was: a host that is let too little would else measure how little
//       it was let, and be let less.
import type { Millis } from '../../core/time.ts';

/** What is let on to the log ahead is turned within about so long. */
const aheadMs: Millis = 150;
const measuredMs: Millis = 50;
/** Two batches: with fewer on the log ahead, turning waits for each of them to get its place. */
const roomMin = 512;
const roomMax = 2_048;

export interface Pace {
  readonly room: number;
  /** A round of the host turned so many inputs, with all its waits. */
  turned(inputs: number, took: Millis): void;
}

export function createPace(): Pace {
  let room = roomMin;
  let inputs = 0;
  let took = 0;
  return {
    get room() {
      return room;
    },
    turned(more, tookMs) {
      if (more === 0) return; // P1
      inputs += more;
      took += tookMs;
      if (took < measuredMs) return;
      room = Math.round(Math.min(roomMax, Math.max(roomMin, (inputs / took) * aheadMs)));
      inputs = 0;
      took = 0;
    },
  };
}
