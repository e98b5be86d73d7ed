// The desks of resources: one run at a time over all scopes, limits counted over all scopes, who waits comes in order, nothing is held for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { newDesk } from '../../src/core/desk.ts';
import type { Playbook } from '../../src/core/playbook/document.ts';
import { resourceOf, resourceScope } from '../../src/core/resource/message.ts';
import type { Limits } from '../../src/core/resource/facts.ts';
import { longestOf } from '../../src/core/run/longest.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import type { Input } from '../../src/core/records.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import { broke, done, tell, type FactOf, type Story } from '../support/story.ts';

const teams = ['acme;team=a', 'acme;team=b', 'acme;team=c'] as const;

function guarded(change: Partial<Playbook['guards']> = {}): Playbook {
  const { guards } = playbookOf();
  return playbookOf({ params: {}, target: 'db1', steps: [stepOf({ with: {} })], guards: { ...guards, ...change } });
}

const told = (change: Partial<Playbook['guards']> = {}): Story => tell(policyOf({ playbooks: [guarded(change)] }));

function all<
  T extends
    | FactOf<'RunStarted'>['type']
    | FactOf<'RunFinished'>['type']
    | FactOf<'StepRequested'>['type']
    | FactOf<'RunRefused'>['type']
    | FactOf<'ResourceFreed'>['type'],
>(story: Story, type: T): readonly FactOf<T>[] {
  return story.everywhere.filter((fact) => fact.type === type) as never;
}

/** On how many things runs have begun; one whose turn did not come begins again. */
const actedOn = (story: Story): number => new Set(all(story, 'RunStarted').map(({ scope, target }) => `${scope}|${target}`)).size;

/** The scopes in which runs have begun, in order. */
const begun = (story: Story): readonly string[] => all(story, 'RunStarted').map(({ scope }) => scope);
const at = (story: Story) => eventOf({ startedAt: story.now(), observedAt: story.now() });

function burns(story: Story, team: string): void {
  story.say({ type: 'AlertSeen', endpoint: 'test', delivery: '', index: 0, event: at(story) }, team);
}

/** Carries out the newest step of the scope that was asked for. */
function acts(story: Story, team: string, outcome: ActionOutcome): void {
  const call = all(story, 'StepRequested').findLast(({ scope }) => scope === team);
  assert.ok(call !== undefined, `a step is asked for in ${team}`);
  const { run } = call;
  story.say({ type: 'StepClaimed', run, call: call.call, worker: 'w1' }, team);
  story.say({ type: 'StepAnswered', run, call: call.call, worker: 'w1', outcome, tookMs: 5 }, team);
}

function clears(story: Story, team: string): void {
  const event = eventOf({ claim: 'cleared', startedAt: story.now(), observedAt: story.now() });
  story.say({ type: 'AlertSeen', endpoint: 'test', delivery: '', index: 0, event }, team);
}

test('C8: one host in three scopes, three alerts at once: one run, and the others wait for it', () => {
  const story = told();
  for (const team of teams) burns(story, team);

  assert.deepEqual(begun(story), [teams[0]]);
  for (const team of [teams[1], teams[2]]) {
    const [first] = all(story, 'RunStarted');
    const said = story.everywhere.findLast((fact) => fact.type === 'IncidentDecided' && fact.scope === team) as FactOf<'IncidentDecided'>;
    assert.deepEqual([said.decision, said.reason], ['hold', `playbook restart-service waits: run ${first?.run} holds db1`]);
  }
});

