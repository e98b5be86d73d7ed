// Silences: made with a look at what they mute now, always with an end, ended early by DELETE.
import { hash } from 'node:crypto';
import { matchesAll, type Matcher } from '../../core/alert/labels.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Silence } from '../../core/mute/facts.ts';
import { day } from '../../core/time.ts';
import type { ViewPage, Views } from '../../ports/views.ts';
import type { AlertDocument, SilenceDocument } from '../../readmodel/documents.ts';
import type { HttpDeps } from '../deps.ts';
import { json, object, type Route } from '../route.ts';
import { callersScopes, found, listed, listQuery, param, stillOpen, taken, takenAnswers, type ListQuery } from './view.ts';

const tag = 'silences';
/** The preview looks at so many firing alerts, and shows so many of the matching ones. */
const previewMax = 5_000;
const previewShown = 100;
const longestMs = 366 * day;

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
    description: 'Scope whose alerts are meant; by default the gateway’s own',
  },
  matchers: {
    type: 'array',
    minItems: 1,
    maxItems: 20,
    items: object(
      {
        name: { type: 'string', minLength: 1, maxLength: 128 },
        op: { type: 'string', enum: ['=', '!=', '=~', '!~'] },
        value: { type: 'string', maxLength: 400 },
      },
      ['name', 'op', 'value'],
    ),
  },
} as const;
const instant = { type: 'integer', minimum: 0, maximum: 8_640_000_000_000_000, description: 'Milliseconds since 1970, UTC' } as const;

export function silenceRoutes({ store, intake, clock, expressions, defaultScope }: HttpDeps): readonly Route[] {
  const { views } = store;

  return [
    json<ListQuery, null>({
      method: 'get',
      path: '/api/v1/silences',
      access: 'read',
      tag,
      summary: 'List silences, newest first',
      query: object(listQuery),
      answers: { 200: 'A page of silences.' },
      handle: ({ query }) => listed(views, 'silence', query),
    }),
    json({
      method: 'get',
      path: '/api/v1/silences/:id',
      access: 'read',
      tag,
      summary: 'Show one silence',
      answers: { 200: 'The silence.', 404: 'No such silence.' },
      handle: async (call) => ({ status: 200, body: await found(views, 'silence', param(call, 'id')) }),
    }),
    json<null, NewSilence>({
      method: 'post',
      path: '/api/v1/silences',
      access: 'operate',
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
      answers: { 202: 'Durable; the silence counts from its next alert on.', 404: 'There is no silence with this id to replace.' },
      async handle({ body, actor }) {
        refuseTooWide(body.matchers, expressions);
        const now = clock.now();
        const startsAt = body.startsAt ?? now;
        if (body.endsAt <= Math.max(startsAt, now))
          throw new GatewayError('invalid_request', 'body/endsAt must lie ahead, and after startsAt');
        if (body.endsAt - now > longestMs) throw new GatewayError('invalid_request', 'body/endsAt must lie within a year');
        const held = body.id === undefined ? null : await found(views, 'silence', body.id);
        const scope = held?.scope ?? body.scope ?? defaultScope;
        const { matchers, endsAt, comment } = body;
        const id = held?.id ?? `s${hash('sha256', JSON.stringify([scope, matchers, startsAt, endsAt, actor]), 'hex').slice(0, 16)}`;
        const untilResolved = body.untilResolved ?? false;
        await intake.submit({ type: 'SilenceSet', scope, silence: { id, matchers, startsAt, endsAt, untilResolved, by: actor, comment } });
        return { status: 202, body: { status: 'accepted', id } };
      },
    }),
    json<null, Wanted>({
      method: 'post',
      path: '/api/v1/silences/preview',
      access: 'operate',
      tag,
      summary: 'Show which firing alerts a silence would mute now',
      body: object(wanted, ['matchers']),
      answers: { 200: 'How many match, and the first hundred; `complete` is false when there were too many alerts to look at.' },
      async handle({ body }) {
        refuseTooWide(body.matchers, expressions);
        const { docs, complete } = await firing(views);
        const scope = body.scope ?? defaultScope;
        const muted = docs.filter((doc) => doc.scope === scope && matchesAll(body.matchers, doc.labels, expressions.pattern));
        return { status: 200, body: { count: muted.length, complete, items: muted.slice(0, previewShown) } };
      },
    }),
    json({
      method: 'delete',
      path: '/api/v1/silences/:id',
      access: 'operate',
      tag,
      summary: 'End a silence now',
      answers: takenAnswers,
      async handle({ params, actor }) {
        const held = stillOpen('silence', await found(views, 'silence', param({ params }, 'id')));
        await intake.submit({ type: 'SilenceSet', scope: held.scope, silence: { ...silenceIn(held), endsAt: clock.now(), by: actor } });
        return taken;
      },
    }),
  ];
}

/** At least one matcher must ask for something: `!=`, `!~` or `.*` alone would mute everything, also what comes later. */
function refuseTooWide(matchers: readonly Matcher[], { pattern, patternProblem }: HttpDeps['expressions']): void {
  for (const { op, value } of matchers) {
    const wrong = op === '=~' || op === '!~' ? patternProblem(value) : null;
    if (wrong !== null) throw new GatewayError('invalid_request', `body/matchers: ${wrong}`);
  }
  if (matchers.every((matcher) => matchesAll([matcher], {}, pattern))) {
    throw new GatewayError('invalid_request', 'body/matchers: one of them must not match the empty text');
  }
}

async function firing(views: Views): Promise<{ readonly docs: readonly AlertDocument[]; readonly complete: boolean }> {
  const docs: AlertDocument[] = [];
  let after: string | null = null;
  do {
    const page: ViewPage<'alert'> = await views.list({
      kind: 'alert',
      scopes: callersScopes,
      states: ['firing'],
      limit: 500,
      ...(after === null ? {} : { after }),
    });
    docs.push(...page.items);
    after = page.next;
  } while (after !== null && docs.length < previewMax);
  return { docs, complete: after === null };
}

function silenceIn({ id, matchers, startsAt, endsAt, untilResolved, by, comment }: SilenceDocument): Silence {
  return { id, matchers, startsAt, endsAt, untilResolved, by, comment };
}
