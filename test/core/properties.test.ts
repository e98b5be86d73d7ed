// What holds whatever happens: random worlds do their worst to one desk, and every promise is looked at after every input.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Desk } from '../../src/core/desk.ts';
import type { Incident } from '../../src/core/incident/row.ts';
import { rings } from '../../src/core/page/notification.ts';
import type { Playbook } from '../../src/core/playbook/document.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Fact } from '../../src/core/records.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { unleash, type Chaos, type Heard } from '../support/chaos.ts';
import { anyDeed, type Deed } from '../support/deeds.ts';
import { eventOf } from '../support/event.ts';
import { probe } from '../support/play.ts';
import { ladder, playbookOf, policyOf, stepOf } from '../support/policy.ts';

const undo = { uses: 'test/undo', with: {}, timeoutMs: 10 * second };
const verify = { ...playbookOf().verify, withinMs: 3 * minute, everyMs: 20 * second };

const restart = playbookOf({
  diagnose: [{ kind: 'look', id: 'status', continueOnError: true, uses: 'test/status', with: {}, timeoutMs: 5 * second }],
  steps: [
    stepOf({ id: 'drain', undo, retry: { times: 1, waitMs: 5 * second, factor: 2, waitMaxMs: minute } }),
    stepOf({ id: 'warm', continueOnError: true }),
    stepOf({ onUnknown: 'retry', retry: { times: 1, waitMs: 5 * second, factor: 2, waitMaxMs: minute } }),
  ],
  verify: { ...verify, proofs: [probe, { kind: 'resolved' }], stableForMs: 30 * second, otherwise: 'rollback' },
  guards: { ...playbookOf().guards, cooldownMs: minute, concurrency: 1, attempts: { max: 3, perMs: hour } },
});
const asks: Playbook = { ...playbookOf({ name: 'asks', mode: 'approve', verify: { ...verify, proofs: [probe], require: 'any' } }) };
const trial: Playbook = { ...restart, name: 'trial', mode: 'shadow' };
const slow = playbookOf({
  name: 'slow',
  triggers: [{ on: 'alert', when: 'alert.name != "Odd"', forMs: minute }],
  params: {},
  target: 'shared',
  steps: [stepOf({ with: {} })],
  verify,
});

const base: Partial<Policy> = {
  playbooks: [trial, restart, slow],
  ladders: {
    default: {
      ...ladder,
      rungs: [
        { notify: ['first', 'deputy'], waitMs: 5 * minute },
        { notify: ['second'], waitMs: 5 * minute },
      ],
    },
  },
  grouping: { ...policyOf().grouping, reopenMs: 2 * minute },
  staleMs: 2 * hour,
};
const policies = [
  policyOf(base),
  policyOf({ ...base, playbooks: [asks] }),
  policyOf({
    ...base,
    storm: { alerts: 3, withinMs: minute },
    grouping: { windowMs: minute, labels: [['alertname']], reopenMs: minute, membersMax: 2 },
  }),
  policyOf({ ...base, playbooks: [], holdOffMs: 0, settleMs: 0 }),
];

const runFacts: ReadonlySet<Fact['type']> = new Set([
  'StepRequested',
  'StepGranted',
  'StepFinished',
  'RunMoved',
  'RunFinished',
  'ApprovalRequested',
  'ApprovalGiven',
]);

