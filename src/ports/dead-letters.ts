// Deliveries that were not understood: kept whole, findable, replayable.
import type { Instant } from '../core/time.ts';

/** A page of letters has at least one, and no further one once they have so many characters together. */
export const letterPageChars = 2_097_152;

/** How many of the newest letters, by their sizes, make a page. */
export function letterPage(sizes: readonly number[], limit: number): number {
  let chars = 0;
  const over = sizes.findIndex((size, at) => (chars += size) > letterPageChars && at > 0);
  return Math.min(limit, over < 0 ? sizes.length : over);
}

export interface DeadLetter {
  readonly id: string;
  readonly at: Instant;
  readonly endpoint: string;
  readonly source: string;
  readonly reason: string;
  readonly message: string;
  /** Allow-listed headers only. */
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  readonly path: string;
  readonly state: 'waiting' | 'replayed' | 'discarded';
}

/** Deliveries that were not understood: kept whole, findable, replayable; bounded in count and bytes, oldest first out. */
export interface DeadLetters {
  /** Durable when resolved. */
  add(letter: DeadLetter): Promise<void>;
  /** Newest first; a page ends early, with `next`, once its letters have 2 MiB together. `endpoints`: only letters of these. */
  list(query: {
    readonly limit: number;
    readonly after?: string;
    readonly endpoints?: readonly string[];
  }): Promise<{ readonly letters: readonly DeadLetter[]; readonly next: string | null }>;
  get(id: string): Promise<DeadLetter | null>;
  mark(id: string, state: 'replayed' | 'discarded'): Promise<void>;
  /** Of all endpoints, or of these. */
  count(endpoints?: readonly string[]): Promise<number>;
}
