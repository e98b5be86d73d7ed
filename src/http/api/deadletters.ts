// Deliveries that were not understood: look, send through again with today's parser, or let go.
import { GatewayError } from '../../core/errors.ts';
import type { DeadLetter } from '../../ports/dead-letters.ts';
import type { HttpDeps } from '../deps.ts';
import { json, object, type Reply, type Route } from '../route.ts';
import { listQuery, param } from './view.ts';

const tag = 'deadletters';

export function deadLetterRoutes({ store, intake }: HttpDeps): readonly Route[] {
  const { deadLetters } = store;

  async function letter(id: string): Promise<DeadLetter> {
    const held = await deadLetters.get(id);
    if (held === null) throw new GatewayError('not_found', `no dead letter ${id.slice(0, 100)}`);
    return held;
  }

  async function replay(id: string): Promise<Reply> {
    const result = await intake.replay(id);
    switch (result.status) {
      case 'accepted':
        return { status: 202, body: { status: 'accepted', alerts: result.alerts, warnings: result.warnings } };
      case 'refused':
        throw new GatewayError('state_conflict', `still not understood: ${result.failure.message}`);
      case 'busy':
        throw new GatewayError('overloaded', result.why);
    }
  }

  return [
    json<{ readonly limit: number; readonly after?: string }, null>({
      method: 'get',
      path: '/api/v1/deadletters',
      access: 'operate',
      tag,
      summary: 'List deliveries that were not understood, newest first, without their bodies',
      query: object({ limit: listQuery.limit, after: listQuery.after }),
      answers: { 200: 'A page of letters.' },
      async handle({ query }) {
        const page = await deadLetters.list(query);
        return { status: 200, body: { items: page.letters.map(withoutBody), next: page.next } };
      },
    }),
    json({
      method: 'get',
      path: '/api/v1/deadletters/:id',
      access: 'operate',
      tag,
      summary: 'Show one letter with its body',
      answers: { 200: 'The letter.', 404: 'No such letter.' },
      handle: async (call) => ({ status: 200, body: await letter(param(call, 'id')) }),
    }),
    json({
      method: 'post',
      path: '/api/v1/deadletters/:id/replay',
      access: 'operate',
      tag,
      summary: 'Parse it again and take in what it says; twice has the effect of once',
      body: object({}),
      answers: { 202: 'Durable.', 404: 'No such letter.', 409: 'Still not understood, or discarded.' },
      handle: (call) => replay(param(call, 'id')),
    }),
    json({
      method: 'post',
      path: '/api/v1/deadletters/:id/discard',
      access: 'operate',
      tag,
      summary: 'Let it go; it stays to be looked at until newer letters push it out',
      body: object({}),
      answers: { 200: 'Discarded.', 404: 'No such letter.', 409: 'It was replayed.' },
      async handle(call) {
        const held = await letter(param(call, 'id'));
        if (held.state === 'replayed') throw new GatewayError('state_conflict', `dead letter ${held.id} was replayed`);
        await deadLetters.mark(held.id, 'discarded');
        return { status: 200, body: { status: 'discarded' } };
      },
    }),
  ];
}

function withoutBody({ body, ...rest }: DeadLetter): object {
  return { ...rest, bodyChars: body.length };
}
