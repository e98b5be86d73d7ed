// Silences: made with a look at what they mute now, always with an end, ended early by DELETE.
import { hash } from 'node:crypto';
import { scopeMeant } from '../../access/scopes.ts';
import type { Matcher } from '../../core/alert/labels.ts';
import type { Silence } from '../../core/mute/facts.ts';
import type { PreviewAnswer, SilenceAcceptedAnswer } from '../../readmodel/answers.ts';
import type { AlertDocument } from '../../readmodel/documents.ts';
import type { HttpDeps } from '../deps.ts';
import { answer, json, refusal, type Call, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { listQuery, silencesAsked, type ListQuery } from './filters.ts';
import { alikeIn } from './alike.ts';
import { firingThat } from './matching.ts';
import { refuseBadSpan, refuseTooMany, refuseTooWide, silenceIn } from './silence-rules.ts';
import { documentOf, found, page, stillOpen, taken, takenAnswers } from './view.ts';

const tag = 'silences';
/** The preview looks at all that fires, and shows so many of the matching ones. */
const previewShown = 100;
const nearShown = 20;

interface Wanted {
  readonly scope?: string;
  readonly matchers: readonly Matcher[];
}

interface NewSilence extends Wanted {
  readonly id?: string;
  readonly startsAt?: number;
  readonly endsAt: number;
  readonly untilResolved?: boolean;
  readonly comment: string;
}

const wanted = {
  scope: {
    type: 'string',
    maxLength: 200,
    pattern: '^[^\\s|*]+$',
    description: 'Scope whose alerts are meant; by default the gateway’s own, or the only one of the token',
  },
  matchers: {
    type: 'array',
    minItems: 1,
    maxItems: 20,
    items: object(
      {
        name: { type: 'string', minLength: 1, maxLength: 128 },
        op: { type: 'string', enum: ['=', '!=', '=~', '!~'] },
        value: { type: 'string', maxLength: 4_096 },
      },
      ['name', 'op', 'value'],
    ),
  },
} as const;
const instant = { type: 'integer', minimum: 0, maximum: 8_640_000_000_000_000, description: 'Milliseconds since 1970, UTC' } as const;

export function silenceRoutes(deps: HttpDeps): readonly Route[] {
  return [...readingRoutes(deps), ...commandRoutes(deps)];
}

function readingRoutes(deps: HttpDeps): readonly Route[] {
  const { views } = deps.store;
  return [
    json<ListQuery, null>({
      method: 'get',
      path: '/api/v1/silences',
      access: 'read',
      scope: 'own',
      tag,
      summary: 'List silences, newest first',
      query: object(listQuery),
      answers: { 200: answer('A page of silences.', 'Silences') },
      handle: (call) => page(views, silencesAsked(call)),
    }),
    json({
      method: 'get',
      path: '/api/v1/silences/:id',
      access: 'read',
      scope: 'own',
      tag,
      summary: 'Show one silence',
      answers: { 200: answer('The silence.', 'Silence'), 404: refusal('No such silence.') },
      handle: async (call) => ({ status: 200, body: await found(views, 'silence', call) }),
    }),
    json<null, Wanted>({
      method: 'post',
      path: '/api/v1/silences/preview',
      access: 'operate',
      line: 'views',
      scope: 'own',
      tag,
      summary: 'Show which firing alerts a silence would mute now',
      body: object(wanted, ['matchers']),
      answers: {
        200: answer('How many match, and the first hundred; all that fires was looked at.', 'Preview'),
        404: refusal('No such scope.'),
      },
      async handle(call) {
        refuseTooWide(call.body.matchers, deps.expressions);
        return { status: 200, body: await previewOf(deps, call) };
      },
    }),
  ];
}

function commandRoutes(deps: HttpDeps): readonly Route[] {
  const { store, intake, clock, expressions } = deps;
  return [
    json<null, NewSilence>({
      method: 'post',
      path: '/api/v1/silences',
      access: 'operate',
      scope: 'own',
      line: 'silences',
      tag,
      summary: 'Make a silence, or replace the one with this id',
      body: object(
        {
          ...wanted,
          id: { type: 'string', minLength: 1, maxLength: 100 },
          startsAt: instant,
          endsAt: instant,
          untilResolved: { type: 'boolean', description: 'End as soon as everything that it muted has cleared' },
          comment: { type: 'string', minLength: 1, maxLength: 1_000 },
        },
        ['matchers', 'endsAt', 'comment'],
      ),
      answers: {
        202: answer('Durable; the silence counts from its next alert on.', 'SilenceAccepted'),
        404: refusal('There is no silence with this id to replace, or no such scope.'),
        409: refusal('The scope has as many silences as it may, or their patterns take as much work as they may.'),
      },
      async handle(call) {
        refuseTooWide(call.body.matchers, expressions);
        refuseBadSpan(call.body, clock.now());
        const { scope, silence } = await silenceWanted(deps, call);
        await refuseTooMany(deps, scope, silence);
        await intake.submit({ type: 'SilenceSet', scope, silence });
        const body: SilenceAcceptedAnswer = { status: 'accepted', id: silence.id };
        return { status: 202, body };
      },
    }),
    json({
      method: 'delete',
      path: '/api/v1/silences/:id',
      access: 'operate',
      scope: 'own',
      tag,
      summary: 'End a silence now',
      answers: takenAnswers,
      async handle(call) {
        const document = stillOpen('silence', await found(store.views, 'silence', call));
        await intake.submit({
          type: 'SilenceSet',
          scope: document.scope,
          silence: { ...silenceIn(document), endsAt: clock.now(), by: call.actor },
        });
        return taken;
      },
    }),
  ];
}

/** A silence that is replaced stays in its scope; a new one's id says what it is, so that the same request twice makes one. */
async function silenceWanted(
  { store, clock, defaultScope }: HttpDeps,
  { body, actor, scopes }: Call<null, NewSilence>,
): Promise<{ readonly scope: string; readonly silence: Silence }> {
  const before = body.id === undefined ? null : await documentOf(store.views, 'silence', { id: body.id, scopes });
  const scope = before?.scope ?? scopeMeant(scopes, body.scope, defaultScope);
  const { matchers, startsAt = clock.now(), endsAt, untilResolved = false, comment } = body;
  const id = before?.id ?? `s${hash('sha256', JSON.stringify([scope, matchers, startsAt, endsAt, actor]), 'hex').slice(0, 16)}`;
  return { scope, silence: { id, matchers, startsAt, endsAt, untilResolved, by: actor, comment } };
}

async function previewOf({ store, expressions, defaultScope }: HttpDeps, { body, scopes }: Call<null, Wanted>): Promise<PreviewAnswer> {
  const scope = scopeMeant(scopes, body.scope, defaultScope);
  const items: AlertDocument[] = [];
  let count = 0;
  const near: PreviewAnswer['near']['items'][number][] = [];
  let nearCount = 0;
  await firingThat(
    store.views,
    expressions,
    { where: 'body/matchers', scopes: [scope], matchers: body.matchers },
    (alert) => {
      count += 1;
      if (items.length < previewShown) items.push(alert);
    },
    (alert, test) => {
      const label = alikeIn(body.matchers, alert, test);
      if (label === null) return;
      nearCount += 1;
      if (near.length < nearShown) near.push({ id: alert.id, summary: alert.summary, ...label });
    },
  );
  return { count, complete: true, items, near: { count: nearCount, items: near } };
}
