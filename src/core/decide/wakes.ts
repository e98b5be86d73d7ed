// A wait about an incident is over: it has settled, is to be decided about again, or still burns after a run that helped.
//   T3  A wake of an earlier life, or of a run that another one followed, decides nothing.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { calledNow } from '../incident/called.ts';
import { incidentOf, isDelegated } from '../incident/row.ts';
import { playbookOf, runOf } from '../run/row.ts';
import { minute } from '../time.ts';
import type { WakeHandlers } from '../wakes.ts';
import { adoptLate } from './adopt.ts';
import { deliberate, page } from './deliberate.ts';
import type { DecideWake } from './facts.ts';
import { watchTaken } from './overdue.ts';
import { quietReason } from './quiet.ts';
import { askAgain, boundOf } from './remedy.ts';

export const decideWakes: WakeHandlers<DecideWake['kind']> = {
  settle: (ctx, wake) => onSettled(ctx, wake.incident, wake.life),
  deliberate(ctx, { incident, about }) {
    if (about === undefined) ctx.toDeliberate.add(incident);
    else deliberate(ctx, incident, about);
    watchRun(ctx, incident);
    watchTaken(ctx, incident); // a policy that came meanwhile, or a clock that was set back, may have put its end off
  },
  grace: (ctx, wake) => onGrace(ctx, wake.incident, wake.run),
};

/** A run has until the bound of the first page; a policy that came meanwhile may have put it off beyond the wait that was armed for it. */
function watchRun(ctx: TurnContext, id: string): void {
  const incident = incidentOf(ctx, id);
  const run = runOf(ctx, incident?.run ?? null);
  if (incident === undefined || run === undefined || incident.page !== null) return;
  const until = boundOf(ctx, incident, playbookOf(ctx.desk, run));
  if (ctx.at < until) askAgain(ctx, incident, until - ctx.at);
}

/** Long enough watched: whatever opened while a storm rose belongs to the storm, the rest may be paged. */
function onSettled(ctx: TurnContext, id: string, life: number): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.life !== life || incident.state === 'resolved') return; // T3
  const { severity, root, score } = incident;
  emit(ctx, { type: 'IncidentChanged', incident: id, severity, ...calledNow(ctx, incident), root, score, settled: true });
  if (incident.page === null) adoptLate(ctx, id);
  ctx.toDeliberate.add(id);
}

/** A run proved that the fire is out, and still a source says it burns: a person must look. */
function onGrace(ctx: TurnContext, id: string, runId: string): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.firing === 0 || incident.run !== null) return;
  if (incident.state !== 'open' && !isDelegated(incident)) return;
  const last = incident.runs.findLast((other) => runOf(ctx, other)?.mode !== 'shadow');
  if (last !== runId || incident.outcome === null) return; // T3
  if (quietReason(ctx, incident, null) !== null)
    return wakeAfter(ctx, minute, { kind: 'grace', incident: id, run: runId, asked: nextSeq(ctx) });
  const run = runOf(ctx, runId);
  const playbook = run === undefined ? runId : playbookOf(ctx.desk, run).name;
  page(ctx, incident, `playbook ${playbook} is done, yet ${incident.firing} of ${incident.members} alerts still fire`, null);
}
