// Third story: 2,000 alerts at once become one storm incident and one page, and it passes.
import { follow, incidentOf, lookAgain, wholeOnly } from './follow.ts';
import type { IncidentDoc, Items, PageDoc, WholeIncident } from './gateway.ts';
import { GivenUp } from './given-up.ts';
import { filled, payload, timesOf } from './senders.ts';
import type { Ending, Stage } from './stage.ts';

const batches = 20;
const alertsPerBatch = 100;
const alerts = batches * alertsPerBatch;
const listMax = 200;

export async function storm(stage: Stage): Promise<Ending> {
  const { screen } = stage;
  screen.heading(`3. A cluster loses its network: ${grouped(alerts)} alerts at once. One incident, one page.`);
  const beganAt = Date.now();
  await screen.line('sender', `prometheus sends ${batches} batches of ${alertsPerBatch}, firing: PodUnreachable`);
  const passed = stage.undo(async (calm) => void (await blow(calm, beganAt, 'resolved')));
  const tookMs = await blow(stage, beganAt, 'firing');
  const acceptedAt = Date.now();
  const story = follow(stage, await stormOf(stage), wholeOnly);
  await story.until('a decision', 20_000, ({ type }) => type === 'IncidentDecided');
  await screen.line('proof', `${grouped(alerts)} alerts accepted, each durable, in ${grouped(tookMs)} ms`, acceptedAt);
  await story.until('the page; a new incident is watched first', 90_000, ({ type }) => type === 'PageOpened');
  await story.until('its delivery', 60_000, ({ type }) => type === 'NotifyFinished');
  const seen = await count(stage, story.incident, beganAt);
  // What others sent before it may belong to the storm, too: an alert of the reader's own that still fires.
  const early = seen.children.filter(({ openedAt }) => openedAt >= beganAt).length;
  await screen.line(
    'proof',
    `${grouped(seen.inside)} alerts are in it, and ${early} that came before it was known as a storm belong to it`,
  );
  await screen.line(
    'proof',
    `${grouped(seen.inside + early)} alerts: ${1 + early} incidents, 1 of them speaks (${story.incident}), ${seen.pages} page`,
  );
  if (seen.inside + early < alerts || seen.pages !== 1)
    throw new GivenUp(`expected ${alerts} alerts and one page in ${story.incident}, seen ${seen.inside + early} and ${seen.pages}`);

  await screen.line('sender', `prometheus sends ${batches} batches of ${alertsPerBatch}, resolved: PodUnreachable`);
  await blow(stage, beganAt, 'resolved');
  passed();
  await story.until('the end of the page', 30_000, ({ type }) => type === 'PageClosed');
  await allResolved(stage, story.incident);
  return { alerts, incidents: 1 + early, pages: seen.pages, remediated: 0, incident: story.incident };
}

/** Posts all batches of a play, one after the other, and says how long it took. */
export async function blow(stage: Stage, beganAt: number, status: 'firing' | 'resolved'): Promise<number> {
  // The shape of our own file: a notification with one alert in it.
  const { alerts: one, ...envelope } = payload('prometheus-storm') as { readonly alerts: readonly [unknown] };
  const startedAt = performance.now();
  const now = Date.now();
  const ended = status === 'firing' ? '0001-01-01T00:00:00Z' : new Date(now).toISOString();
  // A rule of this play's own: the gateway learns that a storm passed by itself, and would page for the same rule no more.
  const tokens = { play: stage.play, rule: `PodUnreachable_${stage.play.split('-').at(-1)}`, status, ended, ...timesOf(beganAt, now) };
  for (let batch = 0; batch < batches; batch += 1) {
    const numbers = Array.from({ length: alertsPerBatch }, (_, place) => String(batch * alertsPerBatch + place).padStart(4, '0'));
    const members = numbers.map((n) => filled(one[0], { ...tokens, n }));
    await stage.gateway.deliver('prometheus', { ...(filled(envelope, tokens) as object), alerts: members }); // an object like the file's
  }
  return Math.round(performance.now() - startedAt);
}

/** The storm incident, once the newest alert is in it. */
async function stormOf(stage: Stage): Promise<string> {
  const id = await incidentOf(stage, `${stage.play}-${alerts - 1}`);
  const incident = await stage.gateway.get<IncidentDoc>(`/api/v1/incidents/${id}`);
  if (!incident.storm) throw new GivenUp(`expected ${alerts} alerts at once to be a storm, seen ${id}: ${incident.title}`);
  return id;
}

interface Counted {
  readonly inside: number;
  readonly children: readonly IncidentDoc[];
  readonly pages: number;
}

/** Members, the incidents that belong to it, and the pages of any of them. */
async function count(stage: Stage, id: string, beganAt: number): Promise<Counted> {
  const [incident, children, pages] = await Promise.all([
    stage.gateway.get<WholeIncident>(`/api/v1/incidents/${id}`),
    childrenOf(stage, id),
    stage.gateway.get<Items<PageDoc & { readonly at: number }>>(`/api/v1/pages?limit=${listMax}`),
  ]);
  const ours = new Set([id, ...children.map((child) => child.id)]);
  return {
    inside: incident.members,
    children,
    pages: pages.items.filter((page) => page.at >= beganAt && ours.has(page.incident)).length,
  };
}

async function childrenOf(stage: Stage, id: string): Promise<readonly IncidentDoc[]> {
  const { items } = await stage.gateway.get<Items<IncidentDoc>>(
    `/api/v1/incidents?limit=${listMax}&state=open,acknowledged,resolved&parent=${encodeURIComponent(id)}`,
  );
  return items;
}

async function allResolved(stage: Stage, id: string): Promise<void> {
  const endsAt = performance.now() + 20_000;
  for (;;) {
    const children = await childrenOf(stage, id);
    const open = children.filter(({ state }) => state !== 'resolved').length;
    if (open === 0) return stage.screen.line('proof', `the storm and the ${children.length} incidents below it are resolved`);
    await lookAgain(stage, `the end of the incidents below storm ${id}`, endsAt);
  }
}

export function grouped(number: number): string {
  return number.toLocaleString('en-US');
}
