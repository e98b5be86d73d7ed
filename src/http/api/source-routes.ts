// Routes that sources bring along (ports/routes.ts), as routes of our own table, and what they see of the gateway.
// Nothing here knows a vendor or its paths; deliveries go through the door like any other (door/webhooks.ts).
import { newBudget } from '../../core/alert/labels.ts';
import { GatewayError } from '../../core/errors.ts';
import type { CommandRoute, DeliveryRoute, FiringAlert, QueryRoute, RouteDeps, SourceRoute, SourceRoutes } from '../../ports/routes.ts';
import type { HttpDeps } from '../deps.ts';
import { json, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { boundedIn, firingThat, listStepsMax } from './matching.ts';
import { endSilence, groupOf, listSilences, setSilence, silenceOf } from './silence-groups.ts';

export interface BroughtRoutes {
  readonly routes: readonly Route[];
  readonly deliveries: readonly DeliveryRoute[];
}

/** What the sources bring, made once for the server. */
export function broughtRoutes(deps: HttpDeps): BroughtRoutes {
  const seen = routeDepsOf(deps);
  const brought = deps.sourceRoutes.flatMap((kind) => kind.routes(seen).map((route) => ({ kind, route })));
  return {
    routes: brought.flatMap(({ kind, route }) => (isDelivery(route) ? [] : [handled(kind, route)])),
    deliveries: brought.flatMap(({ route }) => (isDelivery(route) ? [route] : [])),
  };
}

function isDelivery(route: SourceRoute): route is DeliveryRoute {
  return !('handle' in route);
}

function handled({ tag, refusal }: SourceRoutes, route: QueryRoute | CommandRoute): Route {
  const { method, path, access, summary, query, answer, handle } = route;
  return json<{ readonly [name: string]: unknown }, unknown>({
    method,
    path,
    access,
    scope: 'own',
    tag,
    summary,
    query: object(query),
    ...('body' in route && route.body !== undefined ? { body: route.body, line: 'silences' } : {}),
    answers: { 200: { says: answer.says, content: { 'application/json': { ...answer.schema } } } },
    ...(refusal === undefined ? {} : { refusal }),
    handle: async ({ params, query: asked, body, actor, scopes }) => ({
      status: 200,
      body: await handle({ params, query: asked, body, actor, scopes }),
    }),
  });
}

function routeDepsOf(deps: HttpDeps): RouteDeps {
  const { store, expressions, clock, version } = deps;
  return {
    version,
    startedAt: clock.now(),
    now: () => clock.now(),
    patternProblem: expressions.patternProblem,
    fits(pattern, value) {
      const wrong = expressions.patternProblem(pattern);
      if (wrong !== null) throw new GatewayError('invalid_request', wrong);
      return boundedIn('query', expressions, newBudget(listStepsMax))(pattern, value) === true;
    },
    async firing({ scopes, matchers, limit, shown }) {
      const found: FiringAlert[] = [];
      await firingThat(store.views, expressions, { where: 'query/filter', scopes, matchers }, (document) => {
        const { muted } = document;
        const alert = muted?.kind === 'silence' ? { ...document, muted: { ...muted, silence: groupOf(muted.silence) } } : document;
        if (found.length < limit && shown(alert)) found.push(alert);
      });
      return found;
    },
    silences: (query) => listSilences(deps, query),
    silence: (id, scopes) => silenceOf(deps, id, scopes),
    setSilence: (wanted, caller) => setSilence(deps, wanted, caller),
    endSilence: (id, caller) => endSilence(deps, id, caller),
  };
}
