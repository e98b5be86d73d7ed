// No cost grows with what is open: one more thing is as much work beside 4,000 open alerts as beside 1,000, and no single turn is long.
// Work is counted, not timed: every look into a Map, Set or array, and every place of one that is passed. What it costs in time is bench/growth.ts.
// Counting changes the built-in objects, so it is done in a thread of its own, where it slows down nobody else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { Matcher } from '../../src/core/alert/labels.ts';
import type { DecisionContext } from '../../src/core/context.ts';
import { newDesk } from '../../src/core/desk.ts';
import { invariant } from '../../src/core/errors.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Fact, Input } from '../../src/core/records.ts';
import { hour, minute } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { playbookOf, policyOf } from '../support/policy.ts';

type Given<T> = T extends Input ? Omit<T, 'scope' | 'at'> : never;

const few = 1_000;
const many = 4_000;
/** So much work takes a few milliseconds. */
const turnMax = 40_000;
const apart = { storm: { alerts: Number.MAX_SAFE_INTEGER, withinMs: hour } };

/** What was measured beside so many open alerts, by its name. */
type Measured = ReadonlyMap<string, number>;

if (isMainThread) {
  test('what one more thing costs does not grow with what is open', async () => {
    const worker = new Worker(new URL(import.meta.url));
    const [[before, after]] = (await once(worker, 'message')) as [readonly [Measured, Measured]]; // posted below
    assert.ok(before.size > 10, 'something was measured');
    for (const [what, work] of before) {
      const then = after.get(what) ?? Number.NaN;
      const bound = what.startsWith('longest turn') ? turnMax : 1.3 * work + 40;
      assert.ok(then <= bound, `${what}: ${work} steps beside ${few} open alerts, ${then} beside ${many}, expected at most ${bound}`);
    }
  });
} else {
  invariant(parentPort, 'a worker has a parent');
  const count = countWork();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort.postMessage([few, many].map((open) => measure(open, count)));
}

/** From here on counts the steps of whatever runs in this thread; returns how to read the counter. */
function countWork(): () => number {
  let steps = 0;
  const patch = (prototype: object, method: string, cost: (self: { readonly length?: number }) => number): void => {
    const before = Reflect.get(prototype, method) as (...values: readonly unknown[]) => unknown;
    const counted = function (this: { readonly length?: number }, ...values: readonly unknown[]): unknown {
      steps += cost(this);
      return Reflect.apply(before, this, values);
    };
    Object.defineProperty(prototype, method, { value: counted, configurable: true, writable: true });
  };
  for (const method of ['get', 'has', 'set', 'delete']) patch(Map.prototype, method, () => 1);
  for (const method of ['has', 'add', 'delete']) patch(Set.prototype, method, () => 1);
  for (const iterator of [new Map().entries(), new Set().values(), [].values()]) {
    patch(Object.getPrototypeOf(iterator) as object, 'next', () => 1);
  }
  for (const method of [
    'filter',
    'map',
    'flatMap',
    'some',
    'every',
    'find',
    'findLast',
    'reduce',
    'includes',
    'indexOf',
    'forEach',
    'toSorted',
    'sort',
    'slice',
    'concat',
  ]) {
    patch(Array.prototype, method, ({ length = 0 }) => length);
  }
  return () => steps;
}

interface World {
  say(given: Given<Input>): readonly Fact[];
  alert(change?: { readonly number?: number; readonly cleared?: boolean }): readonly Fact[];
  policy(policy: Policy): void;
  /** The most that one turn took since this was last asked. */
  longest(): number;
}

function worldOf(first: Policy, count: () => number): World {
  const desk = newDesk('default');
  let rules: DecisionContext = { policy: first, frozen: null, installation: null, expressions: createExpressions() };
  let [offset, newest, longest] = [0, 0, 0];
  const say = (given: Given<Input>): readonly Fact[] => {
    offset += 1;
    const before = count();
    const facts = turn(desk, { scope: 'default', at: someday + offset, ...given } as Input, rules, offset); // a member of the union again
    longest = Math.max(longest, count() - before);
    return facts;
  };
  return {
    say,
    alert({ number = (newest += 1), cleared = false } = {}) {
      const host = `h${number}.example.org`;
      const labels = { alertname: `Rule${number % 500}`, instance: `${host}:9100`, severity: 'critical', team: `t${number % 32}` };
      const event = eventOf({
        fingerprint: number.toString(16).padStart(16, '0'),
        name: `Rule${number % 500}`,
        labels,
        entity: { host, service: `s${number}` },
        startedAt: someday + number,
        claim: cleared ? 'cleared' : 'firing',
      });
      return say({ type: 'AlertSeen', endpoint: 'e', delivery: '', index: 0, event });
    },
    policy: (policy) => void (rules = { ...rules, policy }),
    longest() {
      const most = longest;
      longest = 0;
      return most;
    },
  };
}

