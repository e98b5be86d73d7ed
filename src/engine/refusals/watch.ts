// Watches what the endpoints refuse as a whole, and tells a person when it lasts: by an alert of our own, which the usual rules decide
// about like any other and which fail-open pages raw when nobody decides; and by a raw page when the log does not even take that alert.
// When refusals last is episode.ts, what is said words.ts.
//   F3  Told once: the alert is the same while it lasts, and is said again only so that it does not go stale.
//   F4  Cleared when the endpoint takes deliveries again, also when an earlier life or another process said that it refuses them.
//   F5  Bounded: an episode for each configured endpoint and kind; one timer for all, none while there is nothing to watch.
import { hour, second, type Millis } from '../../core/time.ts';
import type { Views } from '../../ports/views.ts';
import { alertId } from '../../readmodel/documents.ts';
import type { IntakeEndpoint } from '../intake/endpoint.ts';
import { scopeOf } from '../intake/scope.ts';
import { isOver, isToBeTold, quietMs, refusalKinds, refusedAgain, type Episode, type Refusal } from './episode.ts';
import { createTeller, type Place, type TellerDeps } from './teller.ts';
import { refusalFingerprint } from './words.ts';

const lookEveryMs: Millis = 15 * second;
/** What others said of an endpoint is looked for so often. */
const recallEveryMs: Millis = hour;
/** Alerts that are looked through for one that came in by an endpoint. */
const lookedThrough = 200;

export interface RefusalWatchDeps extends TellerDeps {
  readonly endpoints: readonly IntakeEndpoint[];
  readonly views: Pick<Views, 'get' | 'list'>;
}

export interface RefusalWatch {
  refused(endpoint: string, refusal: Refusal): void;
  accepted(endpoint: string): void;
  stop(): Promise<void>;
}

interface Watched extends Place {
  readonly episodes: Map<Refusal['kind'], Episode>;
  /** A delivery was taken by this process. */
  served: boolean;
  /** When it is looked for what others said of the endpoint; steady clock. */
  recallAt: Millis | null;
  recalled: Millis;
}

export function createRefusalWatch(deps: RefusalWatchDeps): RefusalWatch {
  const { clock } = deps;
  const teller = createTeller(deps);
  const watched = new Map<string, Watched>();
  for (const endpoint of deps.endpoints) {
    const scope = scopeOf(endpoint.tenant, endpoint.scopeLabels, {});
    watched.set(endpoint.name, { endpoint, scope, episodes: new Map(), served: false, recallAt: null, recalled: -recallEveryMs });
  }
  let cancel: (() => void) | null = null;
  let looking: Promise<void> = Promise.resolve();
  let stopped = false;

  function arm(): void {
    if (stopped || cancel !== null) return;
    cancel = clock.after(lookEveryMs, () => {
      looking = look().finally(() => {
        cancel = null;
        if (watched.values().some(({ episodes, recallAt }) => episodes.size > 0 || recallAt !== null)) arm();
      });
    });
  }

  async function look(): Promise<void> {
    for (const one of watched.values()) {
      for (const episode of one.episodes.values()) {
        if (stopped) return;
        if (isOver(episode, clock.steady())) await end(one, episode);
        else if (isToBeTold(episode) && (await mayBeTold(one, episode))) await teller.tell(one, episode);
      }
      if (one.recallAt !== null && one.recallAt <= clock.steady() && !stopped) await recall(one);
    }
  }

  /** Wrong credentials at a door through which nobody ever came are a matter of whoever sets it up, or of a stranger who knocks. */
  async function mayBeTold({ endpoint, served }: Watched, { kind }: Episode): Promise<boolean> {
    if (kind !== 'credentials' || served) return true;
    const query = { kind: 'alert', scopes: 'all', sources: [endpoint.source.name], limit: lookedThrough } as const;
    const came = await deps.views.list(query).catch(() => null);
    return came?.items.some((doc) => doc.endpoint === endpoint.name) ?? false;
  }

  /** What was told is taken back; a log that does not take that is tried at the next look. */
  async function end(one: Watched, episode: Episode): Promise<void> {
    if (episode.told !== null && !(await teller.clear(one, episode.kind, episode.since))) return;
    teller.forget(episode);
    if (one.episodes.get(episode.kind) === episode && isOver(episode, clock.steady())) one.episodes.delete(episode.kind);
  }

  /** F4: what nobody has said again for a while, of an endpoint that takes deliveries and refuses none here. */
  async function recall(one: Watched): Promise<void> {
    const { endpoint, scope, episodes } = one;
    one.recallAt = null;
    one.recalled = clock.steady();
    for (const kind of refusalKinds) {
      if (episodes.has(kind)) continue;
      const doc = await deps.views.get('alert', alertId(scope, refusalFingerprint(endpoint.name, kind)), [scope]).catch(() => null);
      const isLeft = doc !== null && doc.state === 'firing' && doc.seenAt <= clock.now() - quietMs;
      if (isLeft && !episodes.has(kind)) await teller.clear(one, kind, doc.startedAt);
    }
  }

  return {
    refused(name, refusal) {
      const one = watched.get(name);
      if (one === undefined) return;
      one.episodes.set(refusal.kind, refusedAgain(one.episodes.get(refusal.kind), refusal, clock.now(), clock.steady()));
      arm();
    },
    accepted(name) {
      const one = watched.get(name);
      if (one === undefined) return;
      one.served = true;
      for (const episode of one.episodes.values()) {
        episode.taken = true;
        if (episode.told === null && isOver(episode, clock.steady())) one.episodes.delete(episode.kind);
      }
      if (one.recallAt !== null || clock.steady() - one.recalled < recallEveryMs) return;
      one.recallAt = clock.steady() + quietMs;
      arm();
    },
    async stop() {
      stopped = true;
      cancel?.();
      await looking;
    },
  };
}
