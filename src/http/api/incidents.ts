// Incidents: list, show with everything that belongs to them, their story, and what people do to them.
import { GatewayError } from '../../core/errors.ts';
import type { IncidentDocument } from '../../readmodel/documents.ts';
import type { HttpDeps } from '../deps.ts';
import { json, object, type Route } from '../route.ts';
import { callersScopes, found, listed, listQuery, param, stillOpen, taken, takenAnswers, type ListQuery } from './view.ts';

const tag = 'incidents';
const membersMax = 200;
const textCharsMax = 2_000;
const via = 'api';

export function incidentRoutes({ store, intake }: HttpDeps): readonly Route[] {
  const { views } = store;

  async function partsOf({ id: incident }: IncidentDocument): Promise<object> {
    const asked = { incident, scopes: callersScopes, limit: membersMax };
    const [alerts, runs, pages] = await Promise.all([
      views.list({ ...asked, kind: 'alert' }),
      views.list({ ...asked, kind: 'run' }),
      views.list({ ...asked, kind: 'page' }),
    ]);
    // A storm has more members than anybody reads.
    return { alerts: alerts.items, alertsMore: alerts.next !== null, runs: runs.items, pages: pages.items };
  }

  const open = async (id: string): Promise<IncidentDocument> => stillOpen('incident', await found(views, 'incident', id));

  return [
    json<ListQuery, null>({
      method: 'get',
      path: '/api/v1/incidents',
      access: 'read',
      tag,
      summary: 'List incidents, open and worst first, without those that a storm speaks for',
      query: object({ ...listQuery, parent: { type: 'string', maxLength: 200, description: 'Only what this storm speaks for' } }),
      answers: { 200: 'A page of incidents.' },
      handle: ({ query }) => listed(views, 'incident', query),
    }),
    json({
      method: 'get',
      path: '/api/v1/incidents/:id',
      access: 'read',
      tag,
      summary: 'Show one incident with its alerts, runs and pages',
      answers: { 200: 'The incident.', 404: 'No such incident.' },
      async handle(call) {
        const incident = await found(views, 'incident', param(call, 'id'));
        return { status: 200, body: { ...incident, ...(await partsOf(incident)) } };
      },
    }),
    json<{ readonly after: number; readonly limit: number }, null>({
      method: 'get',
      path: '/api/v1/incidents/:id/timeline',
      access: 'read',
      tag,
      summary: 'Show the story of an incident, oldest first',
      query: object({
        after: { type: 'integer', minimum: -1, default: -1, description: 'The `next` of the page before' },
        limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 200 },
      }),
      answers: { 200: 'Entries after the given one.', 404: 'No such incident.' },
      async handle(call) {
        const incident = await found(views, 'incident', param(call, 'id'));
        const { after, limit } = call.query;
        const items = await views.timeline({ incident: incident.id, scopes: callersScopes, after, limit });
        return { status: 200, body: { items, next: items.length === limit ? (items.at(-1)?.seq ?? null) : null } };
      },
    }),
    json({
      method: 'post',
      path: '/api/v1/incidents/:id/ack',
      access: 'operate',
      tag,
      summary: 'Acknowledge: somebody has it, stop ringing',
      body: object({}),
      answers: takenAnswers,
      async handle(call) {
        const { scope, id } = await open(param(call, 'id'));
        await intake.submit({ type: 'Acked', scope, incident: id, by: call.actor, via });
        return taken;
      },
    }),
    json<null, { readonly note?: string }>({
      method: 'post',
      path: '/api/v1/incidents/:id/resolve',
      access: 'operate',
      tag,
      summary: 'Resolve by hand',
      body: object({ note: { type: 'string', maxLength: textCharsMax } }),
      answers: takenAnswers,
      async handle(call) {
        const { scope, id } = await open(param(call, 'id'));
        await intake.submit({ type: 'Resolved', scope, incident: id, by: call.actor, via, note: call.body.note ?? '' });
        return taken;
      },
    }),
    json<null, { readonly text: string }>({
      method: 'post',
      path: '/api/v1/incidents/:id/note',
      access: 'operate',
      tag,
      summary: 'Write a remark onto the timeline',
      body: object({ text: { type: 'string', minLength: 1, maxLength: textCharsMax } }, ['text']),
      answers: takenAnswers,
      async handle(call) {
        if (call.body.text.trim() === '') throw new GatewayError('invalid_request', 'body/text must not be blank');
        const { scope, id } = await found(views, 'incident', param(call, 'id'));
        await intake.submit({ type: 'CommandGiven', scope, by: call.actor, command: { name: 'note', incident: id, text: call.body.text } });
        return taken;
      },
    }),
  ];
}
