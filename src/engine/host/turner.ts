// The desks of a partition in memory, and how far its inputs are turned: inputs in, facts out. Reads no log and keeps nothing durable.
import type { DecisionContext } from '../../core/context.ts';
import { worldOf, type Desk } from '../../core/desk.ts';
import type { Expressions } from '../../core/playbook/expressions.ts';
import type { WorldRow } from '../../core/playbook/row.ts';
import type { Fact, Input } from '../../core/records.ts';
import { everyScope } from '../../core/stamp.ts';
import type { Instant, Millis } from '../../core/time.ts';
import { turn, turnThawed, turnWorld } from '../../core/turn.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LogRecord } from '../../ports/event-log.ts';
import { deskOf, isBare } from './desks.ts';
import { noPolicy } from './no-policy.ts';
import { Resting } from './resting.ts';

const batchMs: Millis = 4;

/** Facts of one batch in their order, by scope. */
export type FactsByScope = ReadonlyMap<string, readonly Fact[]>;

export interface TurnerDeps {
  readonly clock: Pick<Clock, 'steady'>;
  readonly expressions: Expressions;
  /** The desk has rows that no checkpoint has. */
  readonly onChanged: (desk: Desk) => void;
  /** Decides in place of core's own turn: simulations break a guard this way. */
  readonly turn?: Turn;
}

export type Turn = typeof turn;

export interface Turner {
  /** Forgets all desks; gives the empty ones to load into. */
  reset(): Map<string, Desk>;
  /** The input to turn next. */
  placeAt(offset: number): void;
  readonly offset: number;
  /** Turns records in order, until all are turned or the batch's time is over: `offset` says how far. Throws for a bug. */
  turn(records: readonly LogRecord[]): FactsByScope;
  world(): WorldRow;
  readonly desks: ReadonlyMap<string, Desk>;
  /**
   * Keeps of a desk with nothing on it only where its numbers and its time stand; it comes back with its next input. For one whose rows are
   * all taken for a save: those of a resource that nobody uses any more, mostly.
   */
  rest(desk: Desk): void;
  /** Brings back desks at rest whose time is later than this. */
  wakeLater(than: Instant): void;
  /** The latest stamp of the inputs turned since it was last asked; 0 when none was. */
  takeNewestStamp(): Instant;
}

export function createTurner({ clock, expressions, onChanged, turn: decide = turn }: TurnerDeps): Turner {
  let desks = new Map<string, Desk>();
  let resting = new Resting();
  let offset = 0;
  let newestStamp: Instant = 0;

  function world(): WorldRow {
    return worldOf(deskOf(desks, everyScope));
  }

  function deskAt(scope: string): Desk {
    const desk = deskOf(desks, scope);
    const meta = resting.take(scope);
    if (meta !== undefined) desk.tables.meta.rows.set('desk', meta);
    return desk;
  }

  function context(): DecisionContext {
    const { policy, frozen, installation } = world();
    return { policy: policy ?? noPolicy, frozen, installation, expressions };
  }

  /** What the emergency stop held goes on in the turn that lifts it: every desk of the partition is asked. */
  function thaw(facts: Map<string, Fact[]>, at: Instant, place: number): void {
    for (const desk of desks.values()) {
      const decided = turnThawed(desk, at, context(), place);
      if (decided.length === 0) continue;
      addTo(facts, desk.scope, decided);
      onChanged(desk);
    }
  }

  return {
    world,
    reset() {
      desks = new Map();
      resting = new Resting();
      return desks;
    },
    placeAt(next) {
      offset = next;
    },
    get offset() {
      return offset;
    },
    get desks() {
      return desks;
    },
    rest(desk) {
      if (desk.scope === everyScope || desks.get(desk.scope) !== desk || !isBare(desk)) return;
      desks.delete(desk.scope);
      resting.add(desk);
    },
    wakeLater(than) {
      for (const scope of resting.later(than)) deskAt(scope);
    },
    takeNewestStamp() {
      const newest = newestStamp;
      newestStamp = 0;
      return newest;
    },
    turn(records) {
      const facts = new Map<string, Fact[]>();
      const until = clock.steady() + batchMs;
      let rules = context();
      for (const record of records) {
        // Inputs are written by intake, effects and timers only, as records.ts has them.
        const input = record.value as Input;
        const desk = deskAt(input.scope);
        const isWorld = input.scope === everyScope;
        const decided = isWorld ? turnWorld(desk, input, rules, record.offset) : decide(desk, input, rules, record.offset);
        if (isWorld) rules = context();
        offset = record.offset + 1;
        newestStamp = Math.max(newestStamp, input.at);
        if (decided.length > 0) {
          addTo(facts, input.scope, decided);
          onChanged(desk);
        }
        if (isWorld && decided.some(isThaw)) thaw(facts, input.at, record.offset);
        if (clock.steady() >= until) break;
      }
      return facts;
    },
  };
}

function isThaw(fact: Fact): boolean {
  return fact.type === 'FreezeChanged' && fact.frozen === null;
}

function addTo(facts: Map<string, Fact[]>, scope: string, decided: readonly Fact[]): void {
  const before = facts.get(scope);
  if (before === undefined) facts.set(scope, [...decided]);
  else for (const fact of decided) before.push(fact);
}
