// Runs of playbooks, the approvals that they wait for, and the pages that were sent.
import { GatewayError } from '../../core/errors.ts';
import type { Input } from '../../core/records.ts';
import type { OutputAnswer } from '../../readmodel/answers.ts';
import type { ViewQuery } from '../../readmodel/query.ts';
import type { RunDocument } from '../../readmodel/documents.ts';
import type { HttpDeps } from '../deps.ts';
import { lookBriefly } from '../door/looking.ts';
import { answer, json, refusal, type Call, type Route } from '../route.ts';
import { object, type Schema } from '../schema.ts';
import {
  approvalListQuery,
  approvalsAsked,
  pageListQuery,
  pagesAsked,
  runListQuery,
  runsAsked,
  type ApprovalListQuery,
  type ListQuery,
  type PageListQuery,
  type RunListQuery,
} from './filters.ts';
import { found, page, stillOpen, taken, takenAnswers } from './view.ts';

const note = { type: 'string', maxLength: 2_000 } as const;
const via = 'api';
/** In whose name an approval ends that nobody answered, or whose yes came to nothing (core/run/approval.ts). */
const withdrawer = 'quench';

export function runRoutes(deps: HttpDeps): readonly Route[] {
  return [
    outputRoute(deps),
    ...reading<'run', RunListQuery>(deps, { kind: 'run', noun: 'runs', component: 'Run', query: runListQuery, asked: runsAsked }),
    ...reading<'approval', ApprovalListQuery>(deps, {
      kind: 'approval',
      noun: 'approvals',
      component: 'Approval',
      query: approvalListQuery,
      asked: approvalsAsked,
    }),
    ...reading<'page', PageListQuery>(deps, { kind: 'page', noun: 'pages', component: 'Page', query: pageListQuery, asked: pagesAsked }),
    ...commandRoutes(deps),
  ];
}

interface Noun<Kind extends 'run' | 'approval' | 'page', Query extends ListQuery> {
  readonly kind: Kind;
  readonly noun: string;
  readonly component: string;
  readonly query: { readonly [name: string]: Schema };
  readonly asked: (call: Call<Query, null>) => ViewQuery<Kind>;
}

function reading<Kind extends 'run' | 'approval' | 'page', Query extends ListQuery>(
  { store: { views } }: HttpDeps,
  { kind, noun, component, query, asked }: Noun<Kind, Query>,
): readonly Route[] {
  return [
    json<Query, null>({
      method: 'get',
      path: `/api/v1/${noun}`,
      access: 'read',
      scope: 'own',
      tag: noun,
      summary: `List ${noun}, newest first`,
      query: object(query),
      answers: { 200: answer(`A page of ${noun}.`, `${component}s`) },
      handle: (call) => page(views, asked(call)),
    }),
    json({
      method: 'get',
      path: `/api/v1/${noun}/:id`,
      access: 'read',
      scope: 'own',
      tag: noun,
      summary: `Show one of the ${noun}`,
      answers: { 200: answer(`The ${kind}.`, component), 404: refusal(`No such ${kind}.`) },
      handle: async (call) => ({ status: 200, body: await found(views, kind, call) }),
    }),
  ];
}

/** The answer lies on the log as it came in, for as long as inputs are kept. */
function outputRoute({ store: { views, log } }: HttpDeps): Route {
  return json<{ readonly call: string }, null>({
    method: 'get',
    path: '/api/v1/runs/:id/output',
    access: 'read',
    line: 'log',
    scope: 'own',
    tag: 'runs',
    summary: 'Show the whole output of one call of a run',
    query: object({ call: { type: 'string', default: '', maxLength: 300, description: 'As the run names it: `steps/restart/1`' } }),
    answers: {
      200: answer('What it gave.', 'Output'),
      404: refusal('No such run, no such call, or it gave nothing or is no longer kept.'),
    },
    async handle(call) {
      const { id: run, steps } = await found(views, 'run', call);
      const { call: name } = call.query;
      if (name === '')
        throw new GatewayError(
          'invalid_request',
          `query/call: expected one of ${Object.keys(steps).slice(0, 20).join(', ') || 'its calls'}`,
        );
      const place = Object.hasOwn(steps, name) ? (steps[name]?.input ?? '') : '';
      const [, partition, offset] = /^(\d{1,6}):(\d{1,15})$/.exec(place) ?? [];
      const [record] = offset === undefined ? [] : await log.read('inputs', Number(partition), Number(offset), 1);
      const input = record?.offset === Number(offset) ? (record?.value as Input | undefined) : undefined; // written by intake only
      if (input?.type !== 'StepAnswered' || input.run !== run || input.call !== name)
        throw new GatewayError('not_found', `no output of ${name.slice(0, 100)} in run ${run}: it gave none, or is no longer kept`);
      const { outcome } = input;
      const body: OutputAnswer = {
        run,
        call: name,
        outcome: outcome.outcome,
        detail: outcome.outcome === 'ok' ? null : outcome.detail,
        output: outcome.outcome === 'unknown' ? {} : outcome.output,
      };
      return { status: 200, body };
    },
  });
}

