// Tells of refusals and of their end: an alert of our own onto the log, and a raw page when the log does not take it for a while. That page ends when
// the log has taken the alert, or deliveries are taken again.
// When something is told is watch.ts.
import type { AlertEvent } from '../../core/alert/event.ts';
import type { Instant, Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { RawPage, RawPager } from '../failopen/raw-pager.ts';
import type { IntakeEndpoint } from '../intake/endpoint.ts';
import type { Episode, RefusalKind } from './episode.ts';
import { clearedEvent, firingEvent, refusalPage, refusalPageEnd, type Caps } from './words.ts';

export interface TellerDeps {
  readonly caps: Caps;
  readonly clock: Clock;
  /** Resolves when the alert is durable; rejects when the log does not take it. */
  readonly tell: (scope: string, event: AlertEvent) => Promise<void>;
  readonly pager: Pick<RawPager, 'send' | 'end'>;
  /** A log that has not taken the alert for so long is paged past. */
  readonly afterMs: Millis;
  readonly installation: () => string | null;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
}

/** Where deliveries are refused, and the scope that is told of it. */
export interface Place {
  readonly endpoint: IntakeEndpoint;
  readonly scope: string;
}

export interface Teller {
  /** Marks the episode as told when the log took it; else it is to be tried again. */
  tell(place: Place, episode: Episode): Promise<void>;
  /** Whether the log took it. */
  clear(place: Place, kind: RefusalKind, since: Instant): Promise<boolean>;
  /** The episode is over. */
  forget(episode: Episode): void;
}

export function createTeller(deps: TellerDeps): Teller {
  const { clock, logger } = deps;
  /** Since when the log does not take what is to be told, and the raw page that said so. */
  const owed = new Map<Episode, { readonly since: Millis; page: RawPage | null }>();

  async function tell({ endpoint, scope }: Place, episode: Episode): Promise<void> {
    const at = clock.now();
    const event = firingEvent(endpoint, episode, at, deps.caps);
    try {
      await deps.tell(scope, event);
      if (episode.told === null) logger.warn({ endpoint: endpoint.name, refused: episode.count }, `${event.summary}: an alert was raised`);
      episode.told = clock.steady();
      settle(episode, 'told');
    } catch (error) {
      pageWhenOwed(endpoint, episode, error instanceof Error ? error.message : String(error));
    }
  }

  function pageWhenOwed(endpoint: IntakeEndpoint, episode: Episode, why: string): void {
    const debt = owed.get(episode) ?? { since: clock.steady(), page: null };
    owed.set(episode, debt);
    if (debt.page !== null || episode.told !== null || clock.steady() - debt.since < deps.afterMs) return;
    debt.page = refusalPage(endpoint, episode, { at: clock.now(), caps: deps.caps, installation: deps.installation(), why });
    deps.pager.send(debt.page, () => owed.has(episode));
  }

  function settle(episode: Episode, why: 'told' | 'over'): void {
    const page = owed.get(episode)?.page ?? null;
    owed.delete(episode);
    if (page !== null) deps.pager.end(refusalPageEnd(page, why, clock.now()));
  }

  async function clear({ endpoint, scope }: Place, kind: RefusalKind, since: Instant): Promise<boolean> {
    try {
      await deps.tell(scope, clearedEvent(endpoint, kind, since, clock.now()));
    } catch {
      return false;
    }
    logger.info({ endpoint: endpoint.name, refused: kind }, 'the endpoint takes deliveries again');
    return true;
  }

  return { tell, clear, forget: (episode) => settle(episode, 'over') };
}
