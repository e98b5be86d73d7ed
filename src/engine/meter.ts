// A figure that costs an asking: measured now and then, and told as it was last measured.
import type { Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';

export interface Meter<Figure> {
  /** As last measured; what it began with until then. */
  value(): Figure;
  start(): void;
  stop(): void;
}

/** Measures `everyMs` after the last measurement has ended, well or not: of what fails, the last figure stays. */
export function createMeter<Figure>(options: {
  readonly clock: Clock;
  readonly everyMs: Millis;
  readonly first: Figure;
  readonly measure: () => Promise<Figure>;
  readonly onTrouble: (error: unknown) => void;
}): Meter<Figure> {
  let figure = options.first;
  let stopped = false;
  let cancel: () => void = () => {};

  async function measureAgain(): Promise<void> {
    try {
      figure = await options.measure();
    } catch (error) {
      options.onTrouble(error);
    }
    if (!stopped) cancel = options.clock.after(options.everyMs, () => void measureAgain());
  }

  return {
    value: () => figure,
    start: () => void measureAgain(),
    stop() {
      stopped = true;
      cancel();
    },
  };
}
