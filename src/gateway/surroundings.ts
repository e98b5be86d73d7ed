// What a gateway is given besides its configuration; main, or a test, fills it.
import type { Writable } from 'node:stream';
import type { Registry } from '../../adapters/kit/kinds.ts';
import type { Scrubber } from '../../adapters/kit/redact.ts';
import { registry as everything } from '../../adapters/registry.ts';
import type { ForkedExecutor } from '../executor/client.ts';
import type { ConfigTrouble } from './config-trouble.ts';
import type { LoadConfig } from './reload.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What takes secrets out of texts, when the logger uses one: it learns those of the configuration. */
  readonly vault?: Scrubber;
  /** Where the console notifier writes. */
  readonly stream: Writable;
  /** The child's environment; never the gateway's own. */
  readonly executorEnv: { readonly [name: string]: string };
  readonly version: string;
  /** What the gateway can speak to; not given: all that there is. */
  readonly registry?: Registry;
  /** What of the configuration is broken, of a gateway that starts all the same. */
  readonly trouble?: ConfigTrouble;
  /** Reads the configuration again; not given: a reload changes nothing. */
  readonly load?: LoadConfig;
  /** Starts what acts; not given: a child process that knows the registered families of actions. */
  readonly executor?: () => Promise<ForkedExecutor>;
}

export function registryOf({ registry }: Pick<Surroundings, 'registry'>): Registry {
  return registry ?? everything;
}
