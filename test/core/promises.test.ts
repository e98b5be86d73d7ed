// Two promises about calling people, asked after every input whatever happens: nobody is called while a playbook that fits was never asked
// (B3, M1–M3), and what severity pages calls somebody within the time to settle and the hold-off, whatever was learned, held or tried.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Alert } from '../../src/core/alert/row.ts';
import { severityRank } from '../../src/core/alert/severity.ts';
import type { Desk } from '../../src/core/desk.ts';
import type { Incident } from '../../src/core/incident/row.ts';
import type { Playbook } from '../../src/core/playbook/document.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { unlearnedScore } from '../../src/core/score/score.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { unleash, type Heard } from '../support/chaos.ts';
import { anyDeed, type Deed } from '../support/deeds.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';

/** A playbook for alerts of a name, with what it would act on, said a second time in plain code. */
interface Known {
  readonly playbook: Playbook;
  readonly targetFor: (alert: Alert) => string | null;
}

const text = (from: string, pattern: string) => ({ type: 'string' as const, from, fallback: null, pattern, maxLength: 64, oneOf: null });

function known(name: string, alertName: string, hosts: RegExp | null, change: Partial<Playbook> = {}): Known {
  const playbook = playbookOf({
    name,
    triggers: [{ on: 'alert', when: alertName === '' ? 'true' : `alert.name == "${alertName}"`, forMs: 0 }],
    params: hosts === null ? {} : { host: text('alert.host', hosts.source.slice(1, -1)) },
    target: hosts === null ? 'shared' : '$params.host',
    steps: [stepOf({ with: {} })],
    ...change,
  });
  const matches = ({ name: seen }: Alert): boolean => alertName === '' || seen === alertName;
  const hostOf = ({ entity }: Alert): string | null =>
    entity.host !== undefined && hosts?.test(entity.host) === true ? entity.host : null;
  return { playbook, targetFor: (alert) => (matches(alert) ? (hosts === null ? 'shared' : hostOf(alert)) : null) };
}

const guards = playbookOf().guards;
const all: readonly Known[] = [
  known('first', 'ServiceDown', /^web[0-9]$/, { guards: { ...guards, cooldownMs: minute, attempts: { max: 2, perMs: hour } } }),
  known('second', 'ServiceDown', /^(web|db)[0-9]$/, { mode: 'approve' }),
  known('trial', 'Latency', /^(web|db)[0-9]$/, { mode: 'shadow' }),
  known('third', 'Latency', /^(web|db)[0-9]$/, { guards: { ...guards, concurrency: 1, confidence: 0.6 } }),
  known('last', '', null, { verify: { ...playbookOf().verify, withinMs: 30 * second } }),
];
const base: Partial<Policy> = { grouping: { ...policyOf().grouping, reopenMs: 2 * minute }, staleMs: 100 * hour };
const some = (names: readonly string[]): Partial<Policy> => ({
  ...base,
  playbooks: all.map(({ playbook }) => playbook).filter(({ name }) => names.includes(name)),
});
const policies = [
  policyOf(some(['first', 'second', 'trial', 'third', 'last'])),
  policyOf(some(['first', 'third'])),
  policyOf({ ...some(['second', 'last']), holdOffMs: 30 * second }),
  policyOf({ ...some([]), settleMs: 0 }),
];
const inForce = (policy: Policy): readonly Known[] =>
  all.filter(({ playbook }) => policy.playbooks.some(({ name }) => name === playbook.name));

/** Members that fire and that nothing keeps quiet. */
function loud(desk: Desk, incident: Incident): readonly Alert[] {
  const rows = incident.listed.map((fingerprint) => desk.tables.alerts.rows.get(fingerprint));
  return rows.flatMap((row) =>
    row?.alert.state === 'firing' && !row.alert.soft && row.muted === null && !row.flapping ? [row.alert] : [],
  );
}

