// No cost grows with what is open: one more thing is as much work beside 4,000 open alerts as beside 1,000, and no single turn is long.
// Work is counted, not timed: turn calls; rows touched, which is every look into a table of a desk and every row that is passed or put; matches
// tried, which is every condition or pattern that is asked; and steps, which is every look into a Map, Set or array of whatever kind, and every
// place of one that is passed. What it costs in time is bench/growth.ts.
// Counting changes the built-in objects, so it is done in a thread of its own, where it slows down nobody else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { Matcher } from '../../src/core/alert/labels.ts';
import type { DecisionContext } from '../../src/core/context.ts';
import { newDesk, type Desk } from '../../src/core/desk.ts';
import { invariant } from '../../src/core/errors.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Expressions } from '../../src/core/playbook/expressions.ts';
import type { Fact, Input } from '../../src/core/records.ts';
import { isMessage, messageOf } from '../../src/core/resource/message.ts';
import { hour, minute } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { done } from '../support/story.ts';
import { playbookOf, policyOf } from '../support/policy.ts';

type Given<T> = T extends Input ? Omit<T, 'scope' | 'at'> : never;

const few = 1_000;
const many = 4_000;
/** So much work takes a few milliseconds. */
const turnMax = 40_000;
const apart = { storm: { alerts: Number.MAX_SAFE_INTEGER, withinMs: hour } };

interface Work {
  turns: number;
  rows: number;
  matches: number;
  steps: number;
}

/** What is counted, and by how much it may differ beside four times as much: a step more than before, never a share of what is open. */
const allowed: { readonly [kind in keyof Work]: (before: number) => number } = {
  turns: (before) => before,
  rows: (before) => 1.1 * before + 2,
  matches: (before) => before,
  steps: (before) => 1.3 * before + 40,
};
const kinds = Object.keys(allowed) as readonly (keyof Work)[]; // the keys of the table above

/** What was measured beside so many open alerts, by its name. */
interface Measured {
  readonly work: ReadonlyMap<string, Work>;
  /** Steps of the longest single turn. */
  readonly longest: ReadonlyMap<string, number>;
}

if (isMainThread) {
  test('what one more thing costs does not grow with what is open', async () => {
    const worker = new Worker(new URL(import.meta.url));
    const [[before, after]] = (await once(worker, 'message')) as [readonly [Measured, Measured]]; // posted below
    assert.ok(before.work.size > 15 && after.longest.size > 5, 'something was measured');
    for (const [what, work] of before.work) {
      const then = after.work.get(what);
      assert.ok(then !== undefined && work.turns > 0, `${what} is turned, and measured twice`);
      for (const kind of kinds) {
        const bound = allowed[kind](work[kind]);
        const says = `${what}: ${work[kind]} ${kind} beside ${few} open alerts, ${then[kind]} beside ${many}, expected at most ${bound}`;
        assert.ok(then[kind] <= bound, says);
      }
    }
    for (const [what, steps] of after.longest) {
      assert.ok(steps <= turnMax, `${what}: ${steps} steps in one turn beside ${many} open alerts, expected at most ${turnMax}`);
    }
  });
} else {
  invariant(parentPort, 'a worker has a parent');
  const work = countWork();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort.postMessage([few, many].map((open) => measure(open, work)));
}

