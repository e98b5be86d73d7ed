// What is said about the time of a desk: that it ran ahead of the clock, and that it goes back.
import type { FactBase, InputBase } from '../stamp.ts';
import type { Instant } from '../time.ts';

/**
 * The clock reads `to`, and the desk is ahead of it, by the stamps of a clock that ran ahead and would read `from` by now. Since that clock was
 * set right the desk's time stands still: at `stoodFrom` at the earliest.
 */
export interface ClockCorrected extends InputBase {
  readonly type: 'ClockCorrected';
  readonly from: Instant;
  readonly stoodFrom: Instant;
  readonly to: Instant;
}

/** The desk's time goes back, and with it what is counted from instants of the time that was ahead. */
export interface DeskSetBack extends FactBase {
  readonly type: 'DeskSetBack';
  readonly from: Instant;
  readonly stoodFrom: Instant;
  readonly to: Instant;
}
