// Incidents: list, show with everything that belongs to them, their story, and what people do to them.
import { GatewayError } from '../../core/errors.ts';
import { sinceOf } from '../../core/time.ts';
import type { IncidentAnswer, TimelineAnswer } from '../../readmodel/answers.ts';
import type { IncidentDocument } from '../../readmodel/documents.ts';
import type { HttpDeps } from '../deps.ts';
import { standingOf } from '../door/ack.ts';
import { answer, json, refusal, type Call, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { listIncidents } from './incident-list.ts';
import { incidentListQuery, incidentsAsked, type IncidentListQuery } from './filters.ts';
import { found, stillOpen, taken, takenAnswers } from './view.ts';

const tag = 'incidents';
const partsMax = 200;
const nestedMax = 50;
const textCharsMax = 2_000;
const via = 'api';

export function incidentRoutes(deps: HttpDeps): readonly Route[] {
  return [...readingRoutes(deps), ...commandRoutes(deps)];
}

function readingRoutes({ store: { views } }: HttpDeps): readonly Route[] {
  async function withParts(incident: IncidentDocument, scopes: Call['scopes']): Promise<IncidentAnswer> {
    const of = { scopes, incident: incident.id, limit: partsMax };
    const [alerts, runs, pages, nested] = await Promise.all([
      views.list({ kind: 'alert', ...of }),
      views.list({ kind: 'run', ...of }),
      views.list({ kind: 'page', ...of }),
      incident.storm ? views.list({ kind: 'incident', scopes, parent: incident.id, limit: nestedMax }) : { items: [], next: null },
    ]);
    // A storm has more members than anybody reads.
    return { ...incident, alerts: alerts.items, alertsMore: alerts.next !== null, runs: runs.items, pages: pages.items, nested };
  }

  return [
    json<IncidentListQuery, null>({
      method: 'get',
      path: '/api/v1/incidents',
      access: 'read',
      scope: 'own',
      tag,
      summary: 'List incidents that are not resolved, the worst first',
      query: object(incidentListQuery),
      answers: { 200: answer('A page of incidents.', 'Incidents') },
      handle: async (call) => ({ status: 200, body: await listIncidents(views, incidentsAsked(call)) }),
    }),
    json({
      method: 'get',
      path: '/api/v1/incidents/:id',
      access: 'read',
      scope: 'own',
      tag,
      summary: 'Show one incident with its alerts, runs and pages, and what a storm speaks for',
      answers: { 200: answer('The incident.', 'IncidentWithParts'), 404: refusal('No such incident.') },
      handle: async (call) => ({ status: 200, body: await withParts(await found(views, 'incident', call), call.scopes) }),
    }),
    json<{ readonly after: number; readonly limit: number }, null>({
      method: 'get',
      path: '/api/v1/incidents/:id/timeline',
      access: 'read',
      scope: 'own',
      tag,
      summary: 'Show the story of an incident, oldest first',
      query: object({
        after: { type: 'integer', minimum: -1, default: -1, description: 'The `next` of the page before' },
        limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 200 },
      }),
      answers: { 200: answer('Entries after the given one.', 'Timeline'), 404: refusal('No such incident.') },
      async handle(call) {
        const { after, limit } = call.query;
        const incident = await found(views, 'incident', call);
        const items = await views.timeline({ incident: incident.id, scopes: call.scopes, after, limit });
        const body: TimelineAnswer = { items, next: items.length === limit ? (items.at(-1)?.seq ?? null) : null };
        return { status: 200, body };
      },
    }),
  ];
}

/** Refuses to take silently nothing: another person has it. Whoever has it may say so again; what rings again is anybody's. */
async function untaken(deps: HttpDeps, of: { readonly incident: string; readonly scope: string }, actor: string): Promise<void> {
  const standing = await standingOf(deps, of);
  if (standing.is !== 'taken') return;
  const { acknowledgedBy: by, acknowledgedAt: at, sources } = standing.incident;
  // A person takes over from a source without a word, for its acknowledgement covers less.
  if (by === null || by === actor || sources.includes(by)) return;
  const since = at === null ? '' : ` ${sinceOf(at, deps.clock.now())}`;
  throw new GatewayError('state_conflict', `incident ${of.incident} is taken by ${by}${since}: send over (--over) to take it over`);
}

function commandRoutes(deps: HttpDeps): readonly Route[] {
  const {
    store: { views },
    intake,
  } = deps;
  const open = async (call: Call): Promise<IncidentDocument> => stillOpen('incident', await found(views, 'incident', call));
  const common = { method: 'post', access: 'operate', scope: 'own', tag, answers: takenAnswers } as const;

  return [
    json<null, { readonly over?: boolean }>({
      ...common,
      path: '/api/v1/incidents/:id/ack',
      summary: 'Acknowledge: somebody has it, stop ringing',
      body: object({ over: { type: 'boolean', default: false, description: 'Take it over from whoever has it' } }),
      async handle(call) {
        const { scope, id } = await open(call);
        const over = call.body.over === true ? { over: true as const } : {};
        if (call.body.over !== true) await untaken(deps, { incident: id, scope }, call.actor);
        await intake.submit({ type: 'Acked', scope, incident: id, by: call.actor, via, ...over });
        return taken;
      },
    }),
    json<null, { readonly note?: string }>({
      ...common,
      path: '/api/v1/incidents/:id/unack',
      summary: 'Give back: nobody has it any more, ring again',
      body: object({ note: { type: 'string', maxLength: textCharsMax } }),
      async handle(call) {
        const { scope, id } = await open(call);
        await intake.submit({ type: 'Unacked', scope, incident: id, by: call.actor, via, note: call.body.note ?? '' });
        return taken;
      },
    }),
    json<null, { readonly note?: string; readonly force?: boolean }>({
      ...common,
      path: '/api/v1/incidents/:id/resolve',
      summary: 'Resolve by hand; what still fires reopens it after a while, unless forced',
      body: object({
        note: { type: 'string', maxLength: textCharsMax },
        force: { type: 'boolean', description: 'It comes back only when it is worse, or has cleared and fires again' },
      }),
      async handle(call) {
        const { scope, id } = await open(call);
        const force = call.body.force === true;
        await intake.submit({
          type: 'Resolved',
          scope,
          incident: id,
          by: call.actor,
          via,
          note: call.body.note ?? '',
          ...(force ? { force } : {}),
        });
        return taken;
      },
    }),
    json<null, { readonly text: string }>({
      ...common,
      path: '/api/v1/incidents/:id/note',
      summary: 'Write a remark onto the timeline',
      body: object({ text: { type: 'string', minLength: 1, maxLength: textCharsMax } }, ['text']),
      async handle(call) {
        if (call.body.text.trim() === '') throw new GatewayError('invalid_request', 'body/text must not be blank');
        const { scope, id } = await found(views, 'incident', call);
        await intake.submit({ type: 'CommandGiven', scope, by: call.actor, command: { name: 'note', incident: id, text: call.body.text } });
        return taken;
      },
    }),
  ];
}
