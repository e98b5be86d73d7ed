// Routes that sources bring along (ports/routes.ts), as routes of our own table, and what they see of the gateway.
// Nothing here knows a vendor or its paths; deliveries go through the door like any other (door/webhooks.ts).
import { matchesAll } from '../../core/alert/labels.ts';
import type { Alert } from '../../core/alert/row.ts';
import type { DeliveryRoute, FiringAlert, QueryRoute, RouteDeps } from '../../ports/routes.ts';
import type { ViewDoc } from '../../ports/views.ts';
import type { HttpDeps } from '../deps.ts';
import { json, object, type Route } from '../route.ts';

export interface BroughtRoutes {
  readonly routes: readonly Route[];
  readonly deliveries: readonly DeliveryRoute[];
}

/** What the sources bring, made once for the server. */
export function broughtRoutes(deps: HttpDeps): BroughtRoutes {
  const seen = routeDepsOf(deps);
  const brought = deps.sourceRoutes.flatMap(({ tag, routes }) => routes(seen).map((route) => ({ tag, route })));
  return {
    routes: brought.flatMap(({ tag, route }) => (route.method === 'get' ? [queryRoute(tag, route)] : [])),
    deliveries: brought.flatMap(({ route }) => (route.method === 'post' ? [route] : [])),
  };
}

function queryRoute(tag: string, { method, path, access, summary, query, answer, handle }: QueryRoute): Route {
  return json<{ readonly [name: string]: unknown }, null>({
    method,
    path,
    access,
    tag,
    summary,
    query: object(query),
    answers: { 200: answer.says },
    // No token is bound to scopes, so whoever may read sees all of them.
    handle: async (call) => ({ status: 200, body: await handle({ query: call.query, scopes: 'all' }) }),
  });
}

function routeDepsOf({ store, expressions, clock, version }: HttpDeps): RouteDeps {
  return {
    version,
    startedAt: clock.now(),
    patternProblem: expressions.patternProblem,
    async firing({ scopes, matchers, limit }) {
      const { docs } = await store.views.list({ kind: 'alert', states: ['firing'], limit });
      const alerts = docs.filter(({ scope }) => scopes === 'all' || scopes.includes(scope)).map(firingAlert);
      return matchers.length === 0 ? alerts : alerts.filter(({ labels }) => matchesAll(matchers, labels, expressions.pattern));
    },
  };
}

function firingAlert({ id, at, doc }: ViewDoc): FiringAlert {
  const alert = doc as Partial<Alert>; // Written by the projector from an Alert, by patches: a member may not be there yet.
  const { fingerprint = id, labels = {}, annotations = {}, links = [], startedAt = at, seenAt = at } = alert;
  return { fingerprint, labels, annotations, links, startedAt, seenAt };
}
