// Why nobody needs to hear of an incident, or null.
//   B2  What is muted, unconfirmed, acknowledged or part of a storm pages nobody by itself.
import type { TurnContext } from '../context.ts';
import { incidentOf, isDelegated, type Incident } from '../incident/row.ts';
import { suppressionOf } from '../mute/suppression.ts';
import type { Decision } from './facts.ts';

/** B2: why nobody needs to hear of it, or null. */
export function quietReason(ctx: TurnContext, incident: Incident, arrived: string | null): readonly [Decision, string] | null {
  const parent = incidentOf(ctx, incident.parent);
  // A storm does not speak for what came after it was taken.
  if (parent !== undefined && parent.state !== 'resolved' && incident.news === undefined)
    return ['suppress', `part of ${parent.id}: ${parent.title}`];
  const muted = suppressionOf(ctx, incident, arrived);
  if (muted !== null) return ['suppress', muted];
  return incident.state === 'acknowledged' && !isDelegated(incident) ? ['record', 'a person has it'] : null;
}
