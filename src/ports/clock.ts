// Time for the shell. Core never sees it.
import type { Instant, Millis } from '../core/time.ts';

/** Time for the shell. Core never sees it. */
export interface Clock {
  /** Wall clock; may jump. */
  now(): Instant;
  /** Milliseconds that only grow, from an arbitrary start; for spans. */
  steady(): Millis;
  /** Calls back once after the span; the returned function cancels. Bounded by 2^31-1 ms per call. */
  after(span: Millis, call: () => void): () => void;
  /** Whether the wall clock jumped and it is not known yet which of the two is right; a clock that does not say is never in doubt. */
  inDoubt?(): boolean;
}
