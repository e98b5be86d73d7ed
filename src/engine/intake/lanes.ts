// Which alerts may pass others on their way to the log: what is urgent first, fair by source and severity. Asked before an input has its
// place, so the order of the log stays the order of turning, and nothing of this is asked again after a crash.
//   L1  What is said of one alert keeps its order: nothing passes what was taken in before of the same scope and identity.
//   L2  One endpoint's critical alerts do not fill the way of another's: each has so many a second, and beyond them they wait like all else.
//   L3  Bounded: an entry for each alert that waits, and one for each endpoint.
//   L4  A delivery that its sender names is divided by scope only: the desk knows a repeat of it by the highest place that it has seen.
import { second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { BulkLane } from '../../ports/event-log.ts';
import { isUrgent, keyOf } from '../failopen/urgent.ts';
import type { NewAlert } from './delivery-writer.ts';

const burst = 512;
const perSecond = 256;

export interface Divided {
  readonly passing: readonly NewAlert[];
  /** They wait for their place, and are remembered until they have it. */
  readonly waiting: readonly NewAlert[];
}

export interface Lanes {
  /** Whether what passes nothing must wait now. */
  mustWait(partition: number): boolean;
  /** Divides the alerts of one scope that came in together; called right before they are appended. */
  divide(of: { readonly partition: number; readonly endpoint: string; readonly isNamed: boolean }, alerts: readonly NewAlert[]): Divided;
}

interface Allowance {
  left: number;
  at: Millis;
}

/** For a log without a bulk lane: nothing waits. */
export const noLanes: Lanes = { mustWait: () => false, divide: (_, alerts) => ({ passing: alerts, waiting: [] }) };

export function createLanes(bulk: BulkLane, clock: Pick<Clock, 'steady'>): Lanes {
  /** By partition: the place in the lane of the last that tells of an alert, the oldest first. */
  const places = new Map<number, Map<string, number>>();
  const allowances = new Map<string, Allowance>();

  /** L2 */
  function isAllowed(endpoint: string, count: number): boolean {
    const now = clock.steady();
    const allowance = allowances.get(endpoint) ?? { left: burst, at: now };
    allowances.set(endpoint, allowance);
    allowance.left = Math.min(burst, allowance.left + ((now - allowance.at) * perSecond) / second);
    allowance.at = now;
    if (allowance.left < count) return false;
    allowance.left -= count;
    return true;
  }

  /** Those of a partition that still wait. */
  function waitingIn(partition: number, placed: number): Map<string, number> {
    const waiting = places.get(partition) ?? new Map<string, number>();
    places.set(partition, waiting);
    for (const [key, place] of waiting) {
      if (place > placed) break;
      waiting.delete(key); // L3
    }
    return waiting;
  }

  return {
    mustWait: bulk.mustWait,
    divide({ partition, endpoint, isNamed }, alerts) {
      if (!bulk.mustWait(partition)) return { passing: alerts, waiting: [] };
      const { taken, placed } = bulk.counts(partition);
      const before = waitingIn(partition, placed);
      const divided = divide(alerts, before);
      const isDivided = divided.passing.length > 0 && divided.waiting.length > 0;
      const passes = divided.passing.length > 0 && !(isDivided && isNamed) && isAllowed(endpoint, divided.passing.length); // L4
      const { passing, waiting } = passes ? divided : { passing: [], waiting: alerts };
      for (const { scope, event } of waiting) {
        const key = keyOf(scope, event.fingerprint);
        before.delete(key);
        before.set(key, taken + waiting.length);
      }
      return { passing, waiting };
    },
  };
}

/** L1 */
function divide(alerts: readonly NewAlert[], before: ReadonlyMap<string, number>): Divided {
  const held = new Set<string>();
  const [passing, waiting]: [NewAlert[], NewAlert[]] = [[], []];
  for (const alert of alerts) {
    const key = keyOf(alert.scope, alert.event.fingerprint);
    const passes = isUrgent(alert.event) && !before.has(key) && !held.has(key);
    if (!passes) held.add(key);
    (passes ? passing : waiting).push(alert);
  }
  return { passing, waiting };
}
