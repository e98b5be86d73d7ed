// What one more thing costs the core when much is open already: an alert that comes, repeats or clears, alone, in a storm and in what a storm
// speaks for; a silence; a new alert beside silences and playbooks; a run.
// Run: node bench/growth.ts [open …]; 1,000 and 100,000 open alerts when none is said. CPU time of the main thread: the
// machine may be busy. Each open alert has an incident of its own, which is the worst for whatever walks over incidents.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createExpressions } from '../adapters/cel/expressions.ts';
import type { Matcher } from '../src/core/alert/labels.ts';
import type { DecisionContext } from '../src/core/context.ts';
import { metaOf, newDesk, type Desk } from '../src/core/desk.ts';
import { fold } from '../src/core/fold.ts';
import type { Policy } from '../src/core/playbook/policy.ts';
import type { Fact, Input } from '../src/core/records.ts';
import { isMessage, messageOf } from '../src/core/resource/message.ts';
import { hour } from '../src/core/time.ts';
import { turn } from '../src/core/turn.ts';
import { someday } from '../test/support/clock.ts';
import { eventOf } from '../test/support/event.ts';
import { playbookOf, policyOf } from '../test/support/policy.ts';
import { table } from './support.ts';

type Given<T> = T extends Input ? Omit<T, 'scope' | 'at'> : never;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void; // what the flag exposes
const measured = 2_000;
/** A storm adopts no more than a thousand (S4 of decide/adopt.ts). */
const children = 999;
const expressions = createExpressions();

interface World {
  readonly desk: Desk;
  /** One turn, and those of the desks of resources that its facts speak to, with what they answer. */
  say(given: Given<Input>): readonly Fact[];
  /** A new alert, numbered on; or one of before, again or cleared. */
  alert(change?: { readonly number?: number; readonly cleared?: boolean }): readonly Fact[];
  /** From here on this policy is in force. */
  policy(policy: Policy): void;
}

/** `stormOf`: as many new alerts are a storm; never, if not said. */
function emptyWorld(stormOf = Number.MAX_SAFE_INTEGER): World {
  const desk = newDesk('default');
  const desks = new Map([['default', desk]]);
  const storm = { storm: { alerts: stormOf, withinMs: hour } };
  let rules: DecisionContext = { policy: policyOf(storm), frozen: null, installation: null, expressions };
  let offset = 0;
  let newest = 0;
  const deskOf = (scope: string): Desk => {
    const found = desks.get(scope) ?? newDesk(scope);
    desks.set(scope, found);
    return found;
  };
  const world: World = {
    desk,
    say(given) {
      const first = { scope: 'default', at: someday, ...given } as Input; // a member of the union again
      const all = turn(desk, first, rules, (offset += 1));
      if (!all.some(isMessage)) return all;
      const told = [...all];
      const inputs = told.filter(isMessage).map((fact) => messageOf(fact, someday));
      for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
        const facts = turn(deskOf(input.scope), input, rules, (offset += 1));
        if (input.scope === 'default') told.push(...facts);
        inputs.push(...facts.filter(isMessage).map((fact) => messageOf(fact, someday)));
      }
      return told;
    },
    alert({ number = (newest += 1), cleared = false } = {}) {
      const host = `h${number}.example.org`;
      const labels = {
        alertname: `Rule${number % 500}`,
        instance: `${host}:9100`,
        severity: 'critical',
        region: 'eu-west-1',
        team: `t${number % 32}`,
      };
      const event = eventOf({
        name: `Rule${number % 500}`,
        labels,
        entity: { host, service: `s${number}` },
        startedAt: someday,
        claim: cleared ? 'cleared' : 'firing',
      });
      return world.say({ type: 'AlertSeen', endpoint: 'e', delivery: '', index: 0, event });
    },
    policy(policy) {
      rules = { ...rules, policy: { ...policy, ...storm } };
    },
  };
  return world;
}

function filled(world: World, open: number): World {
  for (let each = 0; each < open; each += 1) world.alert();
  return world;
}

