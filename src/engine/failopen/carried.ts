// Ends raw pages of an earlier life: their alerts are in no book of this one when somebody decided about them in between, or decides before they
// would be paged again. What this life hears by itself ends them at once (failopen.ts); this file asks, ever less often, about those that it does not hear of.
//   C2  Nothing ends on a guess: the read model has a word of the alert that is no older than the page's own, or people know what the desk dropped as a repeat.
//   C3  Bounded: one look at a time, of 500 alerts, from a second after the start to one in a minute.
import { backoffAfter, minute, second, type Instant } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Book } from './book.ts';
import type { Carried, OpenPages } from './open-pages.ts';
import type { Ending } from './page-text.ts';

const lookMax = 500;
const waits = { firstMs: second, maxMs: minute } as const;

export interface CarriedDeps {
  readonly clock: Clock;
  readonly known: (scope: string, fingerprint: string, observedAt: Instant) => Promise<boolean>;
  /** What became of an alert, when the read model has a word of it that came no earlier; null when it has none, or cannot be asked. */
  readonly became: (scope: string, fingerprint: string, since: Instant) => Promise<Ending | null>;
  readonly onTrouble: (error: unknown) => void;
}

interface Parts {
  readonly book: Pick<Book, 'find'>;
  readonly open: Pick<OpenPages, 'carried'>;
  /** It is undecided no more, and its page ends. */
  readonly forget: (key: string, why: Ending) => void;
  /** Nothing is carried any more. */
  readonly allGone: () => void;
}

/** Begins to ask, until nothing is carried any more; returns how to stop. */
export function askAfterCarried({ clock, known, became, onTrouble }: CarriedDeps, { book, open, forget, allGone }: Parts): () => void {
  let cancel: () => void = () => {};
  let looks = 0;
  let stopped = false;

  function schedule(): void {
    looks += 1;
    if (!stopped) cancel = clock.after(backoffAfter(looks, waits), () => void look().catch(onTrouble).finally(next));
  }

  function next(): void {
    if (open.carried.size === 0) allGone();
    else schedule();
  }

  async function look(): Promise<void> {
    const asked = [...open.carried.values()].filter(({ key }) => book.find(key) === undefined);
    const from = asked.length <= lookMax ? 0 : (looks * lookMax) % asked.length;
    for (const alert of asked.slice(from, from + lookMax)) {
      if (stopped) return;
      const why = await becameOf(alert);
      if (why !== null && open.carried.get(alert.key) === alert && book.find(alert.key) === undefined) forget(alert.key, why);
    }
  }

  /** C2 */
  async function becameOf({ scope, fingerprint, at, observedAt, mayRepeat }: Carried): Promise<Ending | null> {
    const why = await became(scope, fingerprint, at);
    return why ?? (mayRepeat && (await known(scope, fingerprint, observedAt)) ? 'decided' : null);
  }

  if (open.carried.size > 0) schedule();
  return () => {
    stopped = true;
    cancel();
  };
}
