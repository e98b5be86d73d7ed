// The desk of a resource has decided: the incident that asked is decided about again, and a run begins, waits, or makes way for the next.
//   A2  A grant that nothing begins with is given back in the very turn that hears of it.
import { emit, type TurnContext } from '../context.ts';
import { incidentOf, type Asked } from '../incident/row.ts';
import type { Answer, ResourceTold } from '../resource/facts.ts';
import { runOf } from '../run/row.ts';
import { membersTried } from './condition.ts';
import { deliberate } from './deliberate.ts';

export function onTold(ctx: TurnContext, input: ResourceTold): void {
  const { run, incident: id, answer } = input;
  const asked = askedOf(ctx, id, run);
  if (asked === undefined) {
    // Of a run that began with it, this is the same word again.
    if (isHeld(answer) && runOf(ctx, run) === undefined) giveBack(ctx, id, input); // A2
    return;
  }
  if (answer.verdict === 'waits' && asked.answer !== null) return; // the same word again, after a newer one
  emit(ctx, { type: 'ResourceAnswered', incident: id, run, answer });
  const isNew = asked.answer?.verdict !== 'refused'; // a second no says that there is room again
  if (answer.verdict === 'refused' && isNew && isHeld(answer)) giveBack(ctx, id, input); // A2
  const listed = incidentOf(ctx, id)?.listed.slice(0, membersTried) ?? [];
  deliberate(ctx, id, listed.includes(asked.alert) ? null : asked.alert);
  if (askedOf(ctx, id, run)?.answer?.verdict === 'granted') giveBack(ctx, id, input); // A2
}

/** Guards of a group, which is asked once the resource is granted. */
const groupGuards: ReadonlySet<string> = new Set(['blastRadius', 'keepHealthy', 'concurrency']);

/** Whether the resource is held for the run: it was granted, or its group said no after it was. */
function isHeld(answer: Answer): boolean {
  return answer.verdict === 'granted' || (answer.verdict === 'refused' && groupGuards.has(answer.guard));
}

function askedOf(ctx: TurnContext, incident: string, run: string): Asked | undefined {
  return incidentOf(ctx, incident)?.asked?.find((one) => one.run === run);
}

function giveBack(ctx: TurnContext, incident: string, { run, resource }: ResourceTold): void {
  emit(ctx, { type: 'ResourceReleased', incident, run, resource, acted: false });
}
