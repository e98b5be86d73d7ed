// Since when the conditions of triggers with a `for` hold. A condition that stops holding begins anew: only an unbroken hold counts.
//   H1  The span counts from the turn in which the condition itself came true, never from the start of the alert or the incident.
//   H2  Every turn that can change what a condition sees asks again, so a condition that stopped in between is never missed.
//   H3  What is remembered is bounded; a condition beyond the bound is not counted, and its playbook waits until a person is called.
import { emit, type TurnContext } from '../context.ts';
import { heldAs, incidentOf, type Incident } from '../incident/row.ts';
import type { Playbook } from '../playbook/document.ts';
import type { Instant, Millis } from '../time.ts';
import { holding, viewsFor, type Views } from './condition.ts';
import { questionsFor } from './triggers.ts';

const heldMax = 200;

/** How long the condition must go on holding before its playbook may act; 0 or less: it may act now. */
export function waitOf(ctx: TurnContext, incident: Incident, playbook: Playbook, index: number, fingerprint: string): Millis {
  const trigger = playbook.triggers[index];
  if (trigger === undefined || trigger.forMs === 0) return 0;
  const about = trigger.on === 'incident' ? '' : fingerprint;
  const since = sinceOf(incident, playbook, { playbook: playbook.name, trigger: index, fingerprint: about });
  return (since ?? ctx.at) + trigger.forMs - ctx.at;
}

/** An edited playbook begins anew: its condition may be another one. */
function sinceOf(incident: Incident, { digest }: Playbook, place: Parameters<typeof heldAs>[0]): Instant | null {
  const held = incident.held?.[heldAs(place)];
  return held === undefined || held.digest !== digest ? null : held.since;
}

/** Notes which conditions with a `for` have come to hold or ceased to (H2); true when one has. */
export function refreshHeld(ctx: TurnContext, id: string): boolean {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state === 'resolved' || incident.storm) return false;
  const before = incident.held ?? {};
  const now = conditionsHolding(ctx, incident);
  let changed = false;
  for (const key of Object.keys(before)) {
    if (now.has(key)) continue;
    const [playbook = '', trigger = '', ...rest] = key.split('|');
    emit(ctx, {
      type: 'TriggerHeld',
      incident: id,
      playbook,
      digest: '',
      trigger: Number(trigger),
      fingerprint: rest.join('|'),
      since: null,
    });
    changed = true;
  }
  let kept = Object.keys(before).filter((key) => now.has(key)).length;
  for (const [key, { playbook, trigger, fingerprint }] of now) {
    if (before[key]?.digest === playbook.digest) continue;
    if (before[key] === undefined && (kept += 1) > heldMax) break; // H3
    const { name, digest } = playbook;
    emit(ctx, { type: 'TriggerHeld', incident: id, playbook: name, digest, trigger, fingerprint, since: ctx.at }); // H1
    changed = true;
  }
  return changed;
}

interface Held {
  readonly playbook: Playbook;
  readonly trigger: number;
  readonly fingerprint: string;
}

function conditionsHolding(ctx: TurnContext, incident: Incident): ReadonlyMap<string, Held> {
  const found = new Map<string, Held>();
  let view: Views | null = null;
  const views = (): Views => (view ??= viewsFor(ctx, incident));
  for (const { playbook, trigger, index, fingerprint: asked } of questionsFor(ctx, incident, views, { arrived: null, held: true })) {
    if (holding(ctx, views(), trigger, asked) === null) continue;
    const fingerprint = trigger.on === 'incident' ? '' : asked;
    found.set(heldAs({ playbook: playbook.name, trigger: index, fingerprint }), { playbook, trigger: index, fingerprint });
  }
  return found;
}
