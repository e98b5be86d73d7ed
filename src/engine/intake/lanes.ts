// Which alerts may pass others on their way to the log: what is urgent first, fair by source and severity. Asked before an input has its
// place, so the order of the log stays the order of turning, and nothing of this is asked again after a crash.
//   L1  What is said of one alert keeps its order: nothing passes what was taken in before of the same scope and identity.
//   L2  One endpoint's critical alerts do not fill the way of another's: each has so many a second, and beyond them they wait like all else.
//   L3  Bounded: an entry for each alert that waits, and one for each endpoint.
//   L4  A delivery that its sender names is divided by scope only: the desk knows a repeat of it by the highest place that it has seen.
import type { Clock } from '../../ports/clock.ts';
import type { BulkLane } from '../../ports/event-log.ts';
import { isUrgent, keyOf } from '../failopen/urgent.ts';
import { createAllowances } from './allowances.ts';
import type { NewAlert } from './delivery-writer.ts';

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

/** For a log without a bulk lane: nothing waits. */
export const noLanes: Lanes = { mustWait: () => false, divide: (_, alerts) => ({ passing: alerts, waiting: [] }) };

export function createLanes(bulk: BulkLane, clock: Pick<Clock, 'steady'>): Lanes {
  const remembered = new Map<number, Remembered>();
  const isAllowed = createAllowances(clock); // L2

  function rememberedIn(partition: number): Remembered {
    const known = remembered.get(partition) ?? createRemembered();
    remembered.set(partition, known);
    return known;
  }

  return {
    mustWait: bulk.mustWait,
    divide({ partition, endpoint, isNamed }, alerts) {
      if (!bulk.mustWait(partition)) return { passing: alerts, waiting: [] };
      const { taken, placed } = bulk.counts(partition);
      const before = rememberedIn(partition);
      before.forget(placed);
      const divided = divide(alerts, before);
      const isDivided = divided.passing.length > 0 && divided.waiting.length > 0;
      const passes = divided.passing.length > 0 && !(isDivided && isNamed) && isAllowed(endpoint, divided.passing.length); // L4
      const { passing, waiting } = passes ? divided : { passing: [], waiting: alerts };
      for (const { scope, event } of waiting) before.add(keyOf(scope, event.fingerprint), taken + waiting.length);
      return { passing, waiting };
    },
  };
}

/** The alerts that wait in one partition, by the place in the lane of the last that tells of each. */
interface Remembered {
  has(key: string): boolean;
  add(key: string, place: number): void;
  /** Forgets those up to the place. */
  forget(placed: number): void;
}

/** A queue beside the map: deleting the oldest of a map over and over, and looking for the next, walks over all that were deleted. */
function createRemembered(): Remembered {
  const places = new Map<string, number>();
  let queue: { readonly key: string; readonly place: number }[] = [];
  let head = 0;
  return {
    has: (key) => places.has(key),
    add(key, place) {
      places.set(key, place);
      queue.push({ key, place });
    },
    forget(placed) {
      for (let oldest = queue[head]; oldest !== undefined && oldest.place <= placed; oldest = queue[head]) {
        if (places.get(oldest.key) === oldest.place) places.delete(oldest.key); // L3
        head += 1;
      }
      if (head < 1_024 || head * 2 < queue.length) return;
      queue = queue.slice(head);
      head = 0;
    },
  };
}

/** L1 */
function divide(alerts: readonly NewAlert[], before: Pick<Remembered, 'has'>): Divided {
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
