// What must still be true at the moment something leaves the gateway: one table for every kind of outgoing thing, asked in log order by
// the turn that would let it go. A retry, a restart and a takeover pass the same place, so they need no rule of their own.
// Answers only: what follows when something no longer holds, the noun decides that wanted to send it (run/calls.ts for effects).
// This is the half about effects; the half about words to people is page/present.ts.
//   V1  No step leaves once its alerts are over, taken by a person or muted, its incident is over or part of a storm, or its playbook is
//       off, deleted or another one than the run began with.
//   V4  Nothing is begun on a resource so late that another run may hold it before that ends (resource/resource.ts, Q4).
//   V2  What takes an effect back may leave whenever nobody has given the emergency stop: leaving a half-done thing would be worse.
import { isFiring, type AlertRow } from './alert/row.ts';
import type { TurnContext } from './context.ts';
import { playbookNamed } from './decide/triggers.ts';
import { incidentOf, isDelegated } from './incident/row.ts';
import { describeMute, muteOf } from './mute/mute.ts';
import type { Because, RunPart } from './run/facts.ts';
import { lastCallMs } from './run/longest.ts';
import { playbookOf, type Run } from './run/row.ts';

/** What no longer holds, as a word for programs and a sentence for people. */
export interface Stale {
  readonly because: Because;
  readonly reason: string;
}

type Condition = (ctx: TurnContext, run: Run) => Stale | null;

/** Asked in this order; the first that fails is the one people read of. Looks change nothing, so they may always finish. */
const effects: { readonly [part in RunPart]: readonly Condition[] } = {
  approval: [],
  diagnose: [],
  steps: [thawed, sameLife, burning, untaken, unmuted, noStorm, inForce, held],
  verify: [],
  undo: [thawed, held], // V2, V4
};

/** Why a call of this part of the run may not leave now, or null when it may. */
export function staleEffect(ctx: TurnContext, run: Run, part: RunPart): Stale | null {
  for (const holds of effects[part]) {
    const stale = holds(ctx, run);
    if (stale !== null) return stale;
  }
  return null;
}

/** Why a person's yes to this run means nothing any more, or null. That somebody has the incident does not void it: they may say yes. */
export function staleApproval(ctx: TurnContext, run: Run): Stale | null {
  return sameLife(ctx, run) ?? burning(ctx, run) ?? inForce(ctx, run);
}

/** The alerts that the run's trigger matched and that still fire; of a run of an earlier version every listed member counts. */
function firingOf(ctx: TurnContext, run: Run): readonly AlertRow[] {
  const fingerprints = run.alerts.length > 0 ? run.alerts : (incidentOf(ctx, run.incident)?.listed ?? []);
  const rows = fingerprints.map((fingerprint) => ctx.desk.tables.alerts.rows.get(fingerprint));
  return rows.filter((row) => row !== undefined && row.alert.incident === run.incident && isFiring(row.alert)) as readonly AlertRow[];
}

/** Whether everything the run was started for has cleared. */
export function isOver(ctx: TurnContext, run: Run): boolean {
  return run.alerts.length === 0 ? (incidentOf(ctx, run.incident)?.firing ?? 0) === 0 : firingOf(ctx, run).length === 0;
}

function thawed({ frozen }: TurnContext): Stale | null {
  return frozen === null ? null : { because: 'frozen', reason: `frozen by ${frozen.by}` };
}

function sameLife(ctx: TurnContext, run: Run): Stale | null {
  const incident = incidentOf(ctx, run.incident);
  const gone = incident === undefined || incident.state === 'resolved' || (run.life !== null && incident.life !== run.life);
  return gone ? { because: 'over', reason: 'the incident is over' } : null;
}

function burning(ctx: TurnContext, run: Run): Stale | null {
  return isOver(ctx, run) ? { because: 'over', reason: 'the alerts it was started for are over' } : null;
}

/** A person who took it and then let this very run act has not taken it from the run. */
function untaken(ctx: TurnContext, run: Run): Stale | null {
  const incident = incidentOf(ctx, run.incident);
  const { state, acked } = incident ?? { state: 'open', acked: null };
  const approvedAt = run.approvedAt ?? null;
  const isLet = incident !== undefined && isDelegated(incident);
  if (state === 'acknowledged' && !isLet && !(approvedAt !== null && approvedAt >= (acked?.at ?? 0)))
    return { because: 'taken', reason: `taken by ${acked?.by ?? 'a person'}` };
  const firing = firingOf(ctx, run);
  const allTaken = approvedAt === null && firing.length > 0 && firing.every(({ alert }) => alert.acknowledged);
  return allTaken ? { because: 'taken', reason: `taken in ${firing[0]?.alert.source ?? 'its source'}` } : null;
}

function unmuted(ctx: TurnContext, run: Run): Stale | null {
  let mute = null;
  for (const row of firingOf(ctx, run)) {
    mute = muteOf(ctx, row);
    if (mute === null) return null;
  }
  return mute === null ? null : { because: 'muted', reason: describeMute(mute) };
}

function noStorm(ctx: TurnContext, run: Run): Stale | null {
  const parent = incidentOf(ctx, incidentOf(ctx, run.incident)?.parent ?? null);
  const inStorm = parent !== undefined && parent.state !== 'resolved';
  return inStorm ? { because: 'storm', reason: `part of ${parent.id}: ${parent.title}` } : null;
}

/** V4. */
function held({ at, desk }: TurnContext, run: Run): Stale | null {
  const { holdsUntil = Infinity, target } = run;
  if (at + lastCallMs(playbookOf(desk, run)) <= holdsUntil) return null;
  return { because: 'lock', reason: `its hold on ${target} runs out` };
}

/** The playbook is in force, the very one the run began with, and still allowed to go as far as the run wants to go. */
function inForce(ctx: TurnContext, run: Run): Stale | null {
  const { name, digest } = playbookOf(ctx.desk, run);
  const now = playbookNamed(ctx, name);
  if (now === undefined) return { because: 'off', reason: `playbook ${name} was deleted` };
  if (now.mode === 'off') return { because: 'off', reason: `playbook ${name} was switched off` };
  if (now.mode === 'shadow' && run.mode !== 'shadow') return { because: 'changed', reason: `playbook ${name} may only watch now` };
  if (now.mode === 'approve' && run.mode === 'auto') return { because: 'changed', reason: `playbook ${name} has to ask now` };
  return now.digest === digest ? null : { because: 'changed', reason: `playbook ${name} was changed since the run began` };
}
