// Where a document stands in a list, and how a page names where the next one goes on.
import { GatewayError } from '../core/errors.ts';
import type { SortWord } from './query.ts';

/** Lists go down: by rank when the worst come first, then from the newest `at`, then from the last that arrived. */
export interface Place {
  readonly rank: number;
  readonly at: number;
  /** The order of first arrival in this store. */
  readonly seq: number;
}

/** Whether the first place comes after the second in a list. */
export function follows(one: Place, other: Place, sort: SortWord): boolean {
  if (sort === 'worst' && one.rank !== other.rank) return one.rank > other.rank;
  return one.at === other.at ? one.seq < other.seq : one.at < other.at;
}

export function textOfPlace({ rank, at, seq }: Place, sort: SortWord): string {
  return `${sort}_${rank}_${at}_${seq}`;
}

/** The place that `next` of a list of this order named; rejects all else as `invalid_request`. */
export function placeIn(after: string, sort: SortWord): Place {
  const match = /^([a-z]+)_(\d{1,4})_(-?\d{1,16})_(\d{1,16})$/.exec(after);
  const [rank, at, seq] = (match?.slice(2) ?? []).map(Number);
  if (match?.[1] !== sort || rank === undefined || at === undefined || seq === undefined) {
    throw new GatewayError('invalid_request', `after: expected the \`next\` of a list sorted by ${sort}, seen ${after.slice(0, 60)}`);
  }
  return { rank, at, seq };
}
