// Routes that sources bring along (ports/routes.ts), as routes of our own table, and what they see of the gateway.
// Nothing here knows a vendor or its paths; deliveries go through the door like any other (door/webhooks.ts).
import { matchesAll, newBudget } from '../../core/alert/labels.ts';
import type { ViewPage } from '../../ports/views.ts';
import type { SilenceDocument } from '../../readmodel/documents.ts';
import type { DeliveryRoute, FiringAlert, QueryRoute, RouteDeps } from '../../ports/routes.ts';
import type { HttpDeps } from '../deps.ts';
import { json, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { boundedIn, firingThat, listStepsMax } from './matching.ts';

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
    now: () => clock.now(),
    patternProblem: expressions.patternProblem,
    async firing({ scopes, matchers, limit }) {
      const found: FiringAlert[] = [];
      await firingThat(store.views, expressions, { where: 'query/filter', scopes, matchers }, (alert) => {
        if (found.length < limit) found.push(alert);
      });
      return found;
    },
    async silences({ scopes, matchers, limit }) {
      const test = boundedIn('query/filter', expressions, newBudget(listStepsMax));
      const found: SilenceDocument[] = [];
      let after: string | null = null;
      do {
        const page: ViewPage<'silence'> = await store.views.list({
          kind: 'silence',
          scopes,
          limit: 200,
          ...(after === null ? {} : { after }),
        });
        found.push(...page.items.filter((silence) => matchers.length === 0 || matchesAll(matchers, { labels: saidBy(silence) }, test)));
        after = page.next;
      } while (after !== null && found.length < limit);
      return found.slice(0, limit);
    },
  };
}

/** What it says about each name. */
function saidBy({ matchers }: SilenceDocument): { readonly [name: string]: string } {
  return Object.fromEntries(matchers.map(({ name, value }) => [name, value]));
}
