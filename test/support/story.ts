// Stories over the pure core: events, answers and time go in, facts come out. No engine, no promises, no clock but a number.
// After every turn (in long stories: now and then) it checks what must always hold: the facts alone rebuild the desk (D1), and a desk loaded from its rows
// decides the same (T1). What one desk says to another (core/resource/message.ts) is heard at once.
import assert from 'node:assert/strict';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { DecisionContext } from '../../src/core/context.ts';
import { newDesk, type Desk } from '../../src/core/desk.ts';
import { fold } from '../../src/core/fold.ts';
import type { NotifyOutcome } from '../../src/core/page/notification.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Fact, Input } from '../../src/core/records.ts';
import { isMessage, messageOf } from '../../src/core/resource/message.ts';
import type { StepRequested } from '../../src/core/run/facts.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import type { Instant, Millis } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import { changedRows, finishLoading, takeRows } from '../../src/engine/host/desks.ts';
import { someday } from './clock.ts';

export type FactOf<T extends Fact['type']> = Extract<Fact, { type: T }>;

type Given<T> = T extends Input ? Omit<T, 'scope' | 'at'> : never;

export interface Story {
  /** Of the scope `default`. */
  readonly facts: readonly Fact[];
  /** Of all scopes, those of resources, too. */
  readonly everywhere: readonly Fact[];
  now(): Instant;
  /** In the scope `default` if not said otherwise. */
  say(input: Given<Input>, scope?: string): readonly Fact[];
  see(event: AlertEvent, delivery?: { readonly id: string; readonly index: number }): readonly Fact[];
  /** Lets time pass; wakes come when they are due. */
  forward(span: Millis): void;
  /** Sets the clock that stamps inputs back; waits go on undisturbed. */
  back(span: Millis): void;
  /** Claims, is granted and answers the newest open call. */
  answer(outcome: ActionOutcome): readonly Fact[];
  /** Claims every notification that is asked for, and answers what is granted. */
  notified(outcome: NotifyOutcome): void;
  all<T extends Fact['type']>(type: T): readonly FactOf<T>[];
  last<T extends Fact['type']>(type: T): FactOf<T>;
  openCall(): StepRequested | null;
  freeze(frozen: DecisionContext['frozen']): void;
  /** From here on this policy is in force. */
  policy(policy: Policy): void;
  /** From here on the installation has this name. */
  installation(name: string | null): void;
  desk(): Desk;
  /** Of another scope. */
  deskOf(scope: string): Desk;
}

export const accepted: NotifyOutcome = { outcome: 'accepted', detail: '' };
export const done: ActionOutcome = { outcome: 'ok', output: {} };
export const broke: ActionOutcome = { outcome: 'failed', error: 'exit', detail: 'exit code 1', output: {} };
export const silent: ActionOutcome = { outcome: 'unknown', detail: 'no answer' };

const expressions = createExpressions();

