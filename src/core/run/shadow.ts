// What a shadow run would have done, and what came of the incident without it: the evidence by which people switch a playbook on.
//   S1  A shadow run is asked what every other run is asked (guards.ts); what would refuse it is said, and stops nothing.
import { emit, type TurnContext } from '../context.ts';
import type { Incident } from '../incident/row.ts';
import { clockOf, spanOf } from '../time.ts';
import { playbookOf, runOf, type Run } from './row.ts';

/** Shadow runs of one life that are told of at its end, the last ones. */
const toldMax = 5;

/** What a shadow run comes to: its plan was told, nothing was done. */
export function shadowEnd({ wouldBe }: Run): string {
  const refused = wouldBe === undefined ? '' : `; it would be refused: ${wouldBe}`;
  return `shadow mode: decided and planned, nothing was done${refused}`;
}

/** Says at the end of a life, of each shadow run in it, how it went without. */
export function tellWithout(ctx: TurnContext, incident: Incident, by: string): void {
  const runs = incident.runs.map((id) => runOf(ctx, id));
  const shadows = runs.filter((run) => run?.mode === 'shadow' && run.end === 'shadowed' && run.life === incident.life);
  for (const run of shadows.slice(-toldMax)) {
    if (run === undefined) continue;
    const { name } = playbookOf(ctx.desk, run);
    const would = run.wouldBe === undefined ? 'would have acted' : `would have been refused (${run.wouldBe})`;
    const paged = incident.page === null ? 'nobody was paged' : 'a person was paged';
    const text = `shadow: playbook ${name} ${would} on ${run.target} at ${clockOf(run.startedAt)}; without it: over after ${spanOf(ctx.at - run.startedAt)}, by ${by}; ${paged}`;
    emit(ctx, { type: 'IncidentNoted', incident: incident.id, by: 'quench', text });
  }
}
