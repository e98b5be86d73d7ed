// Whether the embedded log takes records. It never goes away while the gateway lives, but its disk may be full, broken or slow.
//   A1  The log of the gateway hears of a change of state, not of every append that fails.
//   A2  A log that takes only what may use the reserve is told apart from one that takes nothing: it decides, and calls people.
import { GatewayError } from '../core/errors.ts';
import { second, type Instant, type Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Store } from '../ports/store.ts';

/** A failure of so long ago that nobody has tried since says nothing of the present. */
const freshMs: Millis = 10 * second;

interface Failing {
  readonly since: Instant;
  readonly says: string;
}

export interface Appends {
  /** The store, whose appends are watched. */
  readonly store: Store;
  /** Since when and why deliveries are not taken; null while they are. */
  failing(): Failing | null;
  /** Since when and why nothing is taken, not even what may use the reserve (A2); null while that is. */
  undecidable(): Failing | null;
}

interface Kind {
  readonly broke: string;
  readonly healed: string;
}

/** By what an append may use. */
const kinds = {
  delivery: {
    broke: 'the log does not take records of deliveries: they are put off',
    healed: 'the log takes records again, of deliveries, too',
  },
  reserve: {
    broke: 'the log does not take records: deliveries are put off, and nothing is decided',
    healed: 'the log takes records again',
  },
} as const satisfies { readonly [kind: string]: Kind };

export function watchAppends(store: Store, around: { readonly clock: Clock; readonly logger: Logger }): Appends {
  const delivery = createState(kinds.delivery, around);
  const reserve = createState(kinds.reserve, around);

  const watched = async <T>(work: Promise<T>, mayUseReserve: boolean): Promise<T> => {
    const state = mayUseReserve ? reserve : delivery;
    try {
      const answer = await work;
      reserve.succeeded();
      state.succeeded();
      return answer;
    } catch (error) {
      state.failed(error);
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
        append: (topic, batch) => watched(log.append(topic, batch), batch.mayUseReserve === true),
        ...(bulk === undefined ? {} : { bulk: { ...bulk, append: (batch) => watched(bulk.append(batch), false) } }),
      },
      probe: () => watched(store.probe(), false),
    },
    failing: () => reserve.now() ?? delivery.now(),
    undecidable: reserve.now,
  };
}

interface State {
  now(): Failing | null;
  failed(error: unknown): void;
  succeeded(): void;
}

/** A1 */
function createState({ broke, healed }: Kind, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }): State {
  let failure: (Failing & { last: Millis }) | null = null;
  return {
    now: () => (failure !== null && clock.steady() - failure.last < freshMs ? failure : null),
    failed(error) {
      if (!(error instanceof GatewayError) || error.code !== 'log_unavailable') return;
      if (failure === null) logger.error({ error }, broke);
      failure = { since: failure?.since ?? clock.now(), says: error.message, last: clock.steady() };
    },
    succeeded() {
      if (failure !== null) logger.info({ since: new Date(failure.since).toISOString() }, healed);
      failure = null;
    },
  };
}
