// The endpoints of a configuration, each with its source: where deliveries come in, live or replayed.
import type { Registry } from '../../adapters/kit/kinds.ts';
import type { Config } from '../config/quench/types.ts';
import type { HttpEndpoint } from '../http/deps.ts';

/** Loading has checked that each one's source is registered. */
export function endpointsOf(config: Config, { sources }: Pick<Registry, 'sources'>): readonly HttpEndpoint[] {
  return Object.entries(config.endpoints).flatMap(([name, { source, tenant, auth, alertsApi, options }]) => {
    const kind = sources.find((each) => each.name === source);
    if (kind === undefined) return [];
    return [{ name, source: kind.create(options), tenant, scopeLabels: config.scope.labels, auth, alertsApi }];
  });
}
