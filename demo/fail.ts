// Second story: the playbook cannot help, so a person is paged with the reason, acknowledges and resolves.
import { follow, incidentOf, wholeStory } from './follow.ts';
import type { PageDoc, WholeIncident } from './gateway.ts';
import { GivenUp } from './given-up.ts';
import { report } from './senders.ts';
import type { Ending, Stage } from './stage.ts';

export async function fail(stage: Stage): Promise<Ending> {
  const { screen, gateway } = stage;
  screen.heading('2. Another service is down for good. The playbook fails, so a person is paged, with the reason.');
  const beganAt = Date.now();
  const close = (on: Stage): Promise<void> => report(on, 'newrelic', 'newrelic-closed', beganAt, 'CLOSED: payments answers again');
  const cleared = stage.undo(close);
  await report(stage, 'newrelic', 'newrelic-activated', beganAt, 'ACTIVATED: payments answers no request');
  const story = follow(stage, await incidentOf(stage, `${stage.play}-payments`), wholeStory);
  await story.until('the end of the playbook', 60_000, ({ type }) => type === 'RunFinished' || type === 'RunRefused');
  await story.until('the page; a new incident is watched first', 90_000, ({ type }) => type === 'PageOpened');
  await story.until('its delivery', 60_000, ({ type }) => type === 'NotifyFinished');

  const { pages } = await gateway.get<WholeIncident>(`/api/v1/incidents/${story.incident}`);
  const [page] = pages;
  if (page === undefined || pages.length !== 1) throw new GivenUp(`expected one page for ${story.incident}, seen ${pages.length}`);
  const rung = await gateway.get<PageDoc>(`/api/v1/pages/${page.id}`);
  await screen.line('proof', `the page is in the terminal of the gateway; GET /api/v1/pages/${page.id} says:`);
  await screen.line('page', `${rung.state}: ${rung.title}`);
  await screen.line('page', `because ${rung.reason}`);

  await screen.line('demo', `POST /api/v1/incidents/${story.incident}/ack: somebody has it, it rings no more`);
  await gateway.post(`/api/v1/incidents/${story.incident}/ack`, {});
  await story.until('the acknowledgement', 10_000, ({ type }) => type === 'IncidentAcknowledged');
  await screen.line('demo', `POST /api/v1/incidents/${story.incident}/resolve: the last release was rolled back`);
  await gateway.post(`/api/v1/incidents/${story.incident}/resolve`, { note: 'the last release was rolled back' });
  await story.until('the end of the page', 20_000, ({ type }) => type === 'PageClosed');
  await close(stage);
  cleared();
  await story.until('the last alert', 20_000, ({ type }) => type === 'AlertMerged');
  return { alerts: 1, incidents: 1, pages: 1, remediated: 0, incident: story.incident };
}
