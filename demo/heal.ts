// First story: a service is killed, three tools report it, one incident, one playbook, and nobody is paged.
import type { Checkout } from './checkout.ts';
import { follow, incidentOf, lookAgain, wholeStory } from './follow.ts';
import type { Items, WholeIncident } from './gateway.ts';
import { GivenUp } from './given-up.ts';
import { report } from './senders.ts';
import type { Ending, Stage } from './stage.ts';

export async function heal(stage: Stage, checkout: Checkout): Promise<Ending> {
  const { screen, gateway } = stage;
  screen.heading('1. A service dies. Three tools report it, a playbook restarts it, nobody is woken.');
  const stopped = stage.undo(async (calm) => {
    await atRest(calm);
    await checkout.stop();
  });
  const before = await checkout.start();
  await screen.line('demo', `checkout answers on ${checkout.address} as pid ${before}`);
  const beganAt = Date.now();
  const why = await checkout.kill(before);
  await screen.line('demo', `kill -9 ${before}: now it says ${why}`);

  const cleared = stage.undo((calm) => recover(calm, beganAt));
  await report(stage, 'nagios', 'nagios-problem', beganAt, 'PROBLEM: service checkout on shop-1 is CRITICAL');
  const story = follow(stage, await incidentOf(stage, stage.play), wholeStory);
  await story.until('a decision', 10_000, ({ type }) => type === 'IncidentDecided');
  await report(stage, 'prometheus', 'prometheus-firing', beganAt, 'firing: CheckoutDown (by Alertmanager)');
  const began = await story.until('the playbook', 10_000, ({ type }) => type === 'RunStarted' || type === 'RunRefused');
  if (began.type === 'RunRefused') throw new GivenUp(`expected the playbook to run, seen "${began.text}"; try again later`);
  await report(stage, 'zabbix', 'zabbix-problem', beganAt, 'PROBLEM: Port 18080 of checkout is closed');
  const ran = await story.until('the end of the playbook', 60_000, ({ type }) => type === 'RunFinished' || type === 'PageOpened');
  if (ran.detail['end'] !== 'succeeded') throw new GivenUp(`expected the playbook to succeed, seen "${ran.text}" in ${story.incident}`);
  const after = await checkout.health();
  if (after.is !== 'up' || after.pid === before) throw new GivenUp(`expected checkout to answer under a new pid, seen it ${after.is}`);
  await screen.line('proof', `checkout answers again, as pid ${after.pid}: the restart was real`);

  await recover(stage, beganAt);
  cleared();
  await story.until('the resolution', 20_000, ({ type }) => type === 'IncidentResolved');
  const incident = await gateway.get<WholeIncident>(`/api/v1/incidents/${story.incident}`);
  const sources = [...new Set(incident.alerts.map(({ source }) => source))];
  if (incident.pages.length > 0 || incident.resolvedBy !== 'playbook' || sources.length !== 3)
    throw new GivenUp(
      `expected ${incident.id} resolved by a playbook, from three tools, without a page; seen it resolved by ${incident.resolvedBy ?? 'nobody'}, from ${sources.join(', ')}, with ${incident.pages.length} pages`,
    );
  await screen.line('proof', `${incident.members} alerts from ${sources.sort().join(', ')}: 1 incident (${incident.id}), 0 pages`);
  await checkout.stop();
  stopped();
  return { alerts: incident.members, incidents: 1, pages: 0, remediated: 1, incident: incident.id };
}

/** A restart that is under way would start the service again behind our back. */
async function atRest(stage: Stage): Promise<void> {
  const endsAt = performance.now() + 20_000;
  for (;;) {
    const { items } = await stage.gateway.get<Items<{ readonly target: string }>>('/api/v1/runs?state=working');
    if (!items.some(({ target }) => target === 'process/checkout')) return;
    await lookAgain(stage, 'the end of the restart', endsAt);
  }
}

/** The tools see the service well again and say so. */
async function recover(stage: Stage, beganAt: number): Promise<void> {
  await report(stage, 'nagios', 'nagios-recovery', beganAt, 'RECOVERY: service checkout on shop-1 is OK');
  await report(stage, 'prometheus', 'prometheus-resolved', beganAt, 'resolved: CheckoutDown (by Alertmanager)');
  await report(stage, 'zabbix', 'zabbix-recovery', beganAt, 'RESOLVED: Port 18080 of checkout is closed');
}