/** From here on counts the steps of whatever runs in this thread; turns, rows and matches are counted by whoever knows them. */
function countWork(): Work {
  const work: Work = { turns: 0, rows: 0, matches: 0, steps: 0 };
  const patch = (prototype: object, method: string, cost: (self: { readonly length?: number }) => number): void => {
    const before = Reflect.get(prototype, method) as (...values: readonly unknown[]) => unknown;
    const counted = function (this: { readonly length?: number }, ...values: readonly unknown[]): unknown {
      work.steps += cost(this);
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
  return work;
}

/** A desk whose tables count what is done with their rows. */
function countedDesk(scope: string, work: Work): Desk {
  const desk = newDesk(scope);
  const passed = function* <Each>(all: Iterable<Each>): Generator<Each> {
    for (const each of all) {
      work.rows += 1;
      yield each;
    }
  };
  for (const { rows } of Object.values(desk.tables) as readonly { readonly rows: Map<string, unknown> }[]) {
    for (const method of ['get', 'has', 'set', 'delete', 'forEach'] as const) {
      const before = Reflect.get(rows, method) as (...values: readonly unknown[]) => unknown;
      const counted = (...values: readonly unknown[]): unknown => {
        work.rows += method === 'forEach' ? rows.size : 1;
        return Reflect.apply(before, rows, values);
      };
      Object.defineProperty(rows, method, { value: counted });
    }
    for (const method of ['keys', 'values', 'entries', Symbol.iterator] as const) {
      const before = Reflect.get(rows, method) as () => Iterable<unknown>;
      Object.defineProperty(rows, method, { value: () => passed(Reflect.apply(before, rows, [])) });
    }
  }
  return desk;
}

/** Expressions that count what is asked of them. */
function countedExpressions(work: Work): Expressions {
  const { evaluate, asks, pattern, patternSize } = createExpressions();
  return {
    asks,
    patternSize,
    evaluate(text, environment) {
      work.matches += 1;
      return evaluate(text, environment);
    },
    pattern(text, value) {
      work.matches += 1;
      return pattern(text, value);
    },
  };
}

interface World {
  /** One turn in the scope `default`, and those of what its facts tell the desks of resources, and of what those answer. */
  say(given: Given<Input>): readonly Fact[];
  alert(change?: { readonly number?: number; readonly cleared?: boolean }): readonly Fact[];
  policy(policy: Policy): void;
  /** The most that one turn took since this was last asked. */
  longest(): number;
}

function worldOf(first: Policy, work: Work): World {
  const desks = new Map<string, Desk>();
  let rules: DecisionContext = { policy: first, frozen: null, installation: null, expressions: countedExpressions(work) };
  let [offset, newest, longest] = [0, 0, 0];
  const deskOf = (scope: string): Desk => {
    const desk = desks.get(scope) ?? countedDesk(scope, work);
    desks.set(scope, desk);
    return desk;
  };
  const say = (given: Given<Input>): readonly Fact[] => {
    const all: Fact[] = [];
    const inputs = [{ ...given, scope: 'default', at: someday + offset + 1 } as Input]; // a member of the union again
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      const desk = deskOf(input.scope);
      offset += 1;
      const before = work.steps;
      const facts = turn(desk, input, rules, offset);
      work.turns += 1;
      longest = Math.max(longest, work.steps - before);
      if (input.scope === 'default') all.push(...facts);
      for (const fact of facts) if (isMessage(fact)) inputs.push(messageOf(fact, input.at));
    }
    return all;
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

function measure(open: number, work: Work): Measured {
  const found = new Map<string, Work>();
  const longest = new Map<string, number>();
  const sinks: Sinks = {
    note(what, rounds, action) {
      const each = Array.from({ length: rounds }, () => {
        const before = { ...work };
        action();
        return { ...work, ...Object.fromEntries(kinds.map((kind) => [kind, work[kind] - before[kind]])) };
      });
      const middle = (kind: keyof Work): number => each.map((one) => one[kind]).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
      found.set(what, { turns: middle('turns'), rows: middle('rows'), matches: middle('matches'), steps: middle('steps') });
    },
    longest: (what, world) => void longest.set(what, world.longest()),
  };
  beside(worldOf(policyOf(apart), work), open, sinks);
  inStorm(worldOf(policyOf({ storm: { alerts: 100, withinMs: 5 * minute } }), work), open, sinks);
  withRuns(() => worldOf(policyOf(apart), work), open, sinks);
  withChildren(worldOf(policyOf({ storm: { alerts: open / 4, withinMs: 5 * minute } }), work), open / 4, sinks);
  return { work: found, longest };
}

interface Sinks {
  /** The middle of several rounds, since some turns do what others put off. */
  note(what: string, rounds: number, action: () => unknown): void;
  longest(what: string, world: World): void;
}

/** Each open alert has an incident of its own, which is the worst for whatever walks over incidents. */
function beside(world: World, open: number, { note, longest }: Sinks): void {
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
  longest('these', world);

  silenced(world, 'one-more', [{ name: 'team', op: '=', value: 't3' }]);
  silenced(world, 'a-pattern', [{ name: 'instance', op: '=~', value: 'h17.*' }]);
  longest('a silence', world);
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
function inStorm(world: World, open: number, { note, longest }: Sinks): void {
  for (let each = 0; each < open; each += 1) world.alert();
  world.longest();
  note('a new alert of a storm', 21, () => world.alert());
  note('a repeat in a storm', 21, () => world.alert({ number: 117 }));
  let clearing = 200;
  note('a recovery in a storm', 21, () => world.alert({ number: (clearing += 1), cleared: true }));
  while (clearing < open) world.alert({ number: (clearing += 1), cleared: true });
  longest('a storm that clears', world);
}

/**
 * Runs of a playbook at work: of one that a person says yes to, each open alert has one. One that acts by itself is bounded by its group, which
 * keeps a list of what is at work (at most a thousand): so there are as many of it, whatever else is open.
 */
function withRuns(empty: () => World, open: number, { note, longest }: Sinks): void {
  for (const mode of ['auto', 'approve'] as const) {
    const { guards, params } = playbookOf();
    const service = {
      ...params['service'],
      type: 'string',
      from: 'alert.service',
      fallback: null,
      pattern: '.*',
      maxLength: 64,
      oneOf: null,
    } as const;
    const playbook = playbookOf({
      mode,
      triggers: [{ on: 'alert', when: 'alert.severity == "critical"', forMs: 0 }],
      params: { service },
      guards: { ...guards, concurrency: 1_000_000, blastRadius: null },
    });
    const world = empty();
    const atWorkCount = mode === 'approve' ? open : few / 4;
    for (let each = atWorkCount; each < open; each += 1) world.alert();
    world.policy(policyOf({ ...apart, playbooks: [playbook] }));
    /** Returns the run and the call that it asks for. */
    const began = (): { readonly run: string; readonly call: string } => {
      const facts = [...world.alert()];
      const started = facts.find((fact) => fact.type === 'RunStarted');
      invariant(started, 'a run begins');
      if (mode === 'approve') facts.push(...world.say({ type: 'Approved', run: started.run, by: 'ann', via: 'api' }));
      const asked = facts.find((fact) => fact.type === 'StepRequested');
      invariant(asked, 'it asks for its first step');
      return { run: asked.run, call: asked.call };
    };
    const atWork = Array.from({ length: atWorkCount }, began);
    const next = (): { readonly run: string; readonly call: string } => {
      const one = atWork.pop();
      invariant(one, 'enough runs are at work');
      return one;
    };
    world.longest();
    const runs = `a run (${mode})`;
    note(`${runs} that begins`, 21, began);
    note(`${runs} whose step is done`, 21, () => {
      const one = next();
      world.say({ type: 'StepClaimed', ...one, worker: 'w1' });
      world.say({ type: 'StepAnswered', ...one, worker: 'w1', outcome: done, tookMs: 5 });
    });
    note(`${runs} whose step fails`, 21, () => {
      const one = next();
      world.say({ type: 'StepClaimed', ...one, worker: 'w1' });
      const outcome = { outcome: 'failed', error: 'exit', detail: 'exit code 1', output: {} } as const;
      world.say({ type: 'StepAnswered', ...one, worker: 'w1', outcome, tookMs: 5 });
    });
    longest(runs, world);
  }
}

/** A storm that speaks for so many incidents which began before it. */
function withChildren(world: World, children: number, { note, longest }: Sinks): void {
  let nested = 0;
  for (let each = 0; each < children; each += 1) {
    for (const fact of world.alert()) if (fact.type === 'IncidentNested') nested += 1;
  }
  invariant(nested > 0.9 * children, 'the storm has adopted what began before it');
  world.longest();
  for (let each = 0; each < 200; each += 1) world.alert(); // while it is small it is named anew, from all its children, with each that joins
  longest('a storm with children that grows', world);
  note('a new alert of a storm with children', 21, () => world.alert());
  note('a repeat in a child', 21, () => world.alert({ number: 17 }));
  let clearing = 20;
  note('a recovery of a child', 21, () => world.alert({ number: (clearing += 1), cleared: true }));
  longest('a storm with children that goes on', world);
}
