// Why an incident may call nobody now, or null.
import type { TurnContext } from '../context.ts';
import { firingOf, membersOf } from '../desk.ts';
import { isInDoubt, type Incident } from '../incident/row.ts';
import { describeMute, muteOf } from './mute.ts';

/**
 * Why no member of an incident may call anybody, or null when one may; `first` is asked before the others.
 * Of members beyond the list what was last written down counts.
 */
export function suppressionOf(ctx: TurnContext, incident: Incident, first: string | null): string | null {
  let reason = 'no alert of it fires';
  const over = incident.firing === 0;
  // It flaps, and somebody was called for that: the moment in which it is well mutes nothing.
  if (over && incident.page !== null && (incident.flapping ?? 0) > 0) return null;
  if (over && !isInDoubt(incident)) return reason;
  const members = (over ? membersOf : firingOf)(ctx.desk, incident.id).values();
  let asked = 0;
  for (const fingerprint of first === null ? members : firstThen(first, members)) {
    const row = ctx.desk.tables.alerts.rows.get(fingerprint);
    if (row === undefined || (row.alert.state !== 'firing' && !over)) continue;
    asked += 1;
    const mute = asked <= ctx.policy.grouping.membersMax ? muteOf(ctx, row) : row.muted;
    if (mute === null) return null;
    if (over && mute.kind !== 'silence') return null; // what a source said of an alert that has cleared it never takes back
    reason = describeMute(mute);
  }
  return reason;
}

/** Lazily: the first mostly answers the question, and a storm has many members. */
function* firstThen(first: string, rest: Iterable<string>): Iterable<string> {
  yield first;
  yield* rest;
}