test('C8: attempts are counted over all scopes: with 1 per 6 h a host in three scopes is restarted once, and people read why', () => {
  const story = told({ attempts: { max: 1, perMs: 6 * hour } });
  for (const team of teams) burns(story, team);
  acts(story, teams[0], broke);
  story.forward(5 * minute);

  assert.deepEqual(begun(story), [teams[0]]);
  const refused = all(story, 'RunRefused').map(({ scope, guard, reason }) => [scope, guard, reason]);
  const why = '1 runs on db1 within 6h, at most 1';
  assert.deepEqual(
    refused.filter(([scope]) => scope !== teams[0]),
    [
      [teams[1], 'attempts', why],
      [teams[2], 'attempts', why],
    ],
  );
  story.forward(6 * hour);
  for (const team of teams) clears(story, team);
  story.forward(hour);
  burns(story, teams[2]);
  assert.deepEqual(begun(story), [teams[0], teams[2]]);
});

test('C8: a cooldown counts for every scope, is waited for to its end and no longer', () => {
  const story = told({ cooldownMs: minute });
  burns(story, teams[0]);
  acts(story, teams[0], done);
  clears(story, teams[0]);
  story.forward(20 * second);
  burns(story, teams[1]);
  assert.deepEqual(begun(story), [teams[0]]);

  story.forward(39 * second);
  assert.deepEqual(begun(story), [teams[0]]);
  story.forward(second);
  assert.deepEqual(begun(story), [teams[0], teams[1]]);
});

test('C6, C8: who waits begins in the turn that frees the resource, in the order in which they came', () => {
  const story = told();
  for (const team of teams) burns(story, team);
  acts(story, teams[0], done);
  assert.deepEqual(begun(story), [teams[0]], 'it is at work until it is proved');
  clears(story, teams[0]);
  assert.deepEqual(begun(story), [teams[0], teams[1]]);
  acts(story, teams[1], done);
  clears(story, teams[1]);

  assert.deepEqual(begun(story), [...teams]);
  const frees = all(story, 'ResourceFreed').map(({ run, why }) => [run, why]);
  assert.deepEqual(
    frees,
    all(story, 'RunFinished').map(({ run }) => [run, 'returned']),
  );
});

test('C8: another tenant has another host of that name; upper and lower case are one host', () => {
  const story = told();
  burns(story, 'acme;team=a');
  burns(story, 'other;team=a');
  assert.equal(begun(story).length, 2);

  assert.equal(resourceOf('acme;team=a', 'DB1 '), resourceOf('acme#0af3', 'db1'));
  assert.notEqual(resourceOf('acme', 'db1'), resourceOf('other', 'db1'));
  const odd = resourceOf('acme', `a|b c\ud800${'ä'.repeat(300)}`);
  assert.match(resourceScope(odd), /^resource:acme\/[\w%.~-]{1,140}$/);
});

test('C8: a grant that comes when the incident is over is given back in the turn that hears of it', () => {
  const story = told();
  burns(story, teams[0]);
  burns(story, teams[1]);
  clears(story, teams[1]);
  acts(story, teams[0], done);
  clears(story, teams[0]);

  assert.deepEqual(begun(story), [teams[0]]);
  burns(story, teams[2]);
  assert.deepEqual(begun(story), [teams[0], teams[2]]);
});

test('C8: a run that was overtaken before it did anything is no attempt, for any scope', () => {
  const story = told({ attempts: { max: 1, perMs: 6 * hour } });
  burns(story, teams[0]);
  burns(story, teams[1]);
  clears(story, teams[0]);
  const call = all(story, 'StepRequested')[0];
  assert.ok(call !== undefined);
  story.say({ type: 'StepClaimed', run: call.run, call: call.call, worker: 'w1' }, teams[0]);

  assert.deepEqual(begun(story), [teams[0], teams[1]]);
});

// ---------------------------------------------------------------- the blast radius

/** Hosts of two scopes that break at once, and a playbook that would let all of them be restarted. */
function broken(hosts: number, change: Partial<Playbook['guards']> = {}): Story {
  const { guards } = playbookOf();
  const book = playbookOf({ guards: { ...guards, concurrency: 100, ...change } });
  const story = tell(policyOf({ playbooks: [book], storm: { alerts: 1_000, withinMs: minute } }));
  const name = (number: number): string => String.fromCharCode(97 + Math.floor(number / 26), 97 + (number % 26));
  for (let number = 0; number < hosts; number += 1) {
    const event = eventOf({ fingerprint: `f${number}`, entity: { host: name(number), service: name(number) } });
    story.say({ type: 'AlertSeen', endpoint: 'test', delivery: '', index: 0, event }, teams[number % 2] ?? teams[0]);
  }
  return story;
}

