// Nothing stale acts (V1 in core/present.ts): asked of the desk as it was when the grant reached the log, by a witness of its own.
import { worldOf, type Desk } from '../../src/core/desk.ts';
import type { StepGranted } from '../../src/core/run/facts.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { second } from '../../src/core/time.ts';
import { deskName, type Ledger, type Moment, type SeenFact } from './ledger.ts';

/** A policy and the facts of other scopes of its batch reach the log in any order. */
const policyGraceMs = 5 * second;

export function checkPresent(ledger: Ledger): void {
  const adopted = new Map<number, Moment>();
  ledger.watch({
    fact({ fact, partition, seen }: SeenFact, desk: Desk) {
      if (fact.type === 'PolicyAdopted') adopted.set(partition, seen);
      if (fact.type === 'RunFinished' && fact.because !== undefined) ledger.reach(`run overtaken: ${fact.because}`);
      if (fact.type !== 'StepGranted' || !fact.call.startsWith('steps/')) return;
      const why = staleness(desk, fact);
      if (why !== null) ledger.breach(`V1: ${fact.run}/${fact.call} was granted although ${why}`);
      const since = adopted.get(partition);
      if (since === undefined || seen.steady - since.steady < policyGraceMs) return;
      const out = outOfForce(partition, desk, fact);
      if (out !== null) ledger.breach(`V1: ${fact.run}/${fact.call} was granted although ${out}`);
    },
  });

  function outOfForce(partition: number, desk: Desk, { run: id }: StepGranted): string | null {
    const run = desk.tables.runs.rows.get(id);
    const world = ledger.desks.get(deskName(partition, everyScope));
    const policy = world === undefined ? null : worldOf(world).policy;
    if (policy === null || run === undefined) return null;
    const now = policy.playbooks.find(({ digest }) => digest === run.playbook);
    return now === undefined || now.mode === 'off' ? `playbook ${run.playbook} is in force no more` : null;
  }
}

function staleness(desk: Desk, { run: id }: StepGranted): string | null {
  const { alerts, incidents, runs } = desk.tables;
  const run = runs.rows.get(id);
  const incident = incidents.rows.get(run?.incident ?? '');
  if (run === undefined || incident === undefined) return 'its incident is gone';
  if (incident.state === 'resolved' || incident.life !== run.life) return 'its incident is over';
  // Who took it by a yes to one run lets playbooks go on.
  if (incident.state === 'acknowledged' && run.approvedAt === undefined && incident.taken?.run === undefined)
    return `${incident.acked?.by} has it`;
  const parent = incidents.rows.get(incident.parent ?? '');
  if (parent !== undefined && parent.state !== 'resolved') return 'a storm speaks for its incident';
  const firing = run.alerts.filter((fingerprint) => alerts.rows.get(fingerprint)?.alert.state === 'firing');
  return firing.length === 0 ? 'none of its alerts fires' : null;
}
