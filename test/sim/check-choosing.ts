// Who is called, and what was tried before (B3, M1–M3): nobody is paged while a playbook that fits was never asked, and what severity
// pages calls somebody within the time to settle and the hold-off, whatever was learned, held or tried, and whatever crashed.
import type { AlertRow } from '../../src/core/alert/row.ts';
import { severityRank } from '../../src/core/alert/severity.ts';
import type { Desk } from '../../src/core/desk.ts';
import { worldOf } from '../../src/core/desk.ts';
import type { Incident } from '../../src/core/incident/row.ts';
import type { PageOpened } from '../../src/core/page/facts.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { unlearnedScore } from '../../src/core/score/score.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { minute, second, type Millis } from '../../src/core/time.ts';
import { deskName, type Ledger, type Moment } from './ledger.ts';
import { loud, rankOf } from './loud.ts';

/** The longest settling and the longest hold-off of simPolicy. */
const boundMs: Millis = 20 * second + 2 * minute;
/** A policy and the facts of other scopes of its batch reach the log in any order. */
const policyGraceMs = 5 * second;
const slackMs: Millis = 8 * second;
const perTroubleMs: Millis = 3 * second;

/** Ends after which no other playbook is tried, and those after which the alerts are given time to clear. */
const stopping: ReadonlySet<string> = new Set(['degraded', 'stuck', 'unknown', 'denied', 'cancelled']);
const helping: ReadonlySet<string> = new Set(['succeeded', 'noop']);

export function checkChoosing(ledger: Ledger): void {
  const adopted = new Map<number, Moment>();
  const calling = new Map<string, Moment>();
  /** What is to be said unless the policy of its partition turns out to have changed in the very batch. */
  let found: { readonly partition: number; readonly digest: string; readonly says: string }[] = [];

  ledger.watch({
    fact({ fact, partition, seen }, desk) {
      if (fact.type === 'PolicyAdopted') adopted.set(partition, seen);
      if (fact.type !== 'PageOpened') return;
      const since = adopted.get(partition);
      const policy = policyOf(partition);
      if (policy === null || since === undefined || seen.steady - since.steady < policyGraceMs) return;
      for (const says of unasked(desk, policy, fact)) found.push({ partition, digest: policy.digest, says });
    },
    settled(now) {
      for (const { partition, digest, says } of found) if (policyOf(partition)?.digest === digest) ledger.breach(says);
      found = [];
      for (const [name, desk] of ledger.desks) {
        const policy = policyOf(Number(name.split('/')[0]));
        if (policy !== null)
          for (const incident of desk.tables.incidents.rows.values()) inTime(`${name} ${incident.id}`, desk, incident, policy, now);
      }
    },
  });

  function policyOf(partition: number): Policy | null {
    const world = ledger.desks.get(deskName(partition, everyScope));
    return world === undefined ? null : worldOf(world).policy;
  }

  function inTime(name: string, desk: Desk, incident: Incident, policy: Policy, now: Moment): void {
    const since = calling.get(name);
    if (!calls(desk, incident, policy)) return void calling.delete(name);
    if (since === undefined || since.disturbances !== now.disturbances) return void calling.set(name, now);
    const restarts = now.lives - since.lives;
    const again = now.back > 0 ? restarts + 1 : 0; // what a desk counts begins anew when its time goes back
    const slack = slackMs + perTroubleMs * (now.troubles - since.troubles + restarts);
    if (now.up - since.up <= boundMs * (1 + again) + slack) return;
    calling.delete(name);
    ledger.breach(`B3: ${name} has called for somebody for ${now.up - since.up} ms: ${incident.decision}, ${incident.reason}`);
  }
}

/** A page that is opened because no playbook helps: each that fits a loud member ran, or was refused, or is said to wait. */
function unasked(desk: Desk, policy: Policy, { incident: id, reason }: PageOpened): readonly string[] {
  const incident = desk.tables.incidents.rows.get(id);
  if (incident === undefined || incident.run !== null || incident.storm || stopping.has(incident.outcome?.end ?? '')) return [];
  return callers(desk, incident).flatMap(({ alert }) => {
    if (alert.acknowledged) return []; // somebody has it in its source
    const playbook = policy.playbooks.find(({ name }) => name === `heal-${alert.name}`);
    if (playbook === undefined || playbook.mode === 'off' || playbook.triggers.some(({ forMs }) => forMs > 0)) return [];
    const tried = incident.tried.includes(`${playbook.name}|${alert.entity.host}`) || reason.includes(`playbook ${playbook.name} waits`);
    // One that only watches is asked, too, and holds nobody up while its resource answers.
    const watches = playbook.mode === 'shadow' && incident.asked?.some((one) => one.playbook === playbook.name) === true;
    return tried || watches ? [] : [`B3: ${id} was paged (${reason}), and ${playbook.name} was never asked about ${alert.fingerprint}`];
  });
}

function callers(desk: Desk, incident: Incident): readonly AlertRow[] {
  return loud(desk, incident).filter(({ alert, flapping }) => !alert.soft && !flapping);
}

function calls(desk: Desk, incident: Incident, { paging }: Policy): boolean {
  if (incident.state !== 'open' || incident.page !== null || helping.has(incident.outcome?.end ?? '')) return false;
  const parent = desk.tables.incidents.rows.get(incident.parent ?? '');
  if (parent !== undefined && parent.state !== 'resolved') return false;
  return rankOf(callers(desk, incident)) >= severityRank(paging.severity) && unlearnedScore(incident) >= paging.score;
}
