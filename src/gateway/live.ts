// What of its configuration a running gateway can put in force without a restart, in one place: whoever needs it asks here each time.
//   V1  Nothing is taken over in part: a configuration that differs in what only a start can change is refused whole.
//   V2  What is taken over and then not kept, because the policy could not be published, is given back as it was.
import { isDeepStrictEqual } from 'node:util';
import type { Scrubber } from '../../adapters/kit/redact.ts';
import type { Config } from '../config/quench/types.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { Discretion } from './discretion.ts';
import { createNotifiers, type Notifiers } from './effects.ts';
import type { Stops } from './stops.ts';
import type { Surroundings } from './surroundings.ts';

export interface Live {
  /** The one in force. */
  config(): Config;
  /** Always the same map; what is in it changes. */
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** Names of what only a start can put in force, and what differs of the rest. */
  difference(next: Config): { readonly restart: readonly string[]; readonly changed: readonly string[] };
  /** Puts it in force, besides the policy; returns how to go back. V1 is the caller's to ask. */
  take(next: Config): () => void;
}

/** What a gateway starts with, its notifiers included. */
export function openLive(
  config: Config,
  around: Surroundings,
  { vault, discretion, stops }: { readonly vault: Scrubber; readonly discretion: Discretion; readonly stops: Pick<Stops, 'add'> },
): Live {
  const notifiers = createNotifiers(config, around, vault, discretion);
  stops.add(notifiers.close);
  const learn = (secrets: Config['secrets']): void => {
    vault.learn(secrets);
    discretion.learn(secrets);
  };
  return createLive(config, notifiers, { learn });
}

/** Parts that change while the gateway runs; the path of the file and the place of the playbooks only say where it was read from. */
const parts = {
  policy: ({ policy }) => policy,
  notifiers: ({ notifiers }) => notifiers,
  'api.tokens': ({ api }) => api.tokens,
  'api.ackSecrets': ({ api }) => api.ackSecrets,
  approvals: ({ approvals }) => approvals,
  'endpoints.auth': ({ endpoints }) => Object.entries(endpoints).map(([name, { auth }]) => [name, auth]),
  'failOpen.notify': ({ failOpen }) => failOpen.notify,
} as const satisfies { readonly [part: string]: (config: Config) => unknown };

/** What answers say is scrubbed of the secrets that `vault` knows: of those of the configuration in force and of the ones before it. */
export function createLive(
  started: Config,
  { byName, create }: Pick<Notifiers, 'byName' | 'create'>,
  vault: { learn(secrets: Config['secrets']): void },
): Live {
  let config = started;
  const notifiers = new Map(byName);

  function take(next: Config): () => void {
    vault.learn(next.secrets);
    const [before, spoken] = [config, new Map(notifiers)];
    for (const name of notifiers.keys()) if (next.notifiers[name] === undefined) notifiers.delete(name);
    for (const [name, wanted] of Object.entries(next.notifiers))
      if (!isDeepStrictEqual(before.notifiers[name], wanted)) notifiers.set(name, create(name, wanted));
    config = next;
    return () => {
      config = before;
      notifiers.clear();
      for (const [name, notifier] of spoken) notifiers.set(name, notifier);
    };
  }

  return {
    config: () => config,
    notifiers,
    difference: (next) => ({ restart: restartFor(config, next), changed: changedIn(config, next) }),
    take,
  };
}

function changedIn(before: Config, after: Config): readonly string[] {
  return Object.entries(parts).flatMap(([name, part]) => (isDeepStrictEqual(part(before), part(after)) ? [] : [name]));
}

function restartFor(before: Config, after: Config): readonly string[] {
  const [was, is] = [fixedOf(before), fixedOf(after)];
  return (Object.keys(is) as (keyof typeof is)[]).filter((name) => !isDeepStrictEqual(was[name], is[name]));
}

/** The configuration without what changes while the gateway runs. */
function fixedOf(config: Config) {
  const {
    policy: _policy,
    file: _file,
    playbooks: _playbooks,
    notifiers: _notifiers,
    approvals: _approvals,
    secrets: _secrets,
    ...rest
  } = config;
  const endpoints = Object.fromEntries(Object.entries(rest.endpoints).map(([name, { auth: _auth, ...endpoint }]) => [name, endpoint]));
  return { ...rest, api: rest.api.metrics, endpoints, failOpen: rest.failOpen.afterMs };
}
