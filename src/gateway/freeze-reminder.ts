// Reminds whoever reads the log that nothing is repaired: an emergency stop that was forgotten is an outage of its own.
import { freezesOf, saidOf, type Frozen } from '../core/playbook/freeze.ts';
import { hour, spanOf } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

const everyMs = hour;

export interface ReminderDeps {
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly logger: Pick<Logger, 'warn'>;
  frozen(): Frozen | null;
}

/** Says so once an hour while a freeze holds; returns how to stop. */
export function remindOfFreezes({ clock, logger, frozen }: ReminderDeps): () => Promise<void> {
  let cancel = clock.after(everyMs, remind);
  function remind(): void {
    cancel = clock.after(everyMs, remind);
    const now = clock.now();
    const freezes = freezesOf(frozen(), now);
    const [oldest] = freezes;
    if (oldest === undefined) return;
    const since = oldest.at === null ? '' : ` for ${spanOf(now - oldest.at)}`;
    logger.warn({ freezes }, `frozen${since} ${saidOf({ ...oldest, freezes })}: no playbook acts until quench thaw`);
  }
  return async () => cancel();
}
