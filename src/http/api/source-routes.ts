// Routes that sources bring along (ports/routes.ts), as routes of our own table, and what they see of the gateway.
// Nothing here knows a vendor or its paths; deliveries go through the door like any other (door/webhooks.ts).
import type { DeliveryRoute, FiringAlert, QueryRoute, RouteDeps } from '../../ports/routes.ts';
import type { HttpDeps } from '../deps.ts';
import { json, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { firingThat } from './matching.ts';

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
    scope: 'own',
    tag,
    summary,
    query: object(query),
    answers: { 200: { says: answer.says, content: { 'application/json': { ...answer.schema } } } },
    handle: async ({ query: asked, scopes }) => ({ status: 200, body: await handle({ query: asked, scopes }) }),
  });
}

function routeDepsOf({ store, expressions, clock, version }: HttpDeps): RouteDeps {
  return {
    version,
    startedAt: clock.now(),
    patternProblem: expressions.patternProblem,
    async firing({ scopes, matchers, limit }) {
      const found: FiringAlert[] = [];
      await firingThat(store.views, expressions, { where: 'query/filter', scopes, matchers }, (alert) => {
        if (found.length < limit) found.push(alert);
      });
      return found;
    },
  };
}
