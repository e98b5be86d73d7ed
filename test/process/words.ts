// The words that a log says have left, and whether they were true: folded from its facts by the states of pages alone, in their order.
// What a vendor heard, and when, is held against it. Knows nothing of how the gateway decides.
//   N1  A ring is granted while its page rings, who has it while somebody has it, the end when it is over.
//   N2  What was granted arrives at once or not at all: a word that comes long after its page moved on is stale, whatever the grant said.
import { rings, type NotifyKind } from '../../src/core/page/notification.ts';
import type { NotifyGranted } from '../../src/core/page/facts.ts';
import type { Fact } from '../../src/core/records.ts';

type PageState = 'ringing' | 'acked' | 'closed';

/** What a page was, and since when, as the log tells. */
export interface PageStory {
  readonly incident: string;
  readonly states: { readonly state: PageState; readonly at: number }[];
}

export interface Granted {
  readonly fact: NotifyGranted;
  /** Pages that the message tells: its own, and those that are told with it. */
  readonly pages: readonly string[];
}

/** What a vendor heard: the words' own id outside, and the first byte's time. */
export interface HeardWord {
  readonly id: string;
  readonly at: number;
}

export interface Words {
  readonly pages: ReadonlyMap<string, PageStory>;
  readonly granted: readonly Granted[];
  /** N1, each a sentence. */
  readonly untrue: readonly string[];
  take(fact: Fact): void;
}

/** From the grant to the first byte: what a notifier may wait for a connection, on a machine that does much else. */
export const leaveWithinMs = 6_000;

export function followWords(): Words {
  const pages = new Map<string, PageStory>();
  const granted: Granted[] = [];
  const untrue: string[] = [];
  const move = (page: string, state: PageState, at: number): void => void pages.get(page)?.states.push({ state, at });

  function grant(fact: NotifyGranted): void {
    const { kind, id, also = [] } = fact.notification;
    const told = [fact.page, ...also.map(({ page }) => page)];
    granted.push({ fact, pages: told });
    for (const page of told) {
      const state = pages.get(page)?.states.at(-1)?.state;
      if (state === undefined || !fits(kind, state))
        untrue.push(`${id} (${kind}) was granted while page ${page} was ${state ?? 'unknown'}`);
    }
  }

  return {
    pages,
    granted,
    untrue,
    take(fact) {
      switch (fact.type) {
        case 'PageOpened':
          return void pages.set(fact.page, { incident: fact.incident, states: [{ state: 'ringing', at: fact.at }] });
        case 'PageRang':
          return move(fact.page, 'ringing', fact.at);
        case 'PageAcked':
          return move(fact.page, 'acked', fact.at);
        case 'PageClosed':
          return move(fact.page, 'closed', fact.at);
        case 'NotifyGranted':
          return grant(fact);
        default:
      }
    },
  };
}

function fits(kind: NotifyKind, state: PageState): boolean {
  if (kind === 'resolve') return state === 'closed';
  if (kind === 'acknowledged') return state === 'acked';
  return kind === 'flapping' ? state !== 'closed' : state === 'ringing';
}

/** N2 for one message that arrived: a sentence for each page that it was no longer true of. */
export function staleAt({ pages }: Words, { pages: told, fact }: Granted, at: number): readonly string[] {
  const { kind, id } = fact.notification;
  return told.flatMap((page) => {
    const states = pages.get(page)?.states.filter((one) => one.at <= at) ?? [];
    const now = states.at(-1);
    if (now === undefined || fits(kind, now.state)) return [];
    const since = states[states.findLastIndex(({ state }) => fits(kind, state)) + 1]?.at ?? now.at;
    return at - since <= leaveWithinMs ? [] : [`${id} (${kind}) arrived ${at - since} ms after page ${page} was ${now.state}`];
  });
}

/** What was heard and is not true, or not on the log (N1, N2), by ids of notifications. */
export function staleWords(words: Words, heard: readonly HeardWord[]): readonly string[] {
  const grants = Map.groupBy(words.granted, ({ fact }) => fact.notification.id);
  return [
    ...words.untrue,
    ...heard.flatMap(({ id, at }) => {
      const grant = grants.get(id)?.findLast(({ fact }) => fact.at <= at);
      return grant === undefined ? [`${id} arrived and was not granted`] : staleAt(words, grant, at);
    }),
  ];
}

/** Pages that are over, of which somebody was called and did not hear of the end; of one notifier, by ids that arrived there. */
export function unended(words: Words, heard: readonly HeardWord[]): readonly string[] {
  const arrived = new Set(heard.map(({ id }) => id));
  const told = words.granted.filter(({ fact }) => arrived.has(fact.notification.id));
  const called = new Set(told.flatMap(({ fact, pages }) => (rings[fact.notification.kind] ? pages : [])));
  const ended = new Set(told.flatMap(({ fact, pages }) => (fact.notification.kind === 'resolve' ? pages : [])));
  return [...called].filter((page) => words.pages.get(page)?.states.at(-1)?.state === 'closed' && !ended.has(page));
}
