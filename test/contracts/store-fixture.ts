// What the store contract asks of whoever opens a store for it, and the words its parts share.
import type { Store } from '../../src/ports/store.ts';

export interface OpenedStore {
  readonly store: Store;
  /** Its answers cross a network: what was asked before an append may be answered after it. */
  readonly remote?: true;
  /** Ends the store as an orderly stop or a crash would, and opens another on what it left. */
  reopen(): Promise<Store>;
  destroy(): Promise<void>;
  /** Opens it again as on a disk that has no room for deliveries, only the reserve; a store without such bounds has none. */
  reopenShort?(): Promise<Store>;
}

export interface SetClock {
  at: number;
  now(): number;
}

export type OpenStore = (clock: SetClock) => Promise<OpenedStore>;

export const contractPartitions = 2;
export const contractLimits = { queueRecordsMax: 1_000, queueBytesMax: 1_048_576, lettersMax: 5, letterBytesMax: 4_000 };

/** Texts that break stores which splice, truncate, fold or normalise. */
export const hostileTexts: readonly string[] = [
  '',
  '__proto__',
  'constructor',
  `'; DROP TABLE log; --`,
  '"quoted"',
  '100%_',
  'a\0b',
  'a\0c',
  '\ud800',
  '\ud801',
  '\ue000d800',
  '\u{1f525} é',
  'back\\slash',
  'A',
  'a',
  ' a',
];

/** Opens, runs, and destroys whatever happens. */
export async function withStore(open: OpenStore, run: (opened: OpenedStore, clock: SetClock) => Promise<void>): Promise<void> {
  const clock: SetClock = { at: 1_000, now: () => clock.at };
  const opened = await open(clock);
  try {
    await run(opened, clock);
  } finally {
    await opened.destroy();
  }
}

/** A test on a store of its own. */
export type Promised = (says: string, run: (opened: OpenedStore, clock: SetClock) => Promise<void>) => void;

/** The store as it is, then as it is after a restart. */
export async function* lives({ store, reopen }: OpenedStore): AsyncGenerator<Store> {
  yield store;
  yield await reopen();
}

/** Lets everything that is ready run once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
