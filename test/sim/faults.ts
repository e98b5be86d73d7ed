// What goes wrong in a simulated world: which faults a seed has, and the medium that is slow, fails, refuses and tears.
// Crashes and clock jumps are done by world.ts; this file says when.
import { GatewayError } from '../../src/core/errors.ts';
import { day, hour, minute, second, type Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { BulkLane, EventLog, LogBatch } from '../../src/ports/event-log.ts';
import type { Store } from '../../src/ports/store.ts';
import type { SimClock } from './clock.ts';
import type { Ledger } from './ledger.ts';
import type { Caller } from './outside.ts';
import type { Random } from './random.ts';

/** Moments at which a process may die; the world calls them out as it passes them. */
export const points = ['sync', 'act', 'acted', 'deliver', 'delivered', 'append'] as const;
/** `claimed`: a claim has been sent, and not been answered yet. */
export type Point = (typeof points)[number] | 'claimed';

/** The faults of one seed. Each kind is on or off as a whole, so that most seeds are about few things. */
export interface Plan {
  /** Processes over one log; one alone has a disk of its own. */
  readonly processes: number;
  readonly freezes: number;
  readonly cuts: number;
  readonly deafs: number;
  readonly shuffles: number;
  /** Of an append to be called failed that is durable, or soon will be. */
  readonly ambiguous: number;
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
  /** Of a server to let us wait before it takes the words. */
  readonly slowGreetings: number;
  readonly people: number;
  readonly policies: number;
  readonly chaosMs: Millis;
}

/** The faults of a seed; in a crowded world several processes are frozen, cut off, deafened and shuffled, all of it. */
export function drawPlan(random: Random, isCrowded: boolean): Plan {
  const often = (high: number): number => (random.chance(0.4) ? random.int(1, high) : 0);
  const share = (high: number): number => (random.chance(0.4) ? random.next() * high : 0);
  const processes = !isCrowded && random.chance(0.65) ? 1 : random.int(2, 3);
  const among = (high: number): number => (isCrowded ? random.int(1, high) : processes === 1 ? 0 : often(high));
  return {
    processes,
    freezes: among(6),
    cuts: among(2),
    deafs: among(3),
    shuffles: among(5),
    ambiguous: share(0.05),
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
    policies: often(4),
    chaosMs: random.int(6, 20) * minute,
    slowGreetings: share(0.3),
  };
}

export function drawJump(random: Random): Millis {
  return random.pick([-day, -hour, hour, day]) + random.int(-minute, minute);
}

/** The state of the disk under the log, and the store as a process sees it through that. */
export interface Medium {
  readonly sync: (clock: Clock, caller: Caller) => () => Promise<void>;
  faulty(store: Store, caller: Caller): Store;
  /** What the process of that number reads comes only when the span is over; nothing else of it is slow. */
  deafen(life: number, span: Millis): void;
  isDeaf(life: number): boolean;
  set(state: 'well' | 'slow' | 'away'): void;
  readonly state: 'well' | 'slow' | 'away';
  /** From here on nothing goes wrong any more. */
  heal(): void;
}

export interface MediumParts {
  readonly random: Random;
  readonly clock: SimClock;
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly point: (point: Point, life: number) => void;
}

export function createMedium({ random, clock: world, plan, ledger, point }: MediumParts): Medium {
  const deaf = new Map<number, Promise<void>>();
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

  /** Failed, says the answer; the batch is on the log by then, or comes there soon. */
  function called(done: Promise<number>, topic: string): Promise<number> {
    const soon = random.chance(0.5);
    ledger.reach(soon ? 'append called failed before it was durable' : 'append called failed that was durable');
    done.catch(() => {});
    return soon ? Promise.reject(away(topic)) : done.then(() => Promise.reject(away(topic)));
  }

  return {
    sync:
      (clock, { life }) =>
      () =>
        new Promise((resolve, reject) => {
          point('sync', life);
          clock.after(latency(), () => {
            point('sync', life);
            if (!healed && (state === 'away' || random.chance(plan.failingSync))) {
              ledger.reach('sync failed');
              reject(new Error('no space left on device'));
            } else resolve();
          });
        }),
    faulty(store, { life, alive }) {
      const gone = <T>(): Promise<T> => new Promise<T>(() => {});
      const log: EventLog = {
        ...store.log,
        append(topic, batch) {
          point('append', life);
          if (!alive()) return gone();
          if (refuse('append')) return Promise.reject(away(topic));
          const done = store.log.append(topic, batch);
          if (isClaim(batch)) point('claimed', life);
          return !healed && random.chance(plan.ambiguous) ? called(done, topic) : done;
        },
        async read(topic, partition, offset, max) {
          if (deaf.size > 0) await deaf.get(life);
          if (refuse('read')) throw away(topic);
          return store.log.read(topic, partition, offset, max);
        },
      };
      const { bulk } = store.log;
      if (bulk === undefined) return { ...store, log };
      const append: BulkLane['append'] = (batch) => {
        point('append', life);
        if (!alive()) return gone();
        if (refuse('append')) return Promise.reject(away('inputs'));
        ledger.reach('input that waited for its place');
        return bulk.append(batch);
      };
      // A backlog of the simulation is a handful of inputs: every third time something must wait without one.
      let asked = 0;
      const mustWait: BulkLane['mustWait'] = (partition) => bulk.mustWait(partition) || (!healed && (asked += 1) % 3 === 0);
      return { ...store, log: { ...log, bulk: { ...bulk, append, mustWait } } };
    },
    deafen(life, span) {
      if (deaf.has(life)) return;
      const over = new Promise<void>((resolve) => void world.after(span, resolve)).then(() => void deaf.delete(life));
      deaf.set(life, over);
    },
    isDeaf: (life) => deaf.has(life),
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

function away(topic: string): GatewayError {
  return new GatewayError('log_unavailable', `the ${topic} log is away`);
}

function isClaim({ values: [first] }: LogBatch): boolean {
  return first !== undefined && 'type' in first && first.type === 'StepClaimed';
}
