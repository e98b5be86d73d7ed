// The endpoints of a configuration, each with its source: where deliveries come in, live or replayed.
import type { Registry } from '../../adapters/kit/kinds.ts';
import { mapped } from '../../adapters/kit/mapping.ts';
import type { Config } from '../config/quench/types.ts';
import type { HttpEndpoint } from '../http/deps.ts';
import type { Expressions } from '../core/playbook/expressions.ts';
import type { Source } from '../ports/source.ts';
import type { Live } from './live.ts';

interface Beside {
  readonly live: Pick<Live, 'config'>;
  readonly expressions: Pick<Expressions, 'evaluate'>;
  readonly broken: ReadonlySet<string>;
}

/** One that is broken stays visible, and takes nothing in until a reload has mended it; what it asks of a delivery is asked of `live` each time. */
export function endpointsOf(
  started: Config,
  { sources }: Pick<Registry, 'sources'>,
  { live, expressions, broken }: Beside,
): readonly HttpEndpoint[] {
  return Object.entries(started.endpoints).map(([name, { source, tenant, alertsApi, options, mapping }]) => {
    const kind = sources.find((each) => each.name === source);
    const nothing = nothingFrom(source);
    const isBroken = (): boolean => kind === undefined || (broken.has(name) && live.config() === started);
    const make = (): Source | null => (kind === undefined ? null : mapped(kind.create(options), mapping, expressions));
    let made = broken.has(name) ? null : make();
    return {
      name,
      tenant,
      alertsApi,
      scopeLabels: started.scope.labels,
      get isBroken() {
        return isBroken();
      },
      get source() {
        if (!isBroken()) made ??= make();
        return made ?? nothing;
      },
      get auth() {
        return live.config().endpoints[name]?.auth ?? [];
      },
    };
  });
}

/** Is not asked: its endpoint takes nothing in. */
function nothingFrom(name: string): Source {
  const message = 'the configuration of this endpoint does not load';
  return { name, parse: () => ({ ok: false, error: { reason: 'unsupported', message } }) };
}
