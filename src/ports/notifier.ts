// One configured way to reach people.
import type { Notification, NotifyOutcome } from '../core/page/notification.ts';

/** One configured way to reach people. Delivers at least once; never rejects for a vendor's answer; ends by `signal`. */
export interface Notifier {
  deliver(notification: Notification, signal: AbortSignal): Promise<NotifyOutcome>;
}