/** The desks of resources, which every story that is told beside it may share. */
export function tell(policy: Policy): Story {
  const scope = 'default';
  const desks = new Map<string, { desk: Desk; readonly shadow: Desk; told: number }>();
  const facts: Fact[] = [];
  const everywhere: Fact[] = [];
  let at = someday;
  let offset = 0;
  let rules: DecisionContext = { policy, frozen: null, installation: null, expressions };
  const waits: { due: number; order: number; scope: string; token: string }[] = [];

  function placeOf(name: string): { desk: Desk; readonly shadow: Desk; told: number } {
    const known = desks.get(name) ?? { desk: newDesk(name), shadow: newDesk(name), told: 0 };
    desks.set(name, known);
    return known;
  }

  function say(given: Given<Input>, to = scope): readonly Fact[] {
    const all: Fact[] = [];
    // Given is the input without what the story itself adds.
    const inputs = [{ ...given, scope: to, at } as Input];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      const told = turnOne(input);
      if (input.scope === to) all.push(...told);
      for (const fact of told) if (isMessage(fact)) inputs.push(messageOf(fact, at));
    }
    return all;
  }

  function turnOne(input: Input): readonly Fact[] {
    const place = placeOf(input.scope);
    const told = turn(place.desk, structuredClone(input), rules, (offset += 1));
    for (const fact of told) {
      everywhere.push(fact);
      if (fact.scope === scope) facts.push(fact);
      fold(place.shadow, structuredClone(fact));
      if (fact.type === 'WakeRequested') waits.push({ due: at + fact.afterMs, order: waits.length, scope: fact.scope, token: fact.token });
    }
    place.told += told.length;
    if (place.told < 400 || place.told % 97 === 0) place.desk = reloaded(place.desk, place.shadow);
    return told;
  }

  function isGranted({ page, notification }: { readonly page: string; readonly notification: string }): boolean {
    const outgoing = placeOf(scope).desk.tables.pages.rows.get(page)?.outgoing ?? [];
    return outgoing.some(({ id, state }) => id === notification && state === 'granted');
  }

  const story: Story = {
    facts,
    now: () => at,
    everywhere,
    say,
    see: (event, delivery) =>
      say({ type: 'AlertSeen', endpoint: 'test', delivery: delivery?.id ?? '', index: delivery?.index ?? 0, event }),
    forward(span) {
      const until = at + span;
      for (;;) {
        const due = waits.filter((wait) => wait.due <= until).sort((a, b) => a.due - b.due || a.order - b.order)[0];
        if (due === undefined) break;
        waits.splice(waits.indexOf(due), 1);
        at = Math.max(at, due.due);
        say({ type: 'Woke', token: due.token }, due.scope);
      }
      at = until;
    },
    back(span) {
      at -= span;
      for (const wait of waits) wait.due -= span;
    },
    answer(outcome) {
      const call = story.openCall();
      assert.ok(call !== null, 'a call is open');
      say({ type: 'StepClaimed', run: call.run, call: call.call, worker: 'w1' });
      return say({ type: 'StepAnswered', run: call.run, call: call.call, worker: 'w1', outcome, tookMs: 5 });
    },
    notified(outcome) {
      for (const page of placeOf(scope).desk.tables.pages.rows.values()) {
        for (const { id: notification, attempt, state } of page.outgoing) {
          const one = { page: page.id, notification, attempt };
          if (state === 'asked') say({ type: 'NotifyClaimed', ...one, worker: 'w1' });
          if (isGranted(one)) say({ type: 'NotifyAnswered', ...one, outcome });
        }
      }
    },
    all: (type) => facts.filter((fact) => fact.type === type) as never,
    last(type) {
      const found = story.all(type).at(-1);
      assert.ok(found !== undefined, `a ${type} was decided`);
      return found;
    },
    openCall() {
      const finished = new Set(story.all('StepFinished').map((fact) => fact.run + fact.call));
      return story.all('StepRequested').findLast((fact) => !finished.has(fact.run + fact.call)) ?? null;
    },
    freeze(frozen) {
      rules = { ...rules, frozen };
    },
    policy(next) {
      rules = { ...rules, policy: next };
    },
    installation(name) {
      rules = { ...rules, installation: name };
    },
    desk: () => placeOf(scope).desk,
    deskOf: (name) => placeOf(name).desk,
  };
  return story;
}

/** The desk as it comes back from its saved rows, after checking that rows and facts tell the same (D1). */
function reloaded(desk: Desk, shadow: Desk): Desk {
  for (const [name, table] of Object.entries(desk.tables)) {
    const folded = shadow.tables[name as keyof Desk['tables']].rows;
    assert.deepEqual(sorted(folded), sorted(table.rows), `D1: table ${name} is the fold of the facts`);
    for (const key of table.rows.keys()) table.changed.add(key);
  }
  const desks = new Map<string, Desk>();
  const rows = changedRows(desk).toReversed();
  takeRows(desks, structuredClone(rows));
  finishLoading(desks);
  return desks.get(desk.scope) ?? newDesk(desk.scope);
}

function sorted(rows: ReadonlyMap<string, object>): readonly (readonly [string, object])[] {
  return [...rows].sort((a, b) => (a[0] < b[0] ? -1 : 1));
}
