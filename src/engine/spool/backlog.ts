// How much is in the spool, how old its oldest entry is, and whether more may come (S3 in spool.ts). Pure: times are handed in.
import { spanOf, type Instant, type Millis } from '../../core/time.ts';

export interface BacklogLimits {
  readonly bytesMax: number;
  readonly ageMaxMs: Millis;
}

export interface Times {
  readonly now: Instant;
  readonly steady: Millis;
}

export interface Backlog {
  add(bytes: number): void;
  remove(bytes: number): void;
  /** The entry at the offset, of the instant given, is the oldest now. Its age counts on the steady clock from when it was first said to be. */
  headAt(offset: number, at: Instant, times: Times): void;
  oldestMs(steady: Millis): Millis;
  /** Why nothing more is taken, or null. */
  fullness(steady: Millis): string | null;
  readonly records: number;
  /** As JSON text. */
  readonly bytes: number;
}

export function createBacklog({ bytesMax, ageMaxMs }: BacklogLimits): Backlog {
  let records = 0;
  let bytes = 0;
  let head = { offset: -1, since: 0 };

  const oldestMs = (steady: Millis): Millis => (records === 0 ? 0 : steady - head.since);

  return {
    add(more) {
      records += 1;
      bytes += more;
    },
    remove(less) {
      records -= 1;
      bytes -= less;
      if (records === 0) head = { offset: -1, since: 0 };
    },
    headAt(offset, at, { now, steady }) {
      if (head.offset !== offset) head = { offset, since: steady - Math.max(0, now - at) };
    },
    oldestMs,
    fullness(steady) {
      const age = oldestMs(steady);
      if (age > ageMaxMs) return `the spool holds deliveries for ${spanOf(age)}, at most ${spanOf(ageMaxMs)} are allowed`;
      return bytes >= bytesMax ? `the spool holds ${bytes} bytes, at most ${bytesMax} are allowed` : null;
    },
    get records() {
      return records;
    },
    get bytes() {
      return bytes;
    },
  };
}
