// Whether the embedded log takes records. It never goes away while the gateway lives, but its disk may be full, broken or slow.
//   A1  The log of the gateway hears of a change of state, not of every append that fails.
import { GatewayError } from '../core/errors.ts';
import { second, type Instant, type Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Store } from '../ports/store.ts';

/** A failure of so long ago that nobody has tried since says nothing of the present. */
const freshMs: Millis = 10 * second;

export interface Appends {
  /** The store, whose appends are watched. */
  readonly store: Store;
  /** Since when and why appends fail; null while they do not. */
  failing(): { readonly since: Instant; readonly says: string } | null;
}

export function watchAppends(store: Store, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }): Appends {
  let failure: { readonly since: Instant; readonly says: string; last: Millis } | null = null;

  function failed(error: unknown): void {
    if (!(error instanceof GatewayError) || error.code !== 'log_unavailable') return;
    if (failure === null) logger.error({ error }, 'the log does not take records: deliveries are put off, and nothing is decided'); // A1
    failure = { since: failure?.since ?? clock.now(), says: error.message, last: clock.steady() };
  }

  function succeeded(): void {
    if (failure !== null) logger.info({ since: new Date(failure.since).toISOString() }, 'the log takes records again'); // A1
    failure = null;
  }

  const watched = async <T>(work: Promise<T>): Promise<T> => {
    try {
      const answer = await work;
      succeeded();
      return answer;
    } catch (error) {
      failed(error);
      throw error;
    }
  };
  const { log } = store;
  const { bulk } = log;
  return {
    store: {
      ...store,
      log: {
        ...log,
        append: (topic, batch) => watched(log.append(topic, batch)),
        ...(bulk === undefined ? {} : { bulk: { ...bulk, append: (batch) => watched(bulk.append(batch)) } }),
      },
      probe: () => watched(store.probe()),
    },
    failing: () => (failure !== null && clock.steady() - failure.last < freshMs ? failure : null),
  };
}
