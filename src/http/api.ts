// All routes of the API in one list, and the two that speak about the others.
import { ackRoutes } from './ack.ts';
import { alertRoutes } from './api/alerts.ts';
import { alertsV2Routes } from './api/alerts-v2.ts';
import { deadLetterRoutes } from './api/deadletters.ts';
import { gatewayRoutes } from './api/gateway.ts';
import { incidentRoutes } from './api/incidents.ts';
import { logRoutes } from './api/log.ts';
import { runRoutes } from './api/runs.ts';
import { silenceRoutes } from './api/silences.ts';
import type { HttpDeps } from './deps.ts';
import { openapiOf } from './openapi.ts';
import { json, type Route } from './route.ts';

/** `more` are routes made elsewhere (the event stream); `draining` says that the server is about to stop. */
export function apiRoutes(deps: HttpDeps, more: readonly Route[], draining: () => boolean): readonly Route[] {
  const routes: Route[] = [
    ...gatewayRoutes(deps, draining),
    ...alertRoutes(deps),
    ...incidentRoutes(deps),
    ...runRoutes(deps),
    ...silenceRoutes(deps),
    ...deadLetterRoutes(deps),
    ...logRoutes(deps),
    ...alertsV2Routes(deps),
    ...ackRoutes(deps),
    ...more,
    json({
      method: 'get',
      path: '/api/v1/openapi.json',
      access: 'open',
      tag: 'gateway',
      summary: 'This document',
      answers: { 200: 'OpenAPI 3.1.' },
      handle: () => ({ status: 200, body: document }),
    }),
  ];
  const document = openapiOf(routes, deps.version);
  return routes;
}
