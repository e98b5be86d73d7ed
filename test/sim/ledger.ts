// What really happened in a simulated world, written down by the world itself and read off the disk: the checker's only witness.
// Keeps its own desks, folded from the durable facts; they are also what simulated people look at.
import type { MemoryDisk } from '../../adapters/memory/disk.ts';
import { recordsOf } from '../../adapters/memory/log.ts';
import { metaOf, newDesk, type Desk } from '../../src/core/desk.ts';
import { fold } from '../../src/core/fold.ts';
import type { Notification, NotifyKind } from '../../src/core/page/notification.ts';
import type { Fact, Input } from '../../src/core/records.ts';
import type { Instant, Millis } from '../../src/core/time.ts';
import { forwardLastsMs } from '../../src/engine/believed-clock.ts';
import type { Topic } from '../../src/ports/event-log.ts';
import type { SimClock } from './clock.ts';
import type { Told } from './kinds.ts';
import type { Condition } from './outside.ts';

/** Where the world stood at a moment; differences of two moments say what lay between. */
export interface Moment {
  readonly steady: Millis;
  readonly wall: Instant;
  /** Time in which a process ran over a healthy medium, since the beginning. */
  readonly up: Millis;
  /** Starts of processes, and partitions that a host took over: there only the wall clock is known of what waits. */
  readonly lives: number;
  /** Processes that were frozen, cut off or deafened. */
  readonly disturbances: number;
  /** Complaints of the engine (failed appends, reads, saves): each may cost a rest and a reload. */
  readonly troubles: number;
  /** Sum of the wall clock's jumps forward, and number of those back. */
  readonly forward: Millis;
  /** The same, of jumps that every process believes by now. */
  readonly believed: Millis;
  readonly back: number;
}

export interface SeenFact {
  readonly fact: Fact;
  readonly partition: number;
  readonly offset: number;
  readonly seen: Moment;
}

/** An action that reached its target. */
export interface Act {
  readonly key: string;
  readonly worker: string;
  readonly uses: string;
  readonly seen: Moment;
}

export interface Delivered {
  readonly id: string;
  readonly notifier: string;
  readonly kind: NotifyKind;
  readonly page: string;
  readonly era: number;
  readonly formerEras: readonly number[];
  readonly life: number;
  readonly seen: Moment;
}

/** A part of the checker: told of each thing as it happens. */
export interface Watcher {
  /** An input has become durable; always told before the facts that it makes. */
  input?(input: Input, partition: number, offset: number): void;
  /** A fact has become durable; `desk` is its scope's desk before the fact is folded. */
  fact?(seen: SeenFact, desk: Desk): void;
  /** An action begins. */
  acted?(act: Act): void;
  /** A notifier was given a notification. */
  handed?(notifier: string, notification: Notification, seen: Moment, condition: Condition | null): void;
  /** Its words have left: nothing can call them back. */
  left?(notification: Notification, seen: Moment): void;
  /** Everything has settled. */
  settled?(seen: Moment): void;
}

export interface Ledger {
  /** Whether a fact may be on the log again, which its readers drop. */
  readonly repeats: boolean;
  readonly facts: SeenFact[];
  readonly desks: Map<string, Desk>;
  /** The facts of each desk, the first at its beginning. */
  readonly told: Map<string, Fact[]>;
  /** What senders said, by the marks of their events; of kinds that name episodes. */
  readonly claims: Map<string, Told>;
  readonly arrived: Delivered[];
  /** Marks of alert events and commands that the gateway said it had accepted, and letters it said it keeps. */
  readonly accepted: Set<string>;
  readonly letters: Set<string>;
  /** Marks of events that were sent under a delivery id. */
  readonly identified: Set<string>;
  /** Broken promises, in the order they were found. */
  readonly broken: string[];
  readonly reached: Map<string, number>;
  up(is: boolean): void;
  lived(): void;
  disturbed(): void;
  trouble(): void;
  jumped(span: Millis): void;
  moment(): Moment;
  /** Reads what has become durable since the last call. */
  observe(): void;
  act(act: Omit<Act, 'seen'>): void;
  handed(notifier: string, notification: Notification, condition: Condition | null): void;
  left(notification: Notification): void;
  settled(): void;
  watch(watcher: Watcher): void;
  breach(promise: string): void;
  /** Hears of each broken promise when it is found. */
  onBreach: (promise: string) => void;
  /** Counts that a rare path was taken. */
  reach(path: string): void;
}