/** A silence that has stood for long: it looks at nothing, which is not what is measured. */
function stand({ desk }: World, id: string, matchers: readonly Matcher[]): void {
  const silence = { id, matchers, startsAt: someday, endsAt: someday + hour, untilResolved: false, by: 'ann', comment: 'works' };
  fold(desk, { type: 'SilenceChanged', scope: desk.scope, seq: metaOf(desk).seq + 1, at: someday, silence, state: 'active' });
}

function forgotten({ desk }: World): void {
  for (const { silence } of desk.tables.silences.rows.values().toArray()) {
    fold(desk, { type: 'SilenceChanged', scope: desk.scope, seq: metaOf(desk).seq + 1, at: someday, silence, state: 'expired' });
  }
}

interface Cost {
  readonly allMs: number;
  readonly longestMs: number;
  readonly slices: number;
}

/** Sets a silence and goes on until it has looked at everything. */
function silenced(world: World, id: string, matchers: readonly Matcher[]): Cost {
  const silence = { id, matchers, startsAt: someday, endsAt: someday + hour, untilResolved: false, by: 'ann', comment: 'works' };
  const took: number[] = [];
  collect(); // what was filled before has left its garbage, which is not what is measured
  const waiting: Given<Input>[] = [{ type: 'SilenceSet', silence }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const began = process.threadCpuUsage();
    const facts = world.say(next);
    took.push(msSince(began));
    for (const fact of facts) {
      if (fact.type === 'WakeRequested' && fact.wake.kind === 'silenceReview') waiting.push({ type: 'Woke', token: fact.token });
    }
  }
  return { allMs: took.reduce((sum, ms) => sum + ms, 0), longestMs: Math.max(...took), slices: took.length };
}

/** CPU time of this thread: the machine may be busy, and other threads collect garbage of what was filled before. */
function msSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/** Microseconds a new alert. */
function newAlert(world: World): number {
  for (let each = 0; each < 500; each += 1) world.alert();
  return eachOf(() => world.alert());
}

/** Microseconds each, of `measured` if not said otherwise. */
function eachOf(action: (at: number) => unknown, rounds = measured): number {
  collect(); // what was filled before has left its garbage, which is not what is measured
  const cpu = process.threadCpuUsage();
  for (let at = 0; at < rounds; at += 1) action(at);
  return (msSince(cpu) * 1_000) / rounds;
}

const shapes: readonly { readonly says: string; readonly of: (at: number) => readonly Matcher[] }[] = [
  { says: 'an instance each', of: (at) => [{ name: 'instance', op: '=', value: `x${at}:9100` }] },
  {
    says: 'all of one team, a host each',
    of: (at) => [
      { name: 'severity', op: '=', value: 'critical' },
      { name: 'host', op: '=', value: `x${at}` },
    ],
  },
  { says: 'a pattern each, `x17.*`', of: (at) => [{ name: 'instance', op: '=~', value: `x${at}\\..*` }] },
  { says: 'a list each, `x17|y17`', of: (at) => [{ name: 'host', op: '=~', value: `x${at}|y${at}` }] },
  { says: 'a pattern each that begins with anything, `.*x17`', of: (at) => [{ name: 'host', op: '=~', value: `.*-x${at}` }] },
];

function silences(open: number): readonly (readonly (string | number)[])[] {
  const world = filled(emptyWorld(), open);
  const none = [open, 'none', newAlert(world).toFixed(1), '', '', ''];
  const rows = shapes.map(({ says, of }) => {
    forgotten(world);
    for (let at = 0; at < 999; at += 1) stand(world, `s${at}`, of(at));
    const alert = newAlert(world);
    const one = silenced(world, 'one-more', [...of(7_000), { name: 'region', op: '=', value: 'eu-west-1' }]);
    return [open, says, alert.toFixed(1), one.allMs.toFixed(1), one.longestMs.toFixed(1), one.slices];
  });
  return [none, ...rows];
}

function playbooks(open: number): readonly (string | number)[] {
  const world = filled(emptyWorld(), open);
  const conditions = [
    (at: number) => `alert.name == "Other${at}"`,
    (at: number) => `alert.severity == "critical" && alert.labels.alertname == "Other${at}"`,
  ];
  const costs = [0, 100, 1_000].flatMap((count) =>
    (count === 0 ? conditions.slice(0, 1) : conditions).map((when) => {
      const list = Array.from({ length: count }, (_, at) =>
        playbookOf({ name: `p${at}`, triggers: [{ on: 'alert', when: when(at), forMs: 0 }] }),
      );
      world.policy(policyOf({ playbooks: list }));
      return newAlert(world).toFixed(1);
    }),
  );
  return [open, ...costs];
}

