// What the gateway reaches the world with: its executor process, its notifiers, and the link that a page carries.
//   K1  What programs, addresses and notifiers answer is scrubbed of every secret of the configuration before anything else sees it.
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHttp } from '../../adapters/kit/http-client.ts';
import type { Scrubber } from '../../adapters/kit/redact.ts';
import type { Config } from '../config/quench/types.ts';
import { scopeOfId } from '../core/ids.ts';
import type { Link } from '../core/alert/event.ts';
import type { Notification } from '../core/page/notification.ts';
import { day, type Instant, type Millis } from '../core/time.ts';
import { forkExecutor, type ForkedExecutor } from '../executor/client.ts';
import { nothingDone, type Executor } from '../executor/executor.ts';
import { signLink, type LinkKind } from '../http/door/links.ts';
import type { Clock } from '../ports/clock.ts';
import type { Notifier } from '../ports/notifier.ts';
import { createDiscretion, type Discretion } from './discretion.ts';
import { registryOf, type Surroundings } from './surroundings.ts';

const ackLinkMs: Millis = 3 * day;
/** Longer: what was said of an incident is read again in the days after. */
const incidentLinkMs: Millis = 14 * day;

/** What cannot act is no reason not to take alerts in and page: without an executor every call fails, and ladders go on. */
export async function startExecutor(config: Config, around: Surroundings, vault: Scrubber): Promise<ForkedExecutor> {
  try {
    return scrubbed(await (around.executor?.() ?? fork(config, around)), vault);
  } catch (error) {
    around.logger.error({ error }, 'the executor does not start: every action fails until the gateway is started again');
    const why = 'the executor did not start';
    const slot: Executor['slot'] = async (lane) => ({ lane, free: () => {} });
    return { pid: null, slot, act: async () => nothingDone('no_executor', why), close: async () => {} };
  }
}

/** The same executor, whose answers hold no secret of ours (K1). */
function scrubbed(executor: ForkedExecutor, vault: Scrubber): ForkedExecutor {
  return {
    get pid() {
      return executor.pid;
    },
    slot: (lane, how) => executor.slot(lane, how),
    async act(uses, request, how) {
      const outcome = await executor.act(uses, request, how);
      if (outcome.outcome === 'unknown') return { ...outcome, detail: vault.text(outcome.detail) };
      const output = vault.json(outcome.output, outcome.output['truncated'] === true);
      return outcome.outcome === 'ok' ? { ...outcome, output } : { ...outcome, detail: vault.text(outcome.detail), output };
    },
    close: () => executor.close(),
  };
}

function fork(config: Config, around: Surroundings): Promise<ForkedExecutor> {
  return forkExecutor({
    // TypeScript in a clone, JavaScript in what is installed.
    program: fileURLToPath(new URL(`./executor-main${extname(import.meta.url)}`, import.meta.url)),
    config: config.actions,
    clock: around.clock,
    env: around.executorEnv,
    onLost: (detail) => around.logger.warn({ detail }, 'executor lost, a new one starts'),
  });
}

/** By name; `close` ends the connections that they keep. */
export interface Notifiers {
  readonly byName: ReadonlyMap<string, Notifier>;
  /** Another one, of a name that may be known already. */
  create(name: string, wanted: Config['notifiers'][string]): Notifier;
  close(): Promise<void>;
}

export function createNotifiers(
  config: Pick<Config, 'notifiers' | 'secrets'>,
  around: Pick<Surroundings, 'clock' | 'stream' | 'logger' | 'registry' | 'trouble'>,
  vault: Scrubber,
  discretion: Discretion = createDiscretion(config.secrets),
): Notifiers {
  const { clock, stream } = around;
  // Notifiers' addresses stand in quench.yaml, written by the operator, whose own systems are often on private networks.
  const http = createHttp({ clock, policy: { allowPrivate: true, allow: [] } });
  function create(name: string, { type, options }: Config['notifiers'][string]): Notifier {
    const kind = registryOf(around).notifiers.find((each) => each.name === type);
    if (kind === undefined) return brokenNotifier('there is no such kind of notifier');
    const onBroken = (error: unknown): void => around.logger.error({ notifier: name, error }, 'a notifier broke while it delivered');
    try {
      return discreet(kind.create(options, { http, clock, stream }), { vault, discretion, onBroken });
    } catch (error) {
      around.logger.error(
        { notifier: name, error },
        'a notifier is broken: it refuses what it is given, and ladders go on to the next contact',
      );
      return brokenNotifier(error instanceof Error ? error.message : 'its adapter refused the options');
    }
  }

  const byName = new Map<string, Notifier>();
  for (const [name, wanted] of Object.entries(config.notifiers)) {
    const why = around.trouble?.broken.notifiers.get(name);
    byName.set(name, why === undefined ? create(name, wanted) : brokenNotifier(why));
  }
  return { byName, create, close: async () => http.close() };
}

interface Keeping {
  readonly vault: Scrubber;
  readonly discretion: Discretion;
  onBroken(error: unknown): void;
}

/** The same notifier, which is told no secret of ours, and whose answers hold none (K1). */
function discreet(notifier: Notifier, { vault, discretion, onBroken }: Keeping): Notifier {
  return {
    async deliver(notification, signal, withdrawn) {
      try {
        const outcome = await notifier.deliver(discretion.notification(notification), signal, withdrawn);
        return { ...outcome, detail: vault.text(outcome.detail) };
      } catch (error) {
        onBroken(error); // the log scrubs what it says
        return { outcome: 'unknown', detail: vault.text(error instanceof Error ? error.message : String(error)).slice(0, 200) };
      }
    },
  };
}

/** One broken notifier keeps neither the gateway from starting nor a ladder from its next contact. */
function brokenNotifier(why: string): Notifier {
  return { deliver: async () => ({ outcome: 'refused', detail: `this notifier is broken: ${why.slice(0, 200)}` }) };
}

/** What links are made of. */
export interface LinkConfig {
  readonly listen: Pick<Config['listen'], 'publicUrl'>;
  readonly api: Pick<Config['api'], 'ackSecrets'>;
  readonly notifiers: { readonly [name: string]: Pick<Config['notifiers'][string], 'person'> };
}

/** The notification with links for whoever has no account: first its incident, then what may be done about it, then what the alert brought. */
export function withLinks({ listen, api, notifiers }: LinkConfig, notification: Notification, clock: Pick<Clock, 'now'>): Notification {
  const { publicUrl } = listen;
  const [secret] = api.ackSecrets;
  const scope = scopeOfId(notification.incident);
  if (secret === undefined || scope === null) return notification;
  const { incident, page, kind, asks } = notification;
  const now = clock.now();
  const to = notification.id.split('|').at(-1) ?? '';
  const person = Object.hasOwn(notifiers, to) ? notifiers[to]?.person : undefined;
  const claim = { scope, incident, page, to, ...(person === undefined ? {} : { person }) };
  const link = (text: string, of: LinkKind, also: { readonly expiresAt: Instant; readonly run?: string }): Link => {
    return { text, href: `${publicUrl}/${of}/${signLink(secret, of, { ...claim, ...also })}` };
  };
  const links = [link('Incident', 'incident', { expiresAt: now + incidentLinkMs })];
  if (asks !== undefined) links.push(link('Approve or deny', 'answer', { expiresAt: now + ackLinkMs, run: asks.run }));
  if (kind !== 'resolve') links.push(link('Acknowledge', 'ack', { expiresAt: now + ackLinkMs }));
  return { ...notification, links: [...links, ...notification.links] };
}