test('C18: of 80 hosts that break at once a playbook acts on 20 in 10 minutes, over all scopes; for the others people are called', () => {
  const story = broken(80);
  story.forward(9 * minute);

  assert.equal(actedOn(story), 20);
  assert.deepEqual(new Set(begun(story)), new Set([teams[0], teams[1]]));
  const refused = all(story, 'RunRefused').filter(({ guard }) => guard !== 'slots'); // nobody carries these steps out
  const why = 'restart-service was let act on 20 others within 10m, at most 20';
  assert.deepEqual(new Set(refused.map(({ guard, reason }) => `${guard}: ${reason}`)), new Set([`blastRadius: ${why}`]));
  assert.equal(refused.length, 60);
  assert.ok(story.everywhere.some((fact) => fact.type === 'PageOpened' && fact.reason.endsWith(why)));
});

test('C18: a playbook may say its own radius, or none; who waits goes on when the window lets it', () => {
  assert.equal(actedOn(broken(80, { blastRadius: null })), 80);
  const story = broken(5, { blastRadius: { max: 2, perMs: 30 * second } });
  assert.equal(actedOn(story), 2);
  story.forward(29 * second);
  assert.equal(actedOn(story), 2);
  story.forward(second);
  assert.equal(actedOn(story), 4);
  story.forward(30 * second);
  assert.equal(actedOn(story), 5);
});

test('C18: one host that comes again and again is one host', () => {
  const story = tell(policyOf({ playbooks: [guarded({ blastRadius: { max: 1, perMs: hour } })] }));
  for (let time = 0; time < 3; time += 1) {
    burns(story, teams[0]);
    acts(story, teams[0], done);
    clears(story, teams[0]);
    story.forward(minute);
  }
  assert.equal(begun(story).length, 3);
  story.forward(2 * hour);
  assert.equal(story.deskOf(`group:acme/restart-service`).tables.groups.rows.size, 0, 'a group that is calm leaves its desk');
});

// ---------------------------------------------------------------- the desk itself

const limits: Limits = { cooldownMs: 0, attempts: null };
const resource = 'acme/db1';

/** The desk of a resource, by itself; says what it decided or freed, in half a line each. */
function deskOfResource(): { hear(input: object, span?: number): readonly string[]; readonly rows: () => number } {
  const desk = newDesk(resourceScope(resource));
  const rules = { policy: policyOf(), frozen: null, installation: null, expressions: createExpressions() };
  let now = someday;
  return {
    hear(input, span = 0) {
      now += span;
      // Inputs of this file are whole but for scope and time.
      return turn(desk, { scope: desk.scope, at: now, ...input } as Input, rules, 0).flatMap((fact) => {
        if (fact.type === 'ResourceDecided') return [`${fact.want.run} ${fact.answer.verdict}`];
        if (fact.type === 'ResourceFreed') return [`${fact.run} ${fact.why}`];
        return fact.type === 'DeskSwept' ? ['swept'] : [];
      });
    },
    rows: () => desk.tables.resources.rows.size,
  };
}

function wants(run: string, also: Partial<Limits> = {}): object {
  const want = { run, incident: 'i1.acme', playbook: 'p', target: 'db1', limits: { ...limits, ...also }, holdMs: 10 * minute };
  return { type: 'ResourceWanted', resource, want };
}

const gives = (run: string, acted = true): object => ({ type: 'ResourceReturned', resource, run, acted });
const woke = (token: string): object => ({ type: 'Woke', token });