/** A new alert, a repeat and a recovery: each alert an incident of its own, all of them one storm, and a storm that speaks for 999 incidents. */
function alerts(open: number): readonly (readonly (string | number)[])[] {
  const apart = filled(emptyWorld(), open);
  const storm = filled(emptyWorld(100), open);
  const parent = filled(emptyWorld(children + 1), open);
  const speaksFor = parent.desk.indexes.openChildren.values().reduce((sum, { size }) => sum + size, 0);
  if (speaksFor < 0.9 * Math.min(open, children)) throw new Error(`expected a storm with children, seen ${speaksFor} of them`);
  const rowOf = (says: string, world: World, among: number): readonly (string | number)[] => {
    const rounds = Math.min(measured, Math.floor(among / 2));
    const clears = eachOf((at) => world.alert({ number: 1 + at, cleared: true }), rounds).toFixed(1);
    const repeats = eachOf((at) => world.alert({ number: rounds + 1 + (at % rounds) })).toFixed(1);
    return [open, says, newAlert(world).toFixed(1), repeats, clears];
  };
  return [
    rowOf('an incident each', apart, open),
    rowOf('one storm', storm, open),
    rowOf(`a storm beside ${speaksFor} incidents that it speaks for; what repeats and clears is in those`, parent, children),
  ];
}

/** Every open alert has a run at work of a playbook to which a person said yes: how many there are is asked before each one more. */
function runs(open: number): readonly (string | number)[] {
  const world = emptyWorld();
  const service = { type: 'string', from: 'alert.service', fallback: null, pattern: '[a-z0-9]+', maxLength: 64, oneOf: null } as const;
  const guards = { ...playbookOf().guards, concurrency: 1_000_000, blastRadius: null };
  const triggers = [{ on: 'alert', when: 'alert.severity == "critical"', forMs: 0 }] as const;
  world.policy(policyOf({ playbooks: [playbookOf({ mode: 'approve', params: { service }, guards, triggers })] }));
  const calls: { readonly run: string; readonly call: string }[] = [];
  const begin = (): void => {
    const started = world.alert().find((fact) => fact.type === 'RunStarted');
    const facts = started === undefined ? [] : world.say({ type: 'Approved', run: started.run, by: 'ann', via: 'api' });
    const asked = facts.find((fact) => fact.type === 'StepRequested');
    if (asked === undefined) throw new Error('expected a run that asks for its first step');
    calls.push({ run: asked.run, call: asked.call });
  };
  for (let each = 0; each < open; each += 1) begin();
  const rounds = Math.min(measured, open) / 2;
  const begins = eachOf(begin, rounds).toFixed(1);
  const repeats = eachOf((at) => world.alert({ number: 1 + (at % rounds) }), rounds).toFixed(1);
  const answers = eachOf(() => {
    const call = calls.pop();
    if (call === undefined) return;
    world.say({ type: 'StepClaimed', ...call, worker: 'w1' });
    world.say({ type: 'StepAnswered', ...call, worker: 'w1', outcome: { outcome: 'ok', output: {} }, tookMs: 5 });
  }, rounds).toFixed(1);
  return [open, begins, answers, repeats];
}

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1_000, 100_000];
console.log(table(['open', 'alerts are', 'new, µs', 'repeat, µs', 'recovery, µs'], sizes.flatMap(alerts)));
console.log(
  `\n${table(['open, each with a run at work', 'one more begins, with its approval, µs', 'its step is claimed and done, µs', 'repeat of an alert, µs'], sizes.map(runs))}\n`,
);
console.log(
  table(['open', '999 silences', 'new alert, µs', 'one more silence, ms', 'longest slice, ms', 'slices'], sizes.flatMap(silences)),
);
console.log(
  `\n${table(['open', 'new alert with no playbook, µs', '100 by name', '100 by severity and label', '1,000 by name', '1,000 by severity and label'], sizes.map(playbooks))}`,
);
