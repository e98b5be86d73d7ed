// What loading a configuration needs to know of the adapters: the same for `serve` and for commands that run without a gateway.
import type { CelExpressions } from '../../adapters/cel/expressions.ts';
import { createActions } from '../../adapters/kit/action-guard.ts';
import type { Registry } from '../../adapters/kit/kinds.ts';
import { keyOf } from '../../adapters/kit/signature.ts';
import { registry as everything } from '../../adapters/registry.ts';
import type { Files } from '../config/files.ts';
import type { ConfigDeps } from '../config/quench/loading.ts';
import type { Clock } from '../ports/clock.ts';

export function configDeps(
  env: ConfigDeps['env'],
  files: Files,
  expressions: CelExpressions,
  clock: Clock,
  registry: Registry = everything,
): ConfigDeps {
  return {
    env,
    files,
    expressions,
    actions: createActions(registry.actions, {}, clock),
    sources: registry.sources,
    notifiers: registry.notifiers,
    logs: registry.logs,
    stores: registry.stores,
    series: registry.series,
    actionKinds: registry.actions,
    configured(actions) {
      try {
        return createActions(registry.actions, actions, clock);
      } catch {
        return []; // said where they are started
      }
    },
    keyProblem: (secret) => {
      const key = keyOf(secret);
      return key.ok ? null : key.error;
    },
  };
}
