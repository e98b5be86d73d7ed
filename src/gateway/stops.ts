// How a gateway ends: each part that has started leaves how to stop it here.
import type { Logger } from '../ports/logger.ts';

export interface Stops {
  add(stop: () => Promise<void>): void;
  /** From the outside in, the last started first; what fails to stop does not keep the rest from stopping. Does nothing the second time. */
  all(): Promise<void>;
}

export function createStops(logger: Pick<Logger, 'error'>): Stops {
  const stops: (() => Promise<void>)[] = [];
  return {
    add: (stop) => void stops.push(stop),
    async all() {
      for (const stop of stops.splice(0).toReversed()) {
        try {
          await stop();
        } catch (error) {
          logger.error({ error }, 'a part did not stop in order');
        }
      }
    },
  };
}