function measure(open: number, count: () => number): Measured {
  const found = new Map<string, number>();
  /** The middle of several, since some turns do what others put off. */
  const note = (what: string, rounds: number, work: () => unknown): void => {
    const each = Array.from({ length: rounds }, () => {
      const before = count();
      work();
      return count() - before;
    }).sort((a, b) => a - b);
    found.set(what, each[Math.floor(rounds / 2)] ?? 0);
  };
  beside(worldOf(policyOf(apart), count), open, note, found);
  inStorm(worldOf(policyOf({ storm: { alerts: 100, withinMs: 5 * minute } }), count), open, note, found);
  return found;
}

type Note = (what: string, rounds: number, work: () => unknown) => void;

/** Each open alert has an incident of its own, which is the worst for whatever walks over incidents. */
function beside(world: World, open: number, note: Note, found: Map<string, number>): void {
  let incident = '';
  for (let each = 0; each < open; each += 1) {
    for (const fact of world.alert()) if (fact.type === 'IncidentOpened') incident = fact.incident;
  }
  world.longest();
  note('a new alert', 21, () => world.alert());
  note('a repeat', 21, () => world.alert({ number: 17 }));
  let clearing = 100;
  note('a recovery', 21, () => world.alert({ number: (clearing += 1), cleared: true }));
  note('an acknowledgement', 1, () => world.say({ type: 'Acked', incident, by: 'ann', via: 'api' }));
  note('a resolution', 1, () => world.say({ type: 'Resolved', incident, by: 'ann', via: 'api', note: '' }));
  found.set('longest turn of these', world.longest());

  silenced(world, 'one-more', [{ name: 'team', op: '=', value: 't3' }]);
  silenced(world, 'a-pattern', [{ name: 'instance', op: '=~', value: 'h17.*' }]);
  found.set('longest turn of a silence', world.longest());
  for (let at = 0; at < 200; at += 1) silenced(world, `s${at}`, [{ name: 'instance', op: '=', value: `x${at}:9100` }]);
  note('a new alert, with 200 silences', 21, () => world.alert());

  const playbooks = Array.from({ length: 200 }, (_, at) =>
    playbookOf({ name: `p${at}`, triggers: [{ on: 'alert', when: `alert.name == "Other${at}"`, forMs: 0 }] }),
  );
  world.policy(policyOf({ ...apart, playbooks }));
  note('a new alert, with 200 playbooks', 21, () => world.alert());
}

/** Sets a silence and goes on until it has looked at everything. */
function silenced(world: World, id: string, matchers: readonly Matcher[]): void {
  const silence = { id, matchers, startsAt: someday, endsAt: someday + hour, untilResolved: false, by: 'ann', comment: 'works' };
  const waiting: Given<Input>[] = [{ type: 'SilenceSet', silence }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const fact of world.say(next)) {
      if (fact.type === 'WakeRequested' && fact.wake.kind === 'silenceReview') waiting.push({ type: 'Woke', token: fact.token });
    }
  }
}

/** One incident has them all. */
function inStorm(world: World, open: number, note: Note, found: Map<string, number>): void {
  for (let each = 0; each < open; each += 1) world.alert();
  world.longest();
  note('a new alert of a storm', 21, () => world.alert());
  note('a repeat in a storm', 21, () => world.alert({ number: 117 }));
  let clearing = 200;
  note('a recovery in a storm', 21, () => world.alert({ number: (clearing += 1), cleared: true }));
  while (clearing < open) world.alert({ number: (clearing += 1), cleared: true });
  found.set('longest turn of a storm that clears', world.longest());
}
