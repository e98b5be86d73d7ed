// The OpenAPI 3.1 document, made from the very table that registers the routes, so that it cannot say something else.
import type { DeliveryRoute } from '../ports/routes.ts';
import { components } from './components.ts';
import { answer, refusal as refusalOf, type Answer, type Route } from './route.ts';
import { text } from '../readmodel/schema.ts';
import { object, type Schema } from './schema.ts';

/** How both doors say no. */
const refusals: Answers = {
  400: refusalOf('Not understood; kept as a dead letter, whose id is `letter`.'),
  401: refusalOf('Credentials or signature missing or wrong.'),
  404: refusalOf('No such endpoint.'),
  413: refusalOf('Too large; not kept.'),
  415: refusalOf('Neither JSON, form nor text; not kept.'),
  503: refusalOf('Nothing is promised: send it again after Retry-After.'),
};

type Answers = Route['answers'];

/** What is served ahead of the table, by webhooks.ts. */
const deliveries = {
  '/webhooks/{endpoint}': {
    post: {
      operationId: 'deliver',
      tags: ['deliveries'],
      summary: 'Deliver alerts of the endpoint’s source; also on any path below',
      security: [{ bearer: [] }, { basic: [] }, {}],
      parameters: [parameter('endpoint', 'path', text)],
      requestBody: { required: true, content: { 'application/json': {}, 'application/x-www-form-urlencoded': {}, 'text/plain': {} } },
      responses: responsesOf({
        202: answer('Everything in it is durable.', 'Delivered'),
        200: { says: 'The same, as the senders of some sources expect it.', content: { 'text/plain': text } },
        ...refusals,
      }),
    },
  },
};

/** A delivery route that a source brings: the door is the same, the path and the answer are the source's. */
function deliveryOf({ path, summary, answer: own }: DeliveryRoute): object {
  return {
    post: {
      operationId: `deliver${wordsOf(path)}`,
      tags: ['deliveries'],
      summary,
      security: [{ bearer: [] }, { basic: [] }, {}],
      requestBody: { required: true, content: { 'application/json': {} } },
      responses: responsesOf({
        [own.status]: { says: 'Everything in it is durable.', content: { 'application/json': object({}) } },
        ...refusals,
      }),
    },
  };
}

export function openapiOf(routes: readonly Route[], brought: readonly DeliveryRoute[], version: string): object {
  const paths = new Map<string, Record<string, unknown>>(Object.entries(deliveries).map(([path, item]) => [path, { ...item }]));
  for (const route of brought) paths.set(route.path, { ...paths.get(route.path), ...deliveryOf(route) });
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths.set(path, { ...paths.get(path), [route.method]: operationOf(route) });
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Quench', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ bearer: [] }, { basic: [] }],
    paths: Object.fromEntries(paths),
    components: {
      schemas: components,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, basic: { type: 'http', scheme: 'basic' } },
    },
  };
}

function operationOf(route: Route): object {
  const schema = route.kind === 'json' ? (route.query ?? object({})) : object({});
  const query = Object.entries(schema['properties'] as { readonly [name: string]: Schema }); // Made by object().
  const path = [...route.path.matchAll(/:(\w+)/g)].map((match) => parameter(match[1] ?? '', 'path', text));
  const body = route.kind === 'json' ? route.body : undefined;
  return {
    operationId: operationIdOf(route),
    tags: [route.tag],
    summary: route.summary,
    'x-quench-role': route.access,
    'x-quench-scope': route.scope,
    ...(route.access === 'open' ? { security: [] } : {}),
    parameters: [...path, ...query.map(([name, each]) => parameter(name, 'query', each))],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: Array.isArray(body['required']) && body['required'].length > 0,
            content: { 'application/json': { schema: body } },
          },
        }),
    responses: answersOf(route),
  };
}

function answersOf(route: Route): object {
  const shared: Record<number, Answer> = {};
  const own = route.refusal;
  const refusal = (says: string): Answer => (own === undefined ? refusalOf(says) : { says, content: { 'application/json': own.schema } });
  if (route.kind === 'json') shared[400] = refusal('A parameter or the body is not valid.');
  if (route.access !== 'open') {
    shared[401] = refusal('Credentials are missing or wrong.');
    shared[403] = refusal(`The token’s role is below ${route.access}${route.scope === 'all' ? ', or it is bound to scopes' : ''}.`);
  }
  return { ...responsesOf({ ...shared, ...route.answers }), default: responseOf(refusal('Any other error.')) };
}

function responsesOf(answers: Answers): { readonly [status: string]: object } {
  return Object.fromEntries(Object.entries(answers).map(([status, one]: [string, Answer]) => [status, responseOf(one)]));
}

function responseOf({ says, content }: Answer): object {
  const described = Object.entries(content).map(([media, schema]) => [media, { schema }]);
  return { description: says, content: Object.fromEntries(described) };
}

/** `get /api/v1/incidents/:id/timeline` → `getIncidentsIdTimeline`. */
function operationIdOf({ method, path }: Route): string {
  return method + wordsOf(path.replace('/api/v1', ''));
}

function wordsOf(path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function parameter(name: string, place: 'path' | 'query', schema: Schema): object {
  return { name, in: place, required: place === 'path', schema };
}
