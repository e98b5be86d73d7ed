// Raw pages that were sent and have not ended, as the next life finds them: what each is about and who was told. Whether one has to end is carried.ts,
// who is told raw-pager.ts.
//   K1  A page is written before it leaves, and struck once nothing of it is open anywhere: a life that dies in between tells its end once more,
//       under the same id, and never leaves a page that nobody knows of.
//   K2  What is not written within two seconds leaves all the same: a page that calls is worth more than one that ends by itself.
//   K3  Bounded: what the journal holds (J2), and for a week. What another version wrote in another shape is left out.
import { GatewayError } from '../../core/errors.ts';
import { day, second, type Instant } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Journal } from '../../ports/journal.ts';
import { endsWithin } from '../async/deadline.ts';
import type { Undecided } from './book.ts';
import type { Sent } from './page-text.ts';

const writeWithinMs = 2 * second;
const ageMaxMs = 7 * day;
const linksMax = 10;

/** What is written of an alert of its own page. */
export type KeptAlert = Pick<Undecided, 'scope' | 'event' | 'at' | 'observedAt' | 'mayRepeat'>;

/** What is written of an alert that a page counted: scope, fingerprint, when it began to wait, when its source saw it, whether it may be a repeat. */
export type Counted = readonly [string, string, Instant, Instant, boolean];

export type About = { readonly one: KeptAlert } | { readonly counted: readonly Counted[]; readonly more: number } | AboutStuck;

/** A log that took nothing (stuck.ts). */
export interface AboutStuck {
  readonly stuck: true;
}

export interface KeptPage extends Sent {
  readonly at: Instant;
  readonly notify: readonly string[];
  readonly about: About;
}

export interface KeptPages {
  /** Of earlier lives, the oldest first. */
  readonly left: readonly KeptPage[];
  /** Resolves when it is durable, or cannot be (K2); never rejects. */
  keep(page: KeptPage): Promise<void>;
  /** Nothing of the page with that key is open any more. Returns at once. */
  strike(dedupKey: string): void;
}

export interface KeptDeps {
  readonly journal: Journal;
  readonly clock: Pick<Clock, 'after' | 'now'>;
  readonly onTrouble: (error: unknown) => void;
}

export function createKeptPages({ journal, clock, onTrouble }: KeptDeps): KeptPages {
  const complain = (dedupKey: string) => (error: unknown) =>
    onTrouble(
      new GatewayError(
        'store_unavailable',
        `raw page ${dedupKey} is not kept in order: a restart may leave it open where it was told`,
        error,
      ),
    );
  return {
    left: journal.left.flatMap(({ key, value }) => {
      const page = keptIn(key, value);
      return page === null || page.at < clock.now() - ageMaxMs ? [] : [page];
    }),
    async keep({ dedupKey, ...value }) {
      try {
        if (!(await endsWithin(clock, writeWithinMs, journal.write({ key: dedupKey, value }))))
          complain(dedupKey)('it takes long to write');
      } catch (error) {
        complain(dedupKey)(error);
      }
    },
    strike: (dedupKey) => void journal.strike(dedupKey).catch(complain(dedupKey)),
  };
}

export function aboutOne({ scope, event, at, observedAt, mayRepeat }: Undecided): About {
  return { one: { scope, event: { ...event, links: event.links.slice(0, linksMax) }, at, observedAt, mayRepeat } };
}

export function aboutMany(alerts: readonly Undecided[], more: number): About {
  return {
    counted: alerts.map(({ scope, event, at, observedAt, mayRepeat }) => [scope, event.fingerprint, at, observedAt, mayRepeat]),
    more,
  };
}

/** K3 */
function keptIn(dedupKey: string, value: unknown): KeptPage | null {
  const page = (typeof value === 'object' && value !== null ? value : {}) as Partial<KeptPage>; // checked below
  const { id, at, notify, about } = page;
  if (typeof id !== 'string' || typeof at !== 'number' || !Array.isArray(notify) || typeof about !== 'object' || about === null)
    return null;
  if ('stuck' in about) return { dedupKey, id, at, notify: notify.map(String), about: { stuck: true } };
  if ('one' in about ? typeof about.one?.event?.fingerprint !== 'string' : !Array.isArray(about.counted)) return null;
  return { dedupKey, id, at, notify: notify.map(String), about };
}
