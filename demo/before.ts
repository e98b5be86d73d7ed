// What an earlier play may have left, so that this one begins in quiet: open incidents of a play that was killed, and the memory of a storm.
import { lookAgain } from './follow.ts';
import type { AlertDoc, IncidentDoc, Items, WholeIncident } from './gateway.ts';
import type { Stage } from './stage.ts';
import { blow } from './storm.ts';

const listMax = 200;
/** How long the gateway counts a new alert towards a storm: `storm.within` of quench.yaml. */
const countedMs = 60_000;

/** New alerts of the same service would join what a killed play left open. */
export async function clearLeftBehind(stage: Stage): Promise<void> {
  const left = await stage.gateway.get<Items<AlertDoc>>(`/api/v1/alerts?state=firing&limit=${listMax}&text=quench-demo-`);
  const first = new Map(left.items.map((alert) => [alert.incident ?? '', alert]));
  for (const [id, alert] of first) {
    if (id === '') continue;
    const incident = await stage.gateway.get<IncidentDoc>(`/api/v1/incidents/${id}`);
    if (incident.state === 'resolved' || incident.parent !== undefined) continue;
    stage.screen.text(`ends ${id}, which an earlier play left open: ${incident.title}`);
    // Resolved by hand, a storm would give the word back to each incident below it.
    const play = /quench-demo-[a-z0-9]+/.exec(alert.summary)?.[0];
    if (incident.storm && play !== undefined) await blow({ ...stage, play }, alert.startedAt, 'resolved');
    else await stage.gateway.post(`/api/v1/incidents/${id}/resolve`, { note: 'left open by an earlier play of the demo' });
  }
}

/** An earlier play's storm counts for a minute: whatever comes meanwhile would be taken for a part of one. */
export async function afterTheLastStorm(stage: Stage): Promise<void> {
  const { items } = await stage.gateway.get<Items<IncidentDoc>>(
    `/api/v1/incidents?state=open,acknowledged,resolved&sort=newest&limit=${listMax}`,
  );
  const last = items.find((incident) => incident.storm);
  if (last === undefined) return;
  const { alerts } = await stage.gateway.get<WholeIncident>(`/api/v1/incidents/${last.id}`);
  const newest = Math.max(...alerts.map(({ startedAt }) => startedAt));
  const endsAt = performance.now() + newest + countedMs + 2_000 - Date.now();
  if (endsAt < performance.now()) return;
  stage.screen.text(`the last storm (${last.id}) counts for a minute, and the stories want a quiet beginning:`);
  while (endsAt - performance.now() > 300) await lookAgain(stage, 'the end of that minute', endsAt);
}
