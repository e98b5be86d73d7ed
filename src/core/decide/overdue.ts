// How long an acknowledgement lasts of an incident that has no page: taken while it was watched, while a playbook worked, or with a storm.
// That of a page is watched by the page itself (page/ring.ts); both last as long as the ladder says.
//   K4  Whoever took an incident before anybody was called for it is asked after as if they had been: once the span of the ladder is over
//       and it still calls for somebody, nobody has it any more.
//   K5  What is muted then is asked again when the mute ends; what a storm speaks for when the storm has ended, for a span of its own.
//   K6  A source's word is a person's word at the source and lasts as long, before a page and after one. Once people were called all the same, what
//       the source said before takes the incident no more, however often it repeats it: only what it says anew of an alert does.
import { nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { incidentOf, type Incident, type News } from '../incident/row.ts';
import { suppressionOf } from '../mute/suppression.ts';
import { ladderFor } from '../page/route.ts';
import { spanOf, type Instant, type Millis } from '../time.ts';
import { isGraveNow, takenText } from './taken.ts';

interface Lasting {
  readonly until: Instant;
  readonly span: Millis;
}

/** Looks at the acknowledgement again when its span is over; nothing when it has none. */
export function watchTaken(ctx: TurnContext, id: string): void {
  const incident = incidentOf(ctx, id);
  const lasting = incident === undefined ? null : lastingOf(ctx, incident);
  if (lasting === null || ctx.at >= lasting.until) return;
  wakeAfter(ctx, lasting.until - ctx.at, { kind: 'deliberate', incident: id, asked: nextSeq(ctx) });
}

/** Why nobody has the incident any more though somebody took it, or null. */
export function overdueOf(ctx: TurnContext, incident: Incident): News | null {
  const lasting = lastingOf(ctx, incident);
  if (lasting === null || ctx.at < lasting.until) return null;
  if (suppressionOf(ctx, incident, null) !== null || !isGraveNow(ctx, incident)) return null; // K5
  return { kind: 'unacknowledged', text: `${takenText(incident)}, still open after ${spanOf(lasting.span)}` };
}

function lastingOf(ctx: TurnContext, incident: Incident): Lasting | null {
  const { state, page, acked, taken, parent } = incident;
  if (state !== 'acknowledged' || page !== null) return null;
  const storm = incidentOf(ctx, parent);
  if (storm !== undefined && storm.state !== 'resolved') return null; // K5
  const span = ladderFor(ctx, incident, null)?.ackTimeoutMs ?? 0;
  if (span === 0) return null;
  const stormEnded = taken?.storm === undefined ? 0 : (storm?.resolvedAt ?? 0);
  return { until: Math.max(acked?.at ?? 0, stormEnded) + span, span };
}
