// Which incident an alert belongs to: the finders are asked in order, the first answer counts.
// Answers only; opening, joining and beginning a life is incident/place.ts.
//   C1  Every answer carries its evidence: what is shared, by which kind of rule, and how far apart in event time.
import type { Alert } from '../alert/row.ts';
import type { TurnContext } from '../context.ts';
import { hasKey, incidentsWith } from '../desk.ts';
import { incidentOf, lagOf, type Incident } from '../incident/row.ts';
import type { Found } from './found.ts';
import { anyOf, subjectKey, type Key } from './keys.ts';
import { findStorm } from './storm.ts';

type Finder = (ctx: TurnContext, alert: Alert, keys: readonly Key[]) => Found | null;

/** In order of strength. */
const finders: readonly Finder[] = [findRecurrence, findByKey, findStorm];

/** Where a firing alert belongs, or null when nothing open has to do with it. */
export function findIncident(ctx: TurnContext, alert: Alert, keys: readonly Key[]): Found | null {
  for (const find of finders) {
    const found = find(ctx, alert, keys);
    if (found !== null) return found;
  }
  return null;
}

/** The newest incident about the very same thing, also when it was resolved so shortly ago that it may reopen. */
function findRecurrence(ctx: TurnContext, { subject, name, startedAt }: Alert): Found | null {
  if (subject === undefined) return null;
  let best: Incident | null = null;
  for (const id of incidentsWith(ctx.desk, subjectKey(subject).text)) {
    const incident = incidentOf(ctx, id);
    if (incident === undefined || incident.storm || ctx.at - (incident.resolvedAt ?? ctx.at) > ctx.policy.grouping.reopenMs) continue;
    if (best === null || isLater(incident, best)) best = incident;
  }
  if (best === null) return null;
  const lagSeconds = Math.round(lagOf(best, startedAt) / 1_000);
  return { kind: 'join', incident: best.id, evidence: { kind: 'recurrence', shared: `recurrence of ${name}`, lagSeconds } };
}

/** An open incident with an alert that shares a key, near in event time; the strongest key wins, then the incident that grew last. */
function findByKey(ctx: TurnContext, alert: Alert, keys: readonly Key[]): Found | null {
  for (const key of keys) {
    if (key.role === 'index') continue;
    let best: { readonly incident: Incident; readonly lag: number } | null = null;
    let fitting = 0;
    for (const id of incidentsWith(ctx.desk, key.text)) {
      const incident = incidentOf(ctx, id);
      if (incident === undefined || incident.state === 'resolved' || incident.storm || isElsewhere(ctx, id, key)) continue;
      const lag = lagOf(incident, alert.startedAt);
      if (lag > ctx.policy.grouping.windowMs) continue;
      fitting += 1;
      if (best === null || isLater(incident, best.incident)) best = { incident, lag };
    }
    if (best === null || (key.onlyOne === true && fitting > 1)) continue;
    const evidence = { kind: key.kind, shared: key.shown ?? key.text, lagSeconds: Math.round(best.lag / 1_000) };
    return { kind: 'join', incident: best.incident.id, evidence };
  }
  return null;
}

/** Whether the incident is about something of the same name in another cluster or namespace, or about another host. */
function isElsewhere({ desk }: TurnContext, incident: string, key: Key): boolean {
  const has = (mark: string): boolean => hasKey(desk, incident, mark);
  return (key.not !== undefined && has(key.not)) || key.within.some((mark) => has(anyOf(mark)) && !has(mark));
}

function isLater(a: Incident, b: Incident): boolean {
  return a.lastStart > b.lastStart || (a.lastStart === b.lastStart && a.id > b.id);
}