export function createLedger(disk: MemoryDisk, clock: SimClock, partitions: number, repeats: boolean): Ledger {
  const watchers: Watcher[] = [];
  const next = Array.from({ length: partitions }, () => ({ batch: 0, offset: 0 }));
  /** Batches of inputs that have been read, by partition. */
  const heard = Array.from({ length: partitions }, () => 0);
  const state = { up: 0, upSince: 0, isUp: false, lives: 0, disturbances: 0, troubles: 0, forward: 0, believed: 0, back: 0 };
  let doubts = 0;

  const ledger: Ledger = {
    repeats,
    facts: [],
    desks: new Map(),
    told: new Map(),
    claims: new Map(),
    arrived: [],
    accepted: new Set(),
    letters: new Set(),
    identified: new Set(),
    broken: [],
    reached: new Map(),
    up(is) {
      state.up = ledger.moment().up;
      state.upSince = clock.steady();
      state.isUp = is;
    },
    lived() {
      state.lives += 1;
    },
    disturbed() {
      state.disturbances += 1;
    },
    trouble() {
      state.troubles += 1;
    },
    jumped(span) {
      if (span <= 0) state.back += 1;
      else state.forward += span;
      // Whoever doubts a jump begins to doubt anew at the next one; a process in which nothing happens notices a jump late.
      const { forward } = state;
      doubts += 1;
      const mine = doubts;
      clock.after(2 * forwardLastsMs, () => {
        if (doubts === mine) state.believed = forward;
      });
    },
    moment: () => ({
      steady: clock.steady(),
      wall: clock.now(),
      up: state.up + (state.isUp ? clock.steady() - state.upSince : 0),
      lives: state.lives,
      disturbances: state.disturbances,
      troubles: state.troubles,
      forward: state.forward,
      believed: state.believed,
      back: state.back,
    }),
    observe() {
      for (const partition of heard.keys()) listen(partition);
      for (const [partition, at] of next.entries()) {
        const batches = disk.content.slots.get(`facts/${partition}`)?.batches ?? [];
        for (; at.batch < batches.length; at.batch += 1) {
          const batch = batches[at.batch];
          if (batch === undefined) break;
          if (batch.base !== at.offset) ledger.breach(`L0: offsets of facts/${partition} go from ${at.offset} to ${batch.base}`);
          at.offset = batch.base + batch.count;
          const facts = recordsOf(batch) as readonly Fact[]; // written by hosts only
          for (const [place, fact] of facts.entries()) take(partition, batch.base + place, fact);
        }
      }
    },
    act(act) {
      ledger.observe();
      const whole = { ...act, seen: ledger.moment() };
      for (const watcher of watchers) watcher.acted?.(whole);
    },
    handed(notifier, notification, condition) {
      ledger.observe();
      const seen = ledger.moment();
      for (const watcher of watchers) watcher.handed?.(notifier, notification, seen, condition);
    },
    left(notification) {
      ledger.observe();
      const seen = ledger.moment();
      for (const watcher of watchers) watcher.left?.(notification, seen);
    },
    settled() {
      ledger.observe();
      const seen = ledger.moment();
      for (const watcher of watchers) watcher.settled?.(seen);
    },
    watch(watcher) {
      watchers.push(watcher);
    },
    breach(promise) {
      ledger.broken.push(promise);
      ledger.onBreach(promise);
    },
    onBreach: () => {},
    reach(path) {
      ledger.reached.set(path, (ledger.reached.get(path) ?? 0) + 1);
    },
  };

  function listen(partition: number): void {
    const batches = disk.content.slots.get(`inputs/${partition}`)?.batches ?? [];
    for (let at = heard[partition] ?? 0; at < batches.length; heard[partition] = at += 1) {
      const batch = batches[at];
      if (batch === undefined) return;
      const inputs = recordsOf(batch) as readonly Input[]; // written by intakes and the engine only
      for (const [place, input] of inputs.entries()) for (const watcher of watchers) watcher.input?.(input, partition, batch.base + place);
    }
  }

  function take(partition: number, offset: number, fact: Fact): void {
    const name = deskName(partition, fact.scope);
    const desk = ledger.desks.get(name) ?? newDesk(fact.scope);
    ledger.desks.set(name, desk);
    const { seq } = metaOf(desk);
    const told = ledger.told.get(name) ?? [];
    ledger.told.set(name, told);
    if (fact.seq <= seq && repeats) return repeated(name, fact, told[fact.seq - 1]);
    if (fact.seq !== seq + 1) return ledger.breach(`H1: fact ${fact.seq} (${fact.type}) of ${name} follows ${seq} on the log`);
    const seen: SeenFact = { fact, partition, offset, seen: ledger.moment() };
    ledger.facts.push(seen);
    told.push(fact);
    for (const watcher of watchers) watcher.fact?.(seen, desk);
    fold(desk, fact);
  }

  /** Two hosts, or one that does not know what reached the log, tell the same (H1). */
  function repeated(name: string, fact: Fact, first: Fact | undefined): void {
    ledger.reach('fact repeated');
    if (JSON.stringify(fact) !== JSON.stringify(first))
      ledger.breach(`H1: fact ${fact.seq} (${fact.type}) of ${name} was another one before: ${first?.type}`);
  }

  return ledger;
}

export function deskName(partition: number, scope: string): string {
  return `${partition}/${scope}`;
}

/** The inputs on the disk, with their offsets. */
export function inputsOn(disk: MemoryDisk, partition: number): readonly { readonly offset: number; readonly input: Input }[] {
  const topic: Topic = 'inputs';
  const batches = disk.content.slots.get(`${topic}/${partition}`)?.batches ?? [];
  return batches.flatMap((batch) => (recordsOf(batch) as readonly Input[]).map((input, place) => ({ offset: batch.base + place, input })));
}
