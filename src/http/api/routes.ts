// All routes of the API in one list, and the two that speak about the others.
import type { HttpDeps } from '../deps.ts';
import { ackRoutes } from '../door/ack.ts';
import { answerRoutes } from '../door/answer.ts';
import type { Logins } from '../door/logins.ts';
import { incidentPageRoutes } from '../door/incident.ts';
import { openapiOf } from '../openapi.ts';
import { json, type Answer, type Route } from '../route.ts';
import { text } from '../../readmodel/schema.ts';
import { alertRoutes } from './alerts.ts';
import { deadLetterRoutes } from './deadletters.ts';
import { gatewayRoutes } from './gateway.ts';
import { incidentRoutes } from './incidents.ts';
import { logRoutes } from './log.ts';
import { reportRoutes } from './reports.ts';
import { runRoutes } from './runs.ts';
import { silenceRoutes } from './silences.ts';
import type { BroughtRoutes } from './source-routes.ts';

const openapi: Answer = {
  says: 'OpenAPI 3.1.',
  content: {
    'application/json': {
      type: 'object',
      required: ['openapi', 'info', 'paths', 'components'],
      properties: { openapi: text, info: { type: 'object' }, paths: { type: 'object' }, components: { type: 'object' } },
    },
  },
};

/** `brought` are what the sources bring, `more` are made elsewhere (the event stream); `draining` says that the server is about to stop. */
export function apiRoutes(
  deps: HttpDeps & { readonly logins: Logins },
  brought: BroughtRoutes,
  more: readonly Route[],
  draining: () => boolean,
): readonly Route[] {
  const routes: Route[] = [
    ...gatewayRoutes(deps, draining),
    ...alertRoutes(deps),
    ...incidentRoutes(deps),
    ...runRoutes(deps),
    ...silenceRoutes(deps),
    ...reportRoutes(deps),
    ...deadLetterRoutes(deps),
    ...logRoutes(deps),
    ...brought.routes,
    ...ackRoutes(deps),
    ...incidentPageRoutes(deps),
    ...answerRoutes(deps),
    ...more,
    json({
      method: 'get',
      path: '/api/v1/openapi.json',
      access: 'open',
      scope: 'none',
      line: 'views', // long, and anybody may ask: in turns
      tag: 'gateway',
      summary: 'This document',
      answers: { 200: openapi },
      handle: () => ({ status: 200, body: document }),
    }),
  ];
  const document = openapiOf(routes, brought.deliveries, deps.version);
  return routes;
}