function spokenFor(desk: Desk, incident: Incident): boolean {
  const parent = desk.tables.incidents.rows.get(incident.parent ?? '');
  return parent !== undefined && parent.state !== 'resolved';
}

/** Ends after which no other playbook is tried. */
const stops: ReadonlySet<string> = new Set(['degraded', 'stuck', 'unknown', 'denied', 'cancelled']);

/** B3: looks at each page that is opened because no playbook helps. */
function neverUnasked({ facts, desk, policy }: Heard): void {
  for (const fact of facts) {
    if (fact.type !== 'PageOpened') continue;
    const incident = desk.tables.incidents.rows.get(fact.incident);
    if (incident === undefined || incident.run !== null || incident.storm || stops.has(incident.outcome?.end ?? '')) continue;
    if (facts.some(({ type }) => type === 'ApprovalRequested')) continue;
    for (const { playbook, targetFor } of inForce(policy)) {
      for (const alert of loud(desk, incident)) {
        const target = targetFor(alert);
        if (target === null || alert.acknowledged) continue; // somebody has it in its source
        const asked = incident.tried.includes(`${playbook.name}|${target}`) || fact.reason.includes(`playbook ${playbook.name} waits`);
        assert.ok(
          asked,
          `B3: ${incident.id} was paged (${fact.reason}), and ${playbook.name} was never asked about ${alert.name} of ${target}`,
        );
      }
    }
  }
}

/** Watches since when an incident calls for somebody, and that somebody is called in time. */
function calledInTime(): (heard: Heard) => void {
  const since = new Map<string, number>();
  const boundMs = Math.max(...policies.map(({ settleMs, holdOffMs }) => settleMs + holdOffMs));
  return ({ desk, now, policy }) => {
    for (const incident of desk.tables.incidents.rows.values()) {
      const key = `${incident.id} ${incident.life}`;
      if (!calls(desk, incident, policy)) since.delete(key);
      else if (!since.has(key)) since.set(key, now);
      const lasts = now - (since.get(key) ?? now);
      const { decision, reason } = incident;
      assert.ok(lasts <= boundMs, `${incident.id} has called for somebody for ${lasts} ms, and it says ${decision}: ${reason}`);
    }
  };
}

function calls(desk: Desk, incident: Incident, { paging }: Policy): boolean {
  if (incident.state !== 'open' || incident.page !== null || spokenFor(desk, incident)) return false;
  if (['succeeded', 'noop'].includes(incident.outcome?.end ?? '')) return false; // a playbook helped; grace is asked elsewhere
  const worth = loud(desk, incident).some(({ severity }) => severityRank(severity) >= severityRank(paging.severity));
  return worth && unlearnedScore(incident) >= paging.score;
}

/** Time goes on as on a gateway: no wait is over early, no clock is set back. */
const timely = anyDeed.filter((deed: Deed) => deed.do !== 'wake' && deed.do !== 'back');

test('B3: whatever happens, nobody is paged while a playbook that fits was never asked', () => {
  fc.assert(
    fc.property(fc.array(anyDeed, { minLength: 5, maxLength: 60, size: 'max' }), fc.nat(3), (deeds, nth) => {
      const chaos = unleash(policies, neverUnasked);
      chaos.play({ do: 'policy', nth });
      for (const deed of deeds) chaos.play(deed);
      chaos.play({ do: 'forward', span: 10 * minute });
    }),
    { numRuns: 300, seed: 20_261_130 },
  );
});

test('B3: whatever happens and whatever was learned, who is to be called is called within settle and hold-off', () => {
  fc.assert(
    fc.property(fc.array(timely, { minLength: 5, maxLength: 60, size: 'max' }), fc.nat(3), (deeds, nth) => {
      const chaos = unleash(policies, calledInTime());
      chaos.play({ do: 'policy', nth });
      for (const deed of deeds) chaos.play(deed);
      chaos.play({ do: 'forward', span: 10 * minute });
    }),
    { numRuns: 300, seed: 20_261_130 },
  );
});
