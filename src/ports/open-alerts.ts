// A monitoring system that can be asked what is open there now: for alerts of which its webhook told us nothing, or no end.
// Each answer is made of deliveries that the endpoint's own source parses, so that an alert has the same identity and episode by either way.
//   A1  What could not be read whole says so: nobody may conclude from it that an alert is over.
//   A2  Asking ends by its own deadlines or by the signal, reads a bounded answer, and never rejects.
import type { Result } from '../core/errors.ts';
import type { Instant } from '../core/time.ts';
import type { Delivery } from './source.ts';

/** One alert that is open at the source. */
export interface OpenAlert {
  /** What the webhook of the endpoint would have been sent about it. */
  readonly delivery: Delivery;
  /** Whether the source would tell us of it by itself: not of one that it holds back, or that it sends elsewhere. */
  readonly ours: boolean;
}

export interface OpenAnswer {
  readonly alerts: readonly OpenAlert[];
  /** Of these the source cannot say whether they are open: it has not checked them since it started. */
  readonly unsure: readonly Delivery[];
  /** Null, or why what is missing from it may be open all the same (A1). */
  readonly partial: string | null;
  /** Of which instant it tells, by our clock or the source's: a source may answer with what it wrote down a minute ago. */
  readonly asOf: Instant;
  /** When the source began to know what it tells; null when it forgets nothing over a restart. */
  readonly since: Instant | null;
}

/** Where an endpoint's source is asked what is open. */
export interface OpenAlerts {
  /** What is open at `askedAt` or a little later; or what went wrong, in one sentence without secrets. */
  ask(askedAt: Instant, signal: AbortSignal): Promise<Result<OpenAnswer, string>>;
}
