// Runs of playbooks, the approvals that they wait for, and the pages that were sent.
import type { DocumentKind } from '../../readmodel/documents.ts';
import type { HttpDeps } from '../deps.ts';
import { json, object, type Route } from '../route.ts';
import { found, listed, listQuery, param, stillOpen, taken, takenAnswers, type ListQuery } from './view.ts';

const note = { type: 'string', maxLength: 2_000 } as const;
const via = 'api';

export function runRoutes({ store, intake }: HttpDeps): readonly Route[] {
  const { views } = store;

  function reading(kind: DocumentKind, noun: string): readonly Route[] {
    return [
      json<ListQuery, null>({
        method: 'get',
        path: `/api/v1/${noun}`,
        access: 'read',
        tag: noun,
        summary: `List ${noun}, newest first`,
        query: object(listQuery),
        answers: { 200: `A page of ${noun}.` },
        handle: ({ query }) => listed(views, kind, query),
      }),
      json({
        method: 'get',
        path: `/api/v1/${noun}/:id`,
        access: 'read',
        tag: noun,
        summary: `Show one of the ${noun}`,
        answers: { 200: `The ${kind}.`, 404: `No such ${kind}.` },
        handle: async (call) => ({ status: 200, body: await found(views, kind, param(call, 'id')) }),
      }),
    ];
  }

  const open = async (id: string): Promise<{ readonly scope: string; readonly run: string }> => {
    const { scope, id: run } = stillOpen('run', await found(views, 'run', id));
    return { scope, run };
  };

  return [
    ...reading('run', 'runs'),
    ...reading('approval', 'approvals'),
    ...reading('page', 'pages'),
    json({
      method: 'post',
      path: '/api/v1/runs/:id/approve',
      access: 'operate',
      tag: 'runs',
      summary: 'Allow a run that waits for approval',
      body: object({}),
      answers: takenAnswers,
      async handle(call) {
        await intake.submit({ type: 'Approved', ...(await open(param(call, 'id'))), by: call.actor, via });
        return taken;
      },
    }),
    json<null, { readonly note?: string }>({
      method: 'post',
      path: '/api/v1/runs/:id/deny',
      access: 'operate',
      tag: 'runs',
      summary: 'Refuse a run that waits for approval; a person is paged instead',
      body: object({ note }),
      answers: takenAnswers,
      async handle(call) {
        await intake.submit({ type: 'Denied', ...(await open(param(call, 'id'))), by: call.actor, via, note: call.body.note ?? '' });
        return taken;
      },
    }),
    json({
      method: 'post',
      path: '/api/v1/runs/:id/cancel',
      access: 'operate',
      tag: 'runs',
      summary: 'Stop a run; what it has done stays done',
      body: object({}),
      answers: takenAnswers,
      async handle(call) {
        const { scope, run } = await open(param(call, 'id'));
        await intake.submit({ type: 'CommandGiven', scope, by: call.actor, command: { name: 'cancel', run } });
        return taken;
      },
    }),
  ];
}
