// One attempt to hand one notification to its notifier, within a deadline. Whether, when and how often to try is the caller's.
import type { Notification, NotifyOutcome } from '../core/page/notification.ts';
import { second, type Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Notifier } from '../ports/notifier.ts';
import { underDeadline } from './async/deadline.ts';

const deliverWithinMs: Millis = 50 * second;
const detailCharsMax = 200;

export interface DeliveryDeps {
  readonly clock: Pick<Clock, 'after'>;
  /** Calls the delivery off. */
  readonly stopping: AbortSignal;
  /** The words are no longer true: what has not left does not leave. Without it they stay true. */
  readonly withdrawn?: AbortSignal;
  /** Told what a notifier throws; a notifier that keeps its port's word throws nothing. */
  readonly onTrouble?: (error: unknown) => void;
}

/** The notifier's own outcome; `unknown` when it breaks. Never rejects. */
export async function deliver(notifier: Notifier, notification: Notification, deps: DeliveryDeps): Promise<NotifyOutcome> {
  const { clock, stopping, withdrawn } = deps;
  if (withdrawn?.aborted === true) return { outcome: 'deferred', retryAfterMs: 0, detail: 'nothing sent (withdrawn)' };
  try {
    return await underDeadline(clock, deliverWithinMs, stopping, (signal) => notifier.deliver(notification, signal, withdrawn));
  } catch (error) {
    deps.onTrouble?.(error);
    return { outcome: 'unknown', detail: (error instanceof Error ? error.message : String(error)).slice(0, detailCharsMax) };
  }
}
