// Delivers pages that are on no log: each configured notifier gets them, and is tried again for a while when it does not take them.
// What to say is page-text.ts, whether and when overdue.ts. Nothing is kept over a restart.
import { GatewayError } from '../../core/errors.ts';
import type { Notification, NotifyOutcome } from '../../core/page/notification.ts';
import { backoffAfter, hour, minute, second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { pause } from '../async/pause.ts';
import { deliver } from '../delivery.ts';

const attemptsMax = 8;
const retry = { firstMs: 5 * second, maxMs: 5 * minute } as const;

/** A notification that has no id yet: each notifier gets its own. */
export type RawPage = Omit<Notification, 'id'>;

export interface RawPagerDeps {
  readonly clock: Clock;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly notify: readonly string[];
  readonly attempted: (notifier: string, outcome: NotifyOutcome['outcome']) => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface RawPager {
  /** Returns at once. A notifier that has not taken it is given up when `wanted` says no. */
  send(page: RawPage, wanted: () => boolean): void;
  stop(): Promise<void>;
}

export function createRawPager(deps: RawPagerDeps): RawPager {
  const { clock } = deps;
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();

  async function reach(name: string, page: RawPage, wanted: () => boolean): Promise<void> {
    const notifier = deps.notifiers.get(name);
    let says = 'it is not configured';
    for (let attempt = 1; notifier !== undefined && attempt <= attemptsMax; attempt += 1) {
      if (stopping.signal.aborted || !wanted()) return;
      const outcome = await deliver(notifier, { ...page, id: `${page.dedupKey}|${name}` }, { clock, stopping: stopping.signal });
      deps.attempted(name, outcome.outcome);
      if (outcome.outcome === 'accepted') return;
      says = outcome.detail;
      if (outcome.outcome === 'refused') break;
      const backoff = backoffAfter(attempt, retry);
      const wait: Millis = outcome.outcome === 'deferred' ? Math.min(hour, Math.max(backoff, outcome.retryAfterMs)) : backoff;
      await pause(clock, wait, stopping.signal);
    }
    deps.onTrouble(new GatewayError('deadline_exceeded', `undecided alert: notifier ${name} did not take the page: ${says.slice(0, 200)}`));
  }

  return {
    send(page, wanted) {
      for (const name of deps.notify) {
        const work: Promise<void> = reach(name, page, wanted)
          .catch(deps.onTrouble)
          .finally(() => underWay.delete(work));
        underWay.add(work);
      }
    },
    async stop() {
      stopping.abort();
      await Promise.all(underWay);
    },
  };
}
