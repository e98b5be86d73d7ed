// Whether the files that the gateway keeps its data in are still there and sound: looked at every few seconds, said in the log, in /readyz and in a metric.
// The door stays open meanwhile: what cannot be kept is answered 503 (the store refuses it), and senders try again.
//   D1  The log hears of a change, and once in a while again as long as it lasts (the logger's own measure).
//   D2  Files that are gone are tried at once, so that the store rescues what they hold although nobody delivers.
import { second, type Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Store } from '../ports/store.ts';

const lookEveryMs: Millis = 2 * second;

interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Pick<Store, 'trouble' | 'found' | 'probe'>;
}

/** Looks until the returned function is called. */
export function watchDataFiles({ clock, logger, store }: Parts): () => Promise<void> {
  for (const says of store.found ?? []) logger.error({ says }, 'the data files were not as they were left');
  let was: string | null = null;
  let cancel = (): void => {};
  const look = async (): Promise<void> => {
    const trouble = store.trouble?.() ?? null;
    if (trouble !== null) {
      logger.error({ trouble }, 'the data files are in trouble'); // D1
      await store.probe().catch(() => {}); // D2; what it says is told by whoever watches appends
    } else if (was !== null) logger.info({}, 'the data files are well again');
    was = trouble;
  };
  const again = (): void => {
    cancel = clock.after(lookEveryMs, () => void look().finally(again));
  };
  again();
  return async () => cancel();
}
