// Incidents: list, show with everything that belongs to them, their story, and what people do to them.
//   N1  Who takes what another has just taken is told who has it, and who gives back what nobody has is told so: for a moment both look at what the
//       read model shows. Where it shows nothing by then the word is kept, and the desk decides.
import { GatewayError } from '../../core/errors.ts';
import { sinceOf } from '../../core/time.ts';
import type { IncidentAnswer, TimelineAnswer } from '../../readmodel/answers.ts';
import type { IncidentDocument } from '../../readmodel/documents.ts';
import type { HttpDeps } from '../deps.ts';
import { standingOf, type Standing } from '../door/ack.ts';
import { lookBriefly } from '../door/looking.ts';
import { answer, json, refusal, type Call, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { listIncidents } from './incident-list.ts';
import { incidentListQuery, incidentsAsked, type IncidentListQuery } from './filters.ts';
import { decidedWith } from './alerts-now.ts';
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
    const decided = alerts.items.map((alert) => decidedWith(alert, incident));
    return { ...incident, alerts: decided, alertsMore: alerts.next !== null, runs: runs.items, pages: pages.items, nested };
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

interface Word {
  readonly incident: string;
  readonly scope: string;
  readonly by: string;
}

/** Refuses to take silently nothing: another person has it. Whoever has it may say so again; what rings again is anybody's. */
function refuseTaken(deps: HttpDeps, { incident: id, by: actor }: Word, standing: Standing): void {
  if (standing.is !== 'taken') return;
  const { acknowledgedBy: by, acknowledgedAt: at, sources } = standing.incident;
  // A person takes over from a source without a word, for its acknowledgement covers less.
  if (by === null || by === actor || sources.includes(by)) return;
  const since = at === null ? '' : ` ${sinceOf(at, deps.clock.now())}`;
  throw new GatewayError('state_conflict', `incident ${id} is taken by ${by}${since}: send over (--over) to take it over`);
}

/** N1: of two who take one incident at once, the second is told of the first. */
async function refuseSecond(deps: HttpDeps, word: Word): Promise<void> {
  const shown = await lookBriefly(deps, async () => {
    const standing = await standingOf(deps, word);
    if (standing.is === 'over') return standing;
    if (standing.is !== 'taken') return null;
    const { acknowledgedBy: by, sources } = standing.incident;
    return by !== null && by !== word.by && sources.includes(by) ? null : standing; // a source has it until our word is shown
  });
  if (shown !== null) refuseTaken(deps, word, shown);
}

/** N1: an incident that was taken a moment ago may be shown as open for another. */
async function refuseUntaken(deps: HttpDeps, { state, id, scope }: IncidentDocument): Promise<void> {
  if (state === 'acknowledged') return;
  const isTaken = await lookBriefly(deps, async () => {
    const now = await deps.store.views.get('incident', id, [scope]);
    return now?.state === 'acknowledged' ? true : null;
  });
  if (isTaken === null) throw new GatewayError('state_conflict', `incident ${id} is open: nobody has it, so nobody can give it back`);
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
        const word: Word = { incident: id, scope, by: call.actor };
        if (call.body.over === true) {
          await intake.submit({ type: 'Acked', ...word, via, over: true });
          return taken;
        }
        refuseTaken(deps, word, await standingOf(deps, word));
        await intake.submit({ type: 'Acked', ...word, via });
        await refuseSecond(deps, word);
        return taken;
      },
    }),
    json<null, { readonly note?: string }>({
      ...common,
      path: '/api/v1/incidents/:id/unack',
      summary: 'Give back: nobody has it any more, ring again',
      body: object({ note: { type: 'string', maxLength: textCharsMax } }),
      async handle(call) {
        const incident = await open(call);
        await refuseUntaken(deps, incident);
        const { scope, id } = incident;
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
