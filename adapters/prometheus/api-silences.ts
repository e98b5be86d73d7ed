// Silences in the shape of Alertmanager's API, version 2: list, show, make, change, end.
// Source: Alertmanager 0.32, api/v2/openapi.yaml, read 2026-11-21.
import type { Matcher } from '../../src/core/alert/labels.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { ListedSilence, RouteDeps, SourceRoute } from '../../src/ports/routes.ts';
import { dateTime, filter, filtersOf } from './api-kit.ts';

const path = '/api/v2/silences';
const onePath = '/api/v2/silence/:id';
const silencesMax = 10_000;

export function silenceRoutes(deps: RouteDeps): readonly SourceRoute[] {
  return [list(deps), set(deps), show(deps), end(deps)];
}

const matcherList = {
  type: 'array',
  minItems: 1,
  maxItems: 20,
  items: {
    type: 'object',
    required: ['name', 'value', 'isRegex'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 128 },
      value: { type: 'string', maxLength: 4_096 },
      isRegex: { type: 'boolean' },
      isEqual: { type: 'boolean', default: true },
    },
  },
} as const;

const gettableSchema = {
  type: 'object',
  required: ['id', 'status', 'updatedAt', 'matchers', 'startsAt', 'endsAt', 'createdBy', 'comment'],
  properties: {
    id: { type: 'string' },
    status: { type: 'object', required: ['state'], properties: { state: { enum: ['expired', 'active', 'pending'] } } },
    updatedAt: dateTime,
    matchers: matcherList,
    startsAt: dateTime,
    endsAt: dateTime,
    createdBy: { type: 'string' },
    comment: { type: 'string' },
  },
} as const;

/** What its tools send; members that it does not know are passed over, since they send back what they were shown. */
const postable = {
  type: 'object',
  required: ['matchers', 'startsAt', 'endsAt', 'createdBy', 'comment'],
  properties: {
    id: { type: 'string', maxLength: 100 },
    matchers: matcherList,
    startsAt: { type: 'string', maxLength: 40 },
    endsAt: { type: 'string', maxLength: 40 },
    createdBy: { type: 'string', maxLength: 200 },
    comment: { type: 'string', minLength: 1, maxLength: 1_000 },
  },
} as const;

/** A body that the schema above admitted. */
interface Postable {
  readonly id?: string;
  readonly matchers: readonly { readonly name: string; readonly value: string; readonly isRegex: boolean; readonly isEqual?: boolean }[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly createdBy: string;
  readonly comment: string;
}

function list(deps: RouteDeps): SourceRoute {
  return {
    method: 'get',
    path,
    access: 'read',
    summary: 'List silences, newest first',
    query: { filter },
    answer: { says: 'A list of silences.', schema: { type: 'array', items: gettableSchema } },
    async handle({ query, scopes }) {
      const found = await deps.silences({ scopes, matchers: filtersOf(query, deps), limit: silencesMax });
      return found.map((silence) => gettable(silence, deps.now()));
    },
  };
}

function set(deps: RouteDeps): SourceRoute {
  return {
    method: 'post',
    path,
    access: 'operate',
    summary: 'Make a silence, or change the one with this id',
    query: {},
    body: postable,
    answer: { says: 'Its id.', schema: { type: 'object', required: ['silenceID'], properties: { silenceID: { type: 'string' } } } },
    async handle({ body, actor, scopes }) {
      const { id = '', startsAt, endsAt, createdBy, comment, ...asked } = body as Postable;
      const wanted = {
        id,
        matchers: asked.matchers.map(({ name, value, isRegex, isEqual = true }): Matcher => {
          return { name, value, op: isEqual ? (isRegex ? '=~' : '=') : isRegex ? '!~' : '!=' };
        }),
        startsAt: instantIn('startsAt', startsAt),
        endsAt: instantIn('endsAt', endsAt),
        by: createdBy,
        comment,
      };
      return { silenceID: await deps.setSilence(wanted, { actor, scopes }) };
    },
  };
}

function show(deps: RouteDeps): SourceRoute {
  return {
    method: 'get',
    path: onePath,
    access: 'read',
    summary: 'Show one silence',
    query: {},
    answer: { says: 'The silence.', schema: gettableSchema },
    handle: async ({ params, scopes }) => gettable(await deps.silence(params['id'] ?? '', scopes), deps.now()),
  };
}

function end(deps: RouteDeps): SourceRoute {
  return {
    method: 'delete',
    path: onePath,
    access: 'operate',
    summary: 'End a silence now',
    query: {},
    answer: { says: 'It has ended.', schema: { type: 'object' } },
    async handle({ params, actor, scopes }) {
      await deps.endSilence(params['id'] ?? '', { actor, scopes });
      return {};
    },
  };
}

/** RFC 3339, with as many digits of a second as the sender likes. */
function instantIn(name: string, text: string): number {
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) {
    throw new GatewayError('invalid_request', `body/${name}: expected an instant like 2026-11-21T12:00:00Z, seen ${JSON.stringify(text)}`);
  }
  return instant;
}

function gettable({ id, state, matchers, startsAt, endsAt, updatedAt, by, comment }: ListedSilence, now: number): object {
  return {
    id,
    status: { state: state === 'expired' || endsAt <= now ? 'expired' : startsAt > now ? 'pending' : 'active' },
    updatedAt: new Date(updatedAt).toISOString(),
    matchers: matchers.map(({ name, op, value }) => ({
      name,
      value,
      isRegex: op === '=~' || op === '!~',
      isEqual: op === '=' || op === '=~',
    })),
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    createdBy: by,
    comment,
  };
}
