// Which pages of a partition ring and could be told to nobody on their ladder, kept by the facts as they become durable: a figure that people
// are woken by is not counted anew for each scrape.
import type { Desk } from '../../core/desk.ts';
import type { Fact } from '../../core/records.ts';

export interface Unreached {
  readonly size: number;
  /** Begins anew, with the desks as they were loaded. */
  reset(desks: Iterable<Desk>): void;
  note(fact: Fact): void;
}

export function createUnreached(): Unreached {
  const pages = new Set<string>();
  return {
    get size() {
      return pages.size;
    },
    reset(desks) {
      pages.clear();
      for (const desk of desks) for (const page of desk.tables.pages.rows.values()) if (page.reach === 'unreached') pages.add(page.id);
    },
    note(fact) {
      if (fact.type === 'PageReachChanged' && fact.reach === 'unreached') pages.add(fact.page);
      else if (fact.type === 'PageReachChanged' || fact.type === 'PageAcked' || fact.type === 'PageClosed') pages.delete(fact.page);
    },
  };
}
