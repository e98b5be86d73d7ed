// The door slows with the backlog: whoever sends much while much waits to be decided gets their answers later, so that alerts wait at their
// sender, who can wait, and not in here. What was sent is durable, and on its way to its decision, all the same.
//   B1  The more waits, the longer an answer takes, up to `slowMax`, which is shorter than any sender's patience; beyond `limits.backlog` it is 503.
//   B2  An endpoint that sends little is answered at once, whatever others send: so many alerts a second, as many as may pass others (lanes.ts).
//   B3  What is urgent and comes by itself is answered at once: its sender may have the next critical alert waiting behind it.
import { second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import { createAllowances } from './allowances.ts';

/** A backlog of fewer inputs is decided within about a second. */
const slowFromMax = 16_384;
const slowestMax = 65_536;
export const slowMax: Millis = 2 * second;

/** How long the answer to a delivery of so many alerts is kept back, with so many inputs that wait to be decided. */
export type Slowing = (endpoint: string, alerts: number, backlog: number) => Millis;

/** `backlogMax`: with more than that a delivery is not taken at all. */
export function createSlowing(clock: Pick<Clock, 'steady'>, backlogMax: number): Slowing {
  const isWithin = createAllowances(clock);
  const slowFrom = Math.min(slowFromMax, backlogMax / 4);
  const slowest = Math.min(slowestMax, backlogMax);
  return (endpoint, alerts, backlog) => {
    const isLittle = isWithin(endpoint, alerts); // B2
    if (isLittle || backlog <= slowFrom) return 0;
    return Math.min(slowMax, (slowMax * (backlog - slowFrom)) / (slowest - slowFrom)); // B1
  };
}
