// What one more thing costs the core when much is open already: a silence, a new alert beside silences and playbooks, a run.
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
const expressions = createExpressions();

interface World {
  readonly desk: Desk;
  /** One turn. */
  say(given: Given<Input>): readonly Fact[];
  /** A new alert, numbered on. */
  alert(): readonly Fact[];
  /** From here on this policy is in force. */
  policy(policy: Policy): void;
}

function emptyWorld(): World {
  const desk = newDesk('default');
  const noStorm = { storm: { alerts: Number.MAX_SAFE_INTEGER, withinMs: hour } };
  let rules: DecisionContext = { policy: policyOf(noStorm), frozen: null, installation: null, expressions };
  let offset = 0;
  let number = 0;
  const world: World = {
    desk,
    say: (given) => turn(desk, { scope: 'default', at: someday, ...given } as Input, rules, (offset += 1)), // a member of the union again
    alert() {
      number += 1;
      const host = `h${number}.example.org`;
      const labels = {
        alertname: `Rule${number % 500}`,
        instance: `${host}:9100`,
        severity: 'critical',
        region: 'eu-west-1',
        team: `t${number % 32}`,
      };
      const event = eventOf({ name: `Rule${number % 500}`, labels, entity: { host, service: `s${number}` }, startedAt: someday });
      return world.say({ type: 'AlertSeen', endpoint: 'e', delivery: '', index: 0, event });
    },
    policy(policy) {
      rules = { ...rules, policy: { ...policy, ...noStorm } };
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
  collect(); // what was filled before has left its garbage, which is not what is measured
  const cpu = process.threadCpuUsage();
  for (let each = 0; each < measured; each += 1) world.alert();
  return (msSince(cpu) * 1_000) / measured;
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

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1_000, 100_000];
console.log(
  table(['open', '999 silences', 'new alert, µs', 'one more silence, ms', 'longest slice, ms', 'slices'], sizes.flatMap(silences)),
);
console.log(
  `\n${table(['open', 'new alert with no playbook, µs', '100 by name', '100 by severity and label', '1,000 by name', '1,000 by severity and label'], sizes.map(playbooks))}`,
);