/** What became of a run that no longer waits for a person, for whoever comes too late; null while it waits. */
export function decided({ id, state, mode, approvedBy, end, reason }: RunDocument): string | null {
  if (state === 'waiting') return null;
  const ended = state === 'ended' ? `${end ?? 'ended'}${reason === null ? '' : `: ${reason}`}` : '';
  if (approvedBy !== null)
    return `run ${id} was approved by ${approvedBy}${ended === '' ? ', and is at work' : `, and has ended ${ended}`}`;
  if (ended !== '') return `run ${id} has ended ${ended}`;
  return `run ${id} does not wait for approval${mode === 'approve' ? ' yet: it is still looking' : `: its playbook is in mode ${mode ?? 'unknown'}`}`;
}

/**
 * What came of an approval that two persons answered at once, for the one who was second; null when it was this word, or is not shown soon.
 * A yes that came to nothing, for what it was given to has changed, is told so as well.
 */
async function overruled(
  deps: HttpDeps,
  run: RunDocument,
  word: { readonly approved: boolean; readonly by: string },
): Promise<string | null> {
  const given = await lookBriefly(deps, async () => {
    const approval = await deps.store.views.get('approval', run.id, [run.scope]).catch(() => null); // the word is kept already
    return approval?.state === 'ended' ? approval : null;
  });
  if (given === null || (given.approved === word.approved && given.by === word.by)) return null;
  const added = given.note === null || given.note === '' ? '' : `: ${given.note}`;
  if (given.by === withdrawer) return `run ${run.id} no longer waits${added}`;
  return `run ${run.id} was ${given.approved === true ? 'approved' : 'denied'} by ${given.by ?? 'somebody'}${added}`;
}

function commandRoutes(deps: HttpDeps): readonly Route[] {
  const {
    store: { views },
    intake,
  } = deps;
  const open = async (call: Call): Promise<RunDocument> => stillOpen('run', await found(views, 'run', call));
  /** Hands a person's word in. One that comes too late is kept for the timeline while the run works, and refused with who was first. */
  const say = async (call: Call, word: { readonly type: 'Approved' } | { readonly type: 'Denied'; readonly note: string }) => {
    const run = await found(views, 'run', call);
    const late = decided(run);
    if (run.state !== 'ended') await intake.submit({ ...word, scope: run.scope, run: run.id, by: call.actor, via });
    const why = late ?? (await overruled(deps, run, { approved: word.type === 'Approved', by: call.actor }));
    if (why !== null) throw new GatewayError('state_conflict', why);
    return taken;
  };
  const common = { method: 'post', access: 'operate', scope: 'own', tag: 'runs', answers: takenAnswers } as const;

  return [
    json({
      ...common,
      path: '/api/v1/runs/:id/approve',
      summary: 'Allow a run that waits for approval',
      body: object({}),
      handle: (call) => say(call, { type: 'Approved' }),
    }),
    json<null, { readonly note?: string }>({
      ...common,
      path: '/api/v1/runs/:id/deny',
      summary: 'Refuse a run that waits for approval; whoever refuses it has the incident',
      body: object({ note }),
      handle: (call) => say(call, { type: 'Denied', note: call.body.note ?? '' }),
    }),
    json({
      ...common,
      path: '/api/v1/runs/:id/cancel',
      summary: 'Stop a run; what it has done stays done',
      body: object({}),
      async handle(call) {
        const { scope, id } = await open(call);
        await intake.submit({ type: 'CommandGiven', scope, by: call.actor, command: { name: 'cancel', run: id } });
        return taken;
      },
    }),
  ];
}
