// What goes wrong in a simulated world: which faults a seed has, and the medium that is slow, fails, refuses and tears.
// Crashes and clock jumps are done by world.ts; this file says when.
import { GatewayError } from '../../src/core/errors.ts';
import type { Clock, EventLog, Store } from '../../src/core/ports.ts';
import { day, hour, minute, second, type Millis } from '../../src/core/time.ts';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';

/** Moments at which a process may die; the world calls them out as it passes them. */
export const points = ['sync', 'act', 'acted', 'deliver', 'delivered', 'append'] as const;
export type Point = (typeof points)[number];

/** The faults of one seed. Each kind is on or off as a whole, so that most seeds are about few things. */
export interface Plan {
  readonly crashes: number;
  readonly stops: number;
  readonly jumps: number;
  readonly outages: number;
  readonly slowSpells: number;
  /** Probability that a single append, or a single read, is refused. */
  readonly refusing: number;
  readonly failingSync: number;
  /** Of a cursor to be lost at a restart. */
  readonly cursorLoss: number;
  /** Of an action to be answered after its time, or never; of a notifier to fail in some way. */
  readonly badTargets: number;
  readonly badNotifiers: number;
  readonly badSenders: number;
  readonly people: number;
  readonly policies: number;
  readonly chaosMs: Millis;
}

export function drawPlan(random: Random): Plan {
  const often = (high: number): number => (random.chance(0.4) ? random.int(1, high) : 0);
  const share = (high: number): number => (random.chance(0.4) ? random.next() * high : 0);
  return {
    crashes: random.chance(0.55) ? random.int(1, 4) : 0,
    stops: often(2),
    jumps: often(3),
    outages: often(2),
    slowSpells: often(2),
    refusing: share(0.05),
    failingSync: share(0.05),
    cursorLoss: share(0.8),
    badTargets: share(0.7),
    badNotifiers: share(0.8),
    badSenders: share(0.7),
    people: random.chance(0.7) ? random.int(2, 14) : 0,
    policies: often(2),
    chaosMs: random.int(6, 20) * minute,
  };
}

export function drawJump(random: Random): Millis {
  return random.pick([-day, -hour, hour, day]) + random.int(-minute, minute);
}

/** The state of the disk under the log, and the store as a process sees it through that. */
export interface Medium {
  readonly sync: (clock: Clock) => () => Promise<void>;
  faulty(store: Store, alive: () => boolean): Store;
  set(state: 'well' | 'slow' | 'away'): void;
  readonly state: 'well' | 'slow' | 'away';
  /** From here on nothing goes wrong any more. */
  heal(): void;
}

export function createMedium(random: Random, plan: Plan, ledger: Ledger, point: (point: Point) => void): Medium {
  let state: Medium['state'] = 'well';
  let healed = false;

  function latency(): Millis {
    if (state === 'slow') return random.int(100, 3 * second);
    return random.int(1, 4);
  }

  function refuse(what: string): boolean {
    if (healed || (state !== 'away' && !random.chance(plan.refusing))) return false;
    ledger.reach(`${what} refused`);
    return true;
  }

  return {
    sync: (clock) => () =>
      new Promise((resolve, reject) => {
        point('sync');
        clock.after(latency(), () => {
          point('sync');
          if (!healed && (state === 'away' || random.chance(plan.failingSync))) {
            ledger.reach('sync failed');
            reject(new Error('no space left on device'));
          } else resolve();
        });
      }),
    faulty(store, alive) {
      const gone = <T>(): Promise<T> => new Promise<T>(() => {});
      const log: EventLog = {
        ...store.log,
        append(topic, batch) {
          point('append');
          if (!alive()) return gone();
          if (refuse('append')) return Promise.reject(new GatewayError('log_unavailable', `the ${topic} log is away`));
          return store.log.append(topic, batch);
        },
        read(topic, partition, offset, max) {
          if (refuse('read')) return Promise.reject(new GatewayError('log_unavailable', `the ${topic} log is away`));
          return store.log.read(topic, partition, offset, max);
        },
      };
      return { ...store, log };
    },
    set(to) {
      state = to;
      if (to !== 'well') ledger.reach(to === 'slow' ? 'slow syncs' : 'log outage');
    },
    get state() {
      return state;
    },
    heal() {
      healed = true;
      state = 'well';
    },
  };
}
