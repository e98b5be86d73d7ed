// The end of a run: said once, in the words of the playbook's author when a person is to be called.
//   R3  Every run ends, once, and what its end means is one row of the table in ends.ts: whether it calls a person, and whether a person
//       must look even when every alert has cleared, because nobody knows what it did.
import { emit, wakeAfter, type TurnContext } from '../context.ts';
import { invariant } from '../errors.ts';
import { releasedBy } from '../incident/row.ts';
import { fill } from '../playbook/template.ts';
import { runEnvironment } from '../playbook/environment.ts';
import { resourceOf } from '../resource/message.ts';
import { minute } from '../time.ts';
import { ends } from './ends.ts';
import type { Because, RunEnd } from './facts.ts';
import type { Progress } from './position.ts';
import { playbookOf, type Run } from './row.ts';

/** How long alerts may go on firing after a run that helped. */
const graceMs = 5 * minute;
const wokenMax = 3;

export function finish(ctx: TurnContext, run: Run, end: RunEnd, reason: string, because?: Because): Progress {
  invariant(run.end === null, `R3: run ${run.id} ends once`);
  const { helped } = ends[end];
  const quiet = helped || run.mode === 'shadow' || run.acted !== true || end === 'cancelled';
  const words = quiet ? reason : inItsWords(ctx, run, reason);
  const { name: playbook } = playbookOf(ctx.desk, run);
  const stale = because === undefined ? {} : { because };
  emit(ctx, { type: 'RunFinished', run: run.id, incident: run.incident, playbook, end, reason: words, ...stale });
  if (run.holdsUntil !== undefined) {
    const acted = because === undefined || run.acted === true; // V3
    const resource = resourceOf(ctx.desk.scope, run.target);
    emit(ctx, { type: 'ResourceReleased', run: run.id, incident: run.incident, resource, acted, helped });
  }
  if (run.mode === 'shadow') return 'ended';
  const incident = ctx.desk.tables.incidents.rows.get(run.incident);
  if (helped && incident !== undefined && incident.firing > 0)
    wakeAfter(ctx, graceMs, { kind: 'grace', incident: incident.id, run: run.id });
  ctx.toDeliberate.add(run.incident);
  wakeWaiting(ctx, releasedBy(playbook, run.target));
  return 'ended';
}

/** Who waits longest for what was released goes on in this very turn; a few, since the first may not need it any more. */
function wakeWaiting(ctx: TurnContext, released: readonly string[]): void {
  for (const key of released) {
    const waiting = [...(ctx.desk.indexes.waiting.get(key) ?? [])].map((id) => ctx.desk.tables.incidents.rows.get(id));
    const inOrder = waiting.filter((incident) => incident !== undefined).sort((a, b) => a.lifeAt - b.lifeAt || (a.id < b.id ? -1 : 1));
    for (const { id } of inOrder.slice(0, wokenMax)) ctx.toDeliberate.add(id);
  }
}

/** The author's sentence for the person who is called, with the reason behind it. It tells of what was done in vain, so a run that did nothing, or was not let finish, has none. */
function inItsWords(ctx: TurnContext, run: Run, reason: string): string {
  const { say } = playbookOf(ctx.desk, run).escalate;
  const sentence = fill(say, runEnvironment(ctx.desk, run), ctx.expressions);
  const text = sentence.ok && typeof sentence.value === 'string' ? sentence.value.trim() : '';
  return text === '' ? reason : `${text.replace(/\.$/, '')} (${reason})`;
}
