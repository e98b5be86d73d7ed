// Delivers pages that are on no log: each configured notifier gets them, and is tried again in growing waits, for as long as the budget goes, when it
// does not take them: whoever broke the log has often broken the way to people, too.
// What to say is page-text.ts, whether and when overdue.ts. Nothing is kept over a restart.
import { GatewayError } from '../../core/errors.ts';
import type { Notification, NotifyOutcome } from '../../core/page/notification.ts';
import { backoffAfter, hour, minute, second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { pause } from '../async/pause.ts';
import { deliver } from '../delivery.ts';

const retryWaits = { firstMs: 5 * second, maxMs: 5 * minute } as const;
/** After no answer: it may have arrived, and a slow notifier shall not get copies. */
const unknownWaits = { firstMs: minute, maxMs: 5 * minute } as const;
/** A key that is wrong now may be mended within hours, while the page is still owed. */
const refusedWaits = { firstMs: 5 * minute, maxMs: 5 * minute } as const;

/** A notification that has no id yet: each notifier gets its own. */
export type RawPage = Omit<Notification, 'id'>;

export interface RawPagerDeps {
  readonly clock: Clock;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly notify: readonly string[];
  /** How long a notifier that does not take a page is tried. */
  readonly keepTryingMs: Millis;
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

  function complain(name: string, says: string): void {
    deps.onTrouble(new GatewayError('deadline_exceeded', `undecided alert: notifier ${name} did not take the page: ${says.slice(0, 200)}`));
  }

  async function reach(name: string, page: RawPage, wanted: () => boolean): Promise<void> {
    const notifier = deps.notifiers.get(name);
    const until = clock.steady() + deps.keepTryingMs;
    let says = 'it is not configured';
    for (let attempt = 1; notifier !== undefined; attempt += 1) {
      if (stopping.signal.aborted || !wanted()) return;
      const outcome = await deliver(notifier, { ...page, id: `${page.dedupKey}|${name}` }, { clock, stopping: stopping.signal });
      deps.attempted(name, outcome.outcome);
      if (outcome.outcome === 'accepted') return;
      says = outcome.detail;
      if (outcome.outcome === 'refused' && attempt === 1) complain(name, says);
      const wait = waitAfter(outcome, attempt);
      if (clock.steady() + wait > until) break;
      await pause(clock, wait, stopping.signal);
    }
    complain(name, says);
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

function waitAfter(outcome: NotifyOutcome, attempt: number): Millis {
  const waits = outcome.outcome === 'unknown' ? unknownWaits : outcome.outcome === 'refused' ? refusedWaits : retryWaits;
  const backoff = backoffAfter(attempt, waits);
  return outcome.outcome === 'deferred' ? Math.min(hour, Math.max(backoff, outcome.retryAfterMs)) : backoff;
}
