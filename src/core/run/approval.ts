// A run that may act only when a person says yes: what it would do is told, somebody is called, and it waits.
//   R6  A yes that is asked for rings of its own, also on a page that is out already or that somebody has; once more before it expires, and when
//       it has expired unseen the page says so.
import { emit, wakeAfter, type TurnContext } from '../context.ts';
import { incidentOf } from '../incident/row.ts';
import { openPage, ringAgain } from '../page/ring.ts';
import { pageOf } from '../page/row.ts';
import { runEnvironment } from '../playbook/environment.ts';
import { fill } from '../playbook/template.ts';
import { staleApproval } from '../present.ts';
import { clockOf, minute, spanOf, type Millis } from '../time.ts';
import type { RunWake } from './facts.ts';
import { finish } from './finish.ts';
import { overtaken } from './overtaken.ts';
import { freshRun, move, type Progress } from './position.ts';
import { partOf, playbookOf, runOf, type Run } from './row.ts';
import { callText } from './told.ts';

const planCharsMax = 600;
/** A wait shorter than this is over before a reminder helps. */
const remindFromMs: Millis = minute;
const remindBeforeMaxMs: Millis = 15 * minute;

export interface ApprovalAnswer {
  readonly approved: boolean;
  readonly by: string;
  readonly via: string;
  readonly note: string;
}

/** Says for each step what it would call; a value that only an earlier effect could give is marked assumed. */
export function tellPlan(ctx: TurnContext, run: Run): void {
  for (const item of playbookOf(ctx.desk, run).steps) {
    const filled = fill(item.with, runEnvironment(ctx.desk, run), ctx.expressions);
    const text = filled.ok
      ? callText(item.uses, filled.value, planCharsMax)
      : `${item.uses} assumed (${filled.error})`.slice(0, planCharsMax);
    move(ctx, freshRun(ctx, run.id), {}, `would call ${text}`);
  }
}

export function askApproval(ctx: TurnContext, run: Run): Progress {
  move(ctx, run, { phase: 'approval', index: 0 }, 'waits for a person');
  tellPlan(ctx, freshRun(ctx, run.id));
  const { name, guards } = playbookOf(ctx.desk, run);
  const within = guards.approveWithinMs;
  emit(ctx, { type: 'ApprovalRequested', run: run.id, incident: run.incident, until: ctx.at + within });
  wakeAfter(ctx, within, { kind: 'approval', run: run.id });
  if (within >= remindFromMs) wakeAfter(ctx, within - remindBefore(within), { kind: 'approval', run: run.id, remind: true });
  callFor(ctx, run, `playbook ${name} wants to act on ${run.target}: approve or deny run ${run.id} within ${spanOf(within)}`);
  return 'waits';
}

/** R6: whoever is on the ladder is called for it, whether the incident was paged before or not. */
function callFor(ctx: TurnContext, run: Run, reason: string): void {
  const incident = incidentOf(ctx, run.incident);
  const page = pageOf(ctx, incident?.page ?? null);
  if (page !== undefined) ringAgain(ctx, page, { reason, kind: 'approval' });
  else if (incident !== undefined) openPage(ctx, incident, { reason, ladder: playbookOf(ctx.desk, run).escalate.ladder, kind: 'approval' });
}

/** How long before the end of the wait those who have not answered are called once more. */
function remindBefore(within: Millis): Millis {
  return Math.min(remindBeforeMaxMs, Math.floor(within / 4));
}

/** A person's answer to a run that waits for one; `take` gives them its incident. */
export function takeApproval(ctx: TurnContext, run: Run, answer: ApprovalAnswer, take: (incident: string) => void): Progress {
  const { approved, by, note } = answer;
  const stale = approved ? staleApproval(ctx, run) : null;
  if (stale !== null) {
    withdraw(ctx, run, `${by} approved it, but ${stale.reason}`);
    return overtaken(ctx, freshRun(ctx, run.id), { part: 'approval', step: '' }, stale);
  }
  emit(ctx, { type: 'ApprovalGiven', run: run.id, incident: run.incident, approved, by, note });
  take(run.incident);
  if (!approved) return finish(ctx, run, 'denied', `denied by ${by}${note === '' ? '' : `: ${note}`}`);
  move(ctx, run, { phase: 'steps', index: 0, attempt: 0 }, `approved by ${by}`);
  return 'goesOn';
}

/** A word that comes when nobody is asked any more changes nothing, and stands in the story all the same. */
export function noteLateWord(ctx: TurnContext, run: Run, { approved, by, note }: ApprovalAnswer): void {
  const said = `run ${run.id} was ${approved ? 'approved' : 'denied'}${note === '' ? '' : ` (${note})`}, but no longer waits: ${decidedBy(run)}`;
  emit(ctx, { type: 'IncidentNoted', incident: run.incident, by, text: said });
}

function decidedBy(run: Run): string {
  const ended = run.end === null ? '' : `it has ended ${run.end}`;
  if (run.approvedAt === undefined) return ended === '' ? 'it has not asked yet' : ended;
  const approved = `${run.approvedBy ?? 'somebody'} approved it at ${clockOf(run.approvedAt)}`;
  return ended === '' ? approved : `${approved}, and ${ended}`;
}

/** The wait is nearly over, or it is: nobody has answered. */
export function onApprovalWake(ctx: TurnContext, { run: id, remind }: Extract<RunWake, { kind: 'approval' }>): void {
  const run = runOf(ctx, id);
  if (run === undefined || partOf(run) !== 'approval') return;
  const { name } = playbookOf(ctx.desk, run);
  if (remind === true) {
    const left = (run.approveUntil ?? ctx.at) - ctx.at;
    return callFor(ctx, run, `playbook ${name} still waits for a yes on ${run.target}: run ${run.id} expires in ${spanOf(left)}`);
  }
  withdraw(ctx, run, 'nobody answered in time');
  finish(ctx, run, 'expired', 'nobody approved it in time');
  // A page that somebody has taken rings by what the end means (ends.ts); one that rings would go on asking for what is no longer to be had.
  const page = pageOf(ctx, incidentOf(ctx, run.incident)?.page ?? null);
  const reason = `playbook ${name} wanted to act on ${run.target}, and nobody approved it in time: a person is needed`;
  if (page?.state === 'ringing') ringAgain(ctx, page, { reason, kind: 'page' });
}

/** Nobody is asked any more. */
export function withdraw(ctx: TurnContext, run: Run, note: string): void {
  emit(ctx, { type: 'ApprovalGiven', run: run.id, incident: run.incident, approved: false, by: 'quench', note });
}
