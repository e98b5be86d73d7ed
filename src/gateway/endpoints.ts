// The endpoints of a configuration, each with its source: where deliveries come in, live or replayed.
import type { Registry } from '../../adapters/kit/kinds.ts';
import { mapped } from '../../adapters/kit/mapping.ts';
import type { Config } from '../config/quench/types.ts';
import type { HttpEndpoint } from '../http/deps.ts';
import type { Expressions } from '../core/playbook/expressions.ts';
import type { Source } from '../ports/source.ts';

/** One that is broken stays visible, and takes nothing in. */
export function endpointsOf(
  config: Config,
  { sources }: Pick<Registry, 'sources'>,
  expressions: Pick<Expressions, 'evaluate'>,
  broken: ReadonlySet<string> = new Set(),
): readonly HttpEndpoint[] {
  return Object.entries(config.endpoints).map(([name, { source, tenant, auth, alertsApi, options, mapping }]) => {
    const kind = sources.find((each) => each.name === source);
    const isBroken = kind === undefined || broken.has(name);
    const parsed = isBroken ? nothingFrom(source) : mapped(kind.create(options), mapping, expressions);
    return { name, source: parsed, tenant, scopeLabels: config.scope.labels, auth, alertsApi, isBroken };
  });
}

/** Is not asked: its endpoint takes nothing in. */
function nothingFrom(name: string): Source {
  const message = 'the configuration of this endpoint does not load';
  return { name, parse: () => ({ ok: false, error: { reason: 'unsupported', message } }) };
}