/** Looks at every promise after every input; keeps what it must remember itself, from facts alone. */
function watch(): (heard: Heard) => void {
  const ended = new Set<string>();
  const granted = new Set<string>();
  const phases = new Map<string, string>();
  const pages = new Map<string, { state: 'ringing' | 'acked' | 'closed'; ackedAt: number; ring: number }>();
  const attempts = new Map<string, number>();
  const deliveries = new Map<string, number>();
  const awaited = new Set<string>();
  let time = 0;

  function look(fact: Fact, frozen: boolean): void {
    assert.ok(fact.at >= time, 'T2: time goes on');
    time = fact.at;
    if (runFacts.has(fact.type) && 'run' in fact) assert.ok(!ended.has(fact.run), `R3: run ${fact.run} has ended, seen ${fact.type}`);
    switch (fact.type) {
      case 'WakeRequested':
        awaited.add(fact.token);
        return;
      case 'WakeSpent':
        awaited.delete(fact.token);
        return;
      case 'RunFinished':
        ended.add(fact.run);
        return;
      case 'StepRequested':
        phases.set(`${fact.run} ${fact.call}`, fact.phase);
        if (frozen) assert.ok(fact.phase !== 'steps' && fact.phase !== 'undo', 'R4: no effect is asked for while frozen');
        return;
      case 'StepGranted': {
        const call = `${fact.run} ${fact.call}`;
        assert.ok(!granted.has(call), 'R1: a call is granted once');
        granted.add(call);
        const phase = phases.get(call);
        if (frozen) assert.ok(phase !== 'steps' && phase !== 'undo', 'R4: no effect is granted while frozen');
        return;
      }
      case 'PageOpened':
        pages.set(fact.page, { state: 'ringing', ackedAt: 0, ring: 0 });
        return;
      case 'PageRang': {
        const page = pages.get(fact.page);
        assert.ok(page !== undefined && page.state !== 'closed', 'P2: a closed page never rings');
        const due = page.state === 'ringing' || fact.kind !== 'repeat' || fact.at >= page.ackedAt + ladder.ackTimeoutMs;
        assert.ok(due, 'P2: an acked page does not ring before its time');
        assert.equal(fact.ring, page.ring + 1, 'P1: one ring after the other');
        pages.set(fact.page, { ...page, state: 'ringing', ring: fact.ring });
        return;
      }
      case 'PageAcked':
      case 'PageClosed': {
        const page = pages.get(fact.page);
        assert.ok(page !== undefined);
        pages.set(fact.page, { ...page, state: fact.type === 'PageAcked' ? 'acked' : 'closed', ackedAt: fact.at });
        return;
      }
      case 'NotifyRequested': {
        const { id, kind } = fact.notification;
        if (rings[kind]) assert.equal(pages.get(fact.page)?.state, 'ringing', 'P2: only a ringing page calls');
        if (kind === 'acknowledged') assert.equal(pages.get(fact.page)?.state, 'acked', 'P2: who has it is told while somebody has it');
        assert.equal(fact.attempt, (attempts.get(id) ?? 0) + 1, 'P4: one attempt after the other, under one id');
        attempts.set(id, fact.attempt);
        return;
      }
      case 'NotifyGranted': {
        const { kind } = fact.notification;
        const state = kind === 'resolve' ? 'closed' : kind === 'acknowledged' ? 'acked' : 'ringing';
        assert.equal(pages.get(fact.page)?.state, state, `G1: ${kind} leaves only while it is true`);
        return;
      }
      default:
    }
  }

  return ({ input, facts, frozen, desk }) => {
    if (input.type === 'Woke' && !awaited.has(input.token)) assert.deepEqual(facts, [], 'T3: a stale wake does nothing');
    for (const fact of facts) look(fact, frozen);
    if (input.type === 'AlertSeen') {
      const seen = deliveries.get(input.delivery) ?? -1;
      const again = input.delivery !== '' && input.index <= seen;
      assert.equal(facts.filter((fact) => fact.type === 'AlertDecided').length, again ? 0 : 1, 'T3: decided once, a redelivery never');
      if (again) assert.deepEqual(facts, [], 'T3: a redelivery changes nothing');
      else if (input.delivery !== '') deliveries.set(input.delivery, input.index);
    }
    for (const incident of desk.tables.incidents.rows.values()) counted(desk, incident);
    exclusive(desk);
  };
}

/** I1: the count of an incident is the count of its confirmed members that fire; I2: without any it is resolved, unless a run is at work. */
function counted(desk: Desk, incident: Incident): void {
  if (incident.state === 'resolved') return;
  let firing = 0;
  for (const { alert } of desk.tables.alerts.rows.values())
    if (alert.incident === incident.id && alert.state === 'firing' && !alert.soft) firing += 1;
  assert.equal(incident.firing, firing, `I1: ${incident.id} counts its firing members`);
  const doubt = ['unknown', 'stuck', 'degraded'].includes(incident.outcome?.end ?? '');
  if (firing === 0 && incident.run === null && !doubt) assert.fail(`I2: nothing fires in ${incident.id}, yet it is open`);
}

/** G2: no two runs that may act hold one target. */
function exclusive(desk: Desk): void {
  const targets = new Set<string>();
  for (const run of desk.tables.runs.rows.values()) {
    if (run.end !== null || run.mode === 'shadow') continue;
    assert.ok(!targets.has(run.target), `G2: ${run.target} is held once`);
    targets.add(run.target);
  }
}

