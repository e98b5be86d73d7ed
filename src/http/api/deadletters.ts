// Deliveries that were not understood: look, send through again with today's parser, or let go.
// Who may see one is received.ts: nothing in it names a scope that we could read, so it is its endpoint's tenant's.
import { GatewayError } from '../../core/errors.ts';
import type { DeadLetter } from '../../ports/dead-letters.ts';
import type { DiscardedAnswer, LetterAnswer, LetterDocument, Listed, ReplayedAnswer } from '../../readmodel/answers.ts';
import type { HttpDeps } from '../deps.ts';
import { answer, json, refusal, type Call, type Reply, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { pageQuery } from './filters.ts';
import { endpointsSeen, seesEndpoint } from './received.ts';
import { param } from './view.ts';

const common = { access: 'operate', scope: 'own', line: 'log', tag: 'deadletters' } as const;

export function deadLetterRoutes(deps: HttpDeps): readonly Route[] {
  const { deadLetters } = deps.store;

  async function letterOf(call: Call): Promise<DeadLetter> {
    const id = param(call, 'id');
    const letter = await deadLetters.get(id);
    if (letter === null || !seesEndpoint(deps, letter.endpoint, call.scopes)) {
      throw new GatewayError('not_found', `no dead letter ${id.slice(0, 100)}`);
    }
    return letter;
  }

  return [
    json<{ readonly limit: number; readonly after?: string }, null>({
      ...common,
      method: 'get',
      path: '/api/v1/deadletters',
      summary: 'List deliveries that were not understood, newest first, without their bodies',
      query: object(pageQuery),
      answers: { 200: answer('A page of letters.', 'Letters') },
      async handle({ query, scopes }) {
        const { letters, next } = await deadLetters.list({ ...query, ...endpointsSeen(deps, scopes) });
        const body: Listed<LetterDocument> = { items: letters.map(withoutBody), next };
        return { status: 200, body };
      },
    }),
    json({
      ...common,
      method: 'get',
      path: '/api/v1/deadletters/:id',
      summary: 'Show one letter with its body',
      answers: { 200: answer('The letter.', 'Letter'), 404: refusal('No such letter.') },
      async handle(call) {
        const letter = await letterOf(call);
        const body: LetterAnswer = { ...withoutBody(letter), body: letter.body };
        return { status: 200, body };
      },
    }),
    json({
      ...common,
      method: 'post',
      path: '/api/v1/deadletters/:id/replay',
      summary: 'Parse it again and take in what it says; twice has the effect of once',
      body: object({}),
      answers: {
        202: answer('Durable.', 'Replayed'),
        404: refusal('No such letter.'),
        409: refusal('Still not understood, or discarded.'),
      },
      handle: async (call) => replay(deps, (await letterOf(call)).id),
    }),
    json({
      ...common,
      method: 'post',
      path: '/api/v1/deadletters/:id/discard',
      summary: 'Let it go; it stays to be looked at until newer letters push it out',
      body: object({}),
      answers: { 200: answer('Discarded.', 'Discarded'), 404: refusal('No such letter.'), 409: refusal('It was replayed.') },
      async handle(call) {
        const { id, state } = await letterOf(call);
        if (state === 'replayed') throw new GatewayError('state_conflict', `dead letter ${id} was replayed`);
        await deadLetters.mark(id, 'discarded');
        const body: DiscardedAnswer = { status: 'discarded' };
        return { status: 200, body };
      },
    }),
  ];
}

async function replay({ intake }: HttpDeps, id: string): Promise<Reply> {
  const result = await intake.replay(id);
  switch (result.status) {
    case 'accepted': {
      const { alerts, warnings } = result;
      const body: ReplayedAnswer = { status: 'accepted', alerts, warnings };
      return { status: 202, body };
    }
    case 'refused':
      throw new GatewayError('state_conflict', `still not understood: ${result.failure.message}`);
    case 'busy':
      throw new GatewayError('overloaded', result.why);
  }
}

function withoutBody({ body, ...rest }: DeadLetter): LetterDocument {
  return { ...rest, bodyChars: body.length };
}
