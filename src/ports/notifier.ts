// One configured way to reach people.
import type { Notification, NotifyOutcome } from '../core/page/notification.ts';

/**
 * One configured way to reach people. Delivers at least once; never rejects for a vendor's answer; ends by `signal`.
 * `withdrawn`, where it is given, aborts when the words are no longer true: what has not left by then does not leave and is `deferred`, so that it is asked
 * for again or dropped; what has left is waited for as before.
 */
export interface Notifier {
  deliver(notification: Notification, signal: AbortSignal, withdrawn?: AbortSignal): Promise<NotifyOutcome>;
}