/** After long enough, whoever should have been called has been: nothing that burns was forgotten. */
function nobodyForgotten(chaos: Chaos): void {
  const { incidents, alerts, runs, targets } = chaos.desk().tables;
  for (const run of runs.rows.values()) assert.ok(run.end !== null || run.startedAt > chaos.now() - 30 * minute, `R3: run ${run.id} ends`);
  for (const [target, { holder }] of targets.rows)
    assert.ok(holder === null || runs.rows.get(holder)?.end === null, `${target} is free again`);
  for (const incident of incidents.rows.values()) {
    const parent = incidents.rows.get(incident.parent ?? '');
    const spokenFor = parent !== undefined && parent.state !== 'resolved';
    if (incident.state !== 'open' || spokenFor || incident.firing === 0 || incident.run !== null) continue;
    if (!['error', 'critical'].includes(incident.severity) || incident.score.value < 0.3) continue;
    const calling = [...alerts.rows.values()].some(({ alert, muted, flapping }) => {
      const grave = ['error', 'critical'].includes(alert.severity);
      return alert.incident === incident.id && alert.state === 'firing' && grave && !alert.soft && muted === null && !flapping;
    });
    if (calling)
      assert.notEqual(incident.page, null, `${incident.id} burns and nobody was called: ${incident.decision} ${incident.reason}`);
  }
}

/** The news of the end went to exactly those who may have been told. */
function allTold(chaos: Chaos): void {
  for (const { page } of chaos.all('PageClosed')) {
    const kinds = new Map(chaos.all('NotifyRequested').map((fact) => [fact.notification.id, fact.notification.kind]));
    const reached = new Set<string>();
    for (const fact of chaos.all('NotifyFinished')) {
      const may = fact.outcome.outcome === 'accepted' || fact.outcome.outcome === 'unknown';
      if (fact.page === page && may && kinds.get(fact.notification) !== 'resolve') reached.add(fact.notifier);
    }
    const told = chaos
      .all('NotifyRequested')
      .filter((fact) => fact.page === page && fact.attempt === 1 && fact.notification.kind === 'resolve');
    assert.deepEqual(
      told.map((fact) => fact.notifier).sort(),
      [...reached].sort(),
      `who may have been told of ${page} hears of its end, once`,
    );
  }
}

/** Everything ends: alerts clear, people look, and after a while the desk is empty. */
function clearUp(chaos: Chaos): void {
  for (const { alert } of chaos.desk().tables.alerts.rows.values().toArray()) {
    const event = eventOf({ ...alert, claim: 'cleared' });
    chaos.play({ do: 'see', event, ageMs: 0, lagMs: -100 * hour, delivery: '', index: 0 });
  }
  chaos.play({ do: 'forward', span: hour });
  for (let nth = chaos.all('IncidentOpened').length; nth >= 0; nth -= 1) chaos.play({ do: 'ack', nth, by: 'ann' });
  chaos.play({ do: 'forward', span: 30 * hour });
  const { alerts, incidents, runs, playbooks, pages, wakes, silences } = chaos.desk().tables;
  const left = { alerts, incidents, runs, playbooks, pages, wakes, silences };
  for (const [name, table] of Object.entries(left)) assert.deepEqual([...table.rows.keys()], [], `nothing is left in ${name}`);
  const { incidentsByKey, runsByPlaybook } = chaos.desk().indexes;
  assert.deepEqual([incidentsByKey.size, runsByPlaybook.size], [0, 0], 'nothing is left in the indexes');
}

test('D1 T1–T3 I1 I2 R1 R3 R4 P1 P2 P4 G2: whatever happens, in whatever order, every promise holds and everything ends', () => {
  fc.assert(
    fc.property(fc.nat(3), fc.array(anyDeed, { minLength: 5, maxLength: 80, size: 'max' }), (nth, deeds: readonly Deed[]) => {
      const chaos = unleash(policies, watch());
      chaos.play({ do: 'policy', nth });
      for (const deed of deeds) chaos.play(deed);
      chaos.compare();
      chaos.play({ do: 'thaw' });
      chaos.play({ do: 'policy', nth: 0 });
      chaos.play({ do: 'forward', span: 75 * minute });
      nobodyForgotten(chaos);
      clearUp(chaos);
      allTold(chaos);
      chaos.compare();
    }),
    { numRuns: 300, seed: 20_261_121 },
  );
});