test('Q3: a message that is carried twice is decided once, also after the run has ended', () => {
  const { hear } = deskOfResource();
  assert.deepEqual(hear(wants('r1')), ['r1 granted']);
  assert.deepEqual(hear(wants('r2')), ['r2 waits']);
  assert.deepEqual([hear(wants('r1')), hear(wants('r2'))], [[], []]);
  assert.deepEqual(hear(gives('r1')), ['r1 returned', 'r2 granted']);
  assert.deepEqual([hear(gives('r1')), hear(wants('r1')), hear(gives('r7'))], [[], [], []]);
  assert.deepEqual(hear(gives('r2')), ['r2 returned']);
});

test('Q2: who waits is asked for cooldown and attempts when its turn comes, and makes way for the next', () => {
  const { hear } = deskOfResource();
  hear(wants('r1'));
  hear(wants('r2', { attempts: { max: 1, perMs: hour } }));
  hear(wants('r3', { cooldownMs: minute }));
  hear(wants('r4'));
  hear(wants('r5'));

  assert.deepEqual(hear(gives('r1')), ['r1 returned', 'r2 refused', 'r3 refused', 'r4 granted']);
  assert.deepEqual(hear(gives('r5')), ['r5 returned'], 'one that waits may go');
  assert.deepEqual(hear(gives('r4')), ['r4 returned']);
});

test('Q2: a run that did nothing counts for nothing', () => {
  const { hear } = deskOfResource();
  hear(wants('r1'));
  hear(gives('r1', false));
  assert.deepEqual(hear(wants('r2', { cooldownMs: hour, attempts: { max: 1, perMs: hour } })), ['r2 granted']);
});

test('Q4: what nobody gives back is free after the longest time of its run and a margin, and who waits is next', () => {
  const { hear } = deskOfResource();
  hear(wants('r1'));
  hear(wants('r2'));
  assert.deepEqual(hear(woke(`hold|${resource}|r1|2`), 15 * minute), ['r1 overdue', 'r2 granted']);
  assert.deepEqual(hear(woke(`hold|${resource}|r1|2`), second), [], 'a wake of an earlier hold frees nobody');
  assert.deepEqual(hear(gives('r2')), ['r2 returned']);
});

test('Q1: a queue is bounded, and who is not in it has to ask again', () => {
  const { hear } = deskOfResource();
  for (let number = 0; number <= 100; number += 1) hear(wants(`r${number}`));
  assert.deepEqual(hear(wants('r101')), ['r101 refused']);
});

test('a resource that nobody used for as long as its limits look back leaves its desk', () => {
  const { hear, rows } = deskOfResource();
  hear(wants('r1', { attempts: { max: 3, perMs: 6 * hour } }));
  hear(gives('r1'), minute);
  assert.deepEqual(hear(woke(`idle|${resource}|4`), 6 * hour), ['swept']);
  assert.equal(rows(), 0);
});

test('V4: a run begins nothing on its resource towards the end of its hold, and ends saying so', () => {
  const story = told();
  burns(story, teams[0]);
  const [first] = all(story, 'RunStarted');
  assert.equal(first?.holdsUntil, story.now() + longestOf(guarded()));
  const call = all(story, 'StepRequested')[0];
  assert.ok(call !== undefined && first !== undefined);
  const claimed = { type: 'StepClaimed', run: first.run, call: call.call, worker: 'w1' } as const;
  const desk = story.deskOf(teams[0]);
  const late = (first.holdsUntil ?? 0) - minute;
  const rules = { policy: policyOf({ playbooks: [guarded()] }), frozen: null, installation: null, expressions: createExpressions() };
  const facts = turn(desk, { ...claimed, scope: teams[0], at: late }, rules, 1);

  assert.equal(
    facts.some(({ type }) => type === 'StepGranted'),
    false,
  );
  const end = facts.find((fact) => fact.type === 'RunFinished');
  assert.deepEqual([end?.end, end?.because, end?.reason], ['failed', 'lock', 'its hold on db1 runs out before it acted']);
});
