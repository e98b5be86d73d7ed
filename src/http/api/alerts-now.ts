// What became of alerts: what was decided when each was last heard of says nothing of what its incident has done since, so it is asked here.
//   A1  Of an alert that fires unmuted the decision and its reason are those of its incident; one page asks for a bounded number of incidents.
import type { Views } from '../../ports/views.ts';
import type { AlertDocument, IncidentDocument } from '../../readmodel/documents.ts';
import type { ScopeFilter } from '../../readmodel/query.ts';

/** Incidents that one answer asks for; alerts of others are told as they were decided. */
const incidentsMax = 200;
const askedAtOnce = 20;

/** Every alert with what its incident has come to. */
export async function decidedNow(
  views: Pick<Views, 'get'>,
  alerts: readonly AlertDocument[],
  scopes: ScopeFilter,
): Promise<readonly AlertDocument[]> {
  const ids = [...new Set(alerts.flatMap((alert) => (isOvertaken(alert) ? (alert.incident ?? []) : [])))].slice(0, incidentsMax);
  const incidents = new Map<string, IncidentDocument>();
  for (let at = 0; at < ids.length; at += askedAtOnce) {
    const found = await Promise.all(ids.slice(at, at + askedAtOnce).map((id) => views.get('incident', id, scopes)));
    for (const incident of found) if (incident !== null) incidents.set(incident.id, incident);
  }
  return alerts.map((alert) => decidedWith(alert, incidents.get(alert.incident ?? '')));
}

/** A1. */
export function decidedWith(alert: AlertDocument, incident: IncidentDocument | undefined): AlertDocument {
  if (incident === undefined || incident.decision === null || !isOvertaken(alert)) return alert;
  return { ...alert, decision: incident.decision, reason: incident.reason };
}

/** What was decided about it may have become something else since: a page stays one. */
function isOvertaken({ state, muted, soft, decision }: AlertDocument): boolean {
  return state === 'firing' && muted === null && !soft && decision !== 'page';
}
