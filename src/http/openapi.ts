// The OpenAPI 3.1 document, made from the very table that registers the routes, so that it cannot say something else.
import type { DeliveryRoute } from '../ports/routes.ts';
import { object, type Route, type Schema } from './route.ts';

const problemSchema: Schema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'For machines; the words never change' },
  },
};

/** How both doors say no. */
const refusals = {
  400: problemAnswer('Not understood; kept as a dead letter, whose id is `letter`.'),
  401: problemAnswer('Credentials or signature missing or wrong.'),
  404: problemAnswer('No such endpoint.'),
  413: problemAnswer('Too large; not kept.'),
  415: problemAnswer('Neither JSON, form nor text; not kept.'),
  503: problemAnswer('Nothing is promised: send it again after Retry-After.'),
};

/** What is served ahead of the table, by webhooks.ts. */
const deliveries = {
  '/webhooks/{endpoint}': {
    post: {
      operationId: 'deliver',
      tags: ['deliveries'],
      summary: 'Deliver alerts of the endpoint’s source; also on any path below',
      security: [{ bearer: [] }, { basic: [] }, {}],
      parameters: [parameter('endpoint', 'path', { type: 'string' })],
      requestBody: { required: true, content: { 'application/json': {}, 'application/x-www-form-urlencoded': {}, 'text/plain': {} } },
      responses: {
        202: { description: 'Everything in it is durable. A source may answer with another 2xx that its sender expects.' },
        ...refusals,
      },
    },
  },
};

/** A delivery route that a source brings: the door is the same, the path and the answer are the source's. */
function deliveryOf({ path, summary, answer }: DeliveryRoute): object {
  return {
    post: {
      operationId: `deliver${wordsOf(path)}`,
      tags: ['deliveries'],
      summary,
      security: [{ bearer: [] }, { basic: [] }, {}],
      requestBody: { required: true, content: { 'application/json': {} } },
      responses: {
        [answer.status]: { description: 'Everything in it is durable.' },
        ...refusals,
      },
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
      schemas: { Problem: problemSchema },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, basic: { type: 'http', scheme: 'basic' } },
    },
  };
}

function operationOf(route: Route): object {
  const schema = route.kind === 'json' ? (route.query ?? object({})) : object({});
  const query = Object.entries(schema['properties'] as { readonly [name: string]: Schema }); // Made by object().
  const path = [...route.path.matchAll(/:(\w+)/g)].map((match) => parameter(match[1] ?? '', 'path', { type: 'string' }));
  const body = route.kind === 'json' ? route.body : undefined;
  return {
    operationId: operationIdOf(route),
    tags: [route.tag],
    summary: route.summary,
    'x-quench-role': route.access,
    ...(route.access === 'open' ? { security: [] } : {}),
    parameters: [...path, ...query.map(([name, each]) => parameter(name, 'query', each))],
    ...(body === undefined ? {} : { requestBody: { required: false, content: { 'application/json': { schema: body } } } }),
    responses: answersOf(route),
  };
}

function answersOf(route: Route): object {
  const answers: Record<string, unknown> = {};
  for (const [status, says] of Object.entries(route.answers))
    answers[status] = Number(status) < 400 ? { description: says } : problemAnswer(says);
  if (route.access !== 'open') {
    answers['401'] = problemAnswer('Credentials are missing or wrong.');
    answers['403'] = problemAnswer(`The token’s role is below ${route.access}.`);
  }
  if (route.kind === 'json') answers['400'] ??= problemAnswer('A parameter or the body is not valid.');
  return { ...answers, default: problemAnswer('Any other error.') };
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

function problemAnswer(description: string): object {
  return { description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };
}
