// A gateway in this process on a folder of its own, started as `serve` starts it or with a store whose disk has a bad day.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { registry } from '../../adapters/registry.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { diskFiles } from '../../src/config/files.ts';
import { loadConfig } from '../../src/config/quench/config.ts';
import { bootConfig, tellBoot } from '../../src/gateway/boot-config.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { startGateway, type Gateway } from '../../src/gateway/compose.ts';
import { configDeps } from '../../src/gateway/config-deps.ts';
import { troubleOf } from '../../src/gateway/config-trouble.ts';
import { createLogger } from '../../src/gateway/logger.ts';
import type { Store } from '../../src/ports/store.ts';
import { until as soon } from '../support/living.ts';
import { passingClock } from '../support/passing-clock.ts';

export interface Folder {
  readonly dir: string;
  write(name: string, text: string): void;
}

export function folder(t: TestContext, files: { readonly [name: string]: string }): Folder {
  const dir = mkdtempSync(join(tmpdir(), 'quench-gateway-'));
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10 })); // a gateway that still runs writes into it
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  };
  mkdirSync(join(dir, 'playbooks'), { recursive: true });
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { dir, write };
}

export const house = `listen: { host: 127.0.0.1, port: 0 }
data: { dir: data }
endpoints: { am: { source: prometheus, allowUnauthenticated: true } }
notifiers: { console: { type: console } }
ladders: { default: { rungs: [{ notify: console }] } }
failOpen: { after: 10s, notify: console }
settle: 0s
holdOff: 0s
`;

/** What the embedded store says of such a disk. */
export const full = new GatewayError('log_unavailable', 'store: less than 67108864 bytes are free beside data/quench.db');

/** A disk on which facts find no room while `isFull` says so. */
export function factsFind(isFull: () => boolean): (store: Store) => Store {
  return (store) => ({
    ...store,
    log: {
      ...store.log,
      append: async (topic, batch) => {
        if (topic === 'facts' && isFull()) throw full;
        return store.log.append(topic, batch);
      },
    },
  });
}

export interface Running {
  readonly url: string;
  readonly gateway: Gateway;
  /** What the console notifier was given. */
  rang(): string;
  /** What it wrote to its log. */
  said(): string;
  stop(): Promise<void>;
}

/** `spoil` stands between the gateway and its store; its time passes `haste` times as fast as ours. */
export async function open(
  t: TestContext,
  { dir }: Folder,
  spoil: (store: Store) => Store = (store) => store,
  haste = 1,
): Promise<Running> {
  const [kind] = registry.stores;
  let rang = '';
  let said = '';
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => (rang += chunk.toString()));
  const { clock, hurry } = passingClock(haste);
  const logger = createLogger({ write: (text: string) => (said += text) }, clock);
  const boot = bootConfig(join(dir, 'quench.yaml'), configDeps({}, diskFiles, createExpressions(), systemClock), logger);
  tellBoot(boot, logger);
  const trouble = troubleOf(boot);
  const gateway = await startGateway(boot.config, {
    clock,
    logger,
    trouble,
    load: () => loadConfig(join(dir, 'quench.yaml'), configDeps({}, diskFiles, createExpressions(), systemClock)),
    stream,
    executorEnv: { PATH: '/usr/bin:/bin' },
    version: '0.0.0-test',
    registry: { ...registry, stores: [{ ...kind, open: async (deps) => spoil(await kind.open(deps)) }] },
  });
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    hurry();
    return (stopped ??= gateway.stop());
  };
  t.after(stop);
  return { url: `http://127.0.0.1:${gateway.port}`, gateway, rang: () => rang, said: () => said, stop };
}

export async function deliver(url: string, name: string, count = 1): Promise<number> {
  const alerts = Array.from({ length: count }, (_, index) => ({
    status: 'firing',
    labels: { alertname: name, severity: 'critical', instance: `${name.toLowerCase()}${index}:9100` },
    annotations: {},
    startsAt: '2026-11-29T03:00:00Z',
  }));
  const common = { groupLabels: {}, commonLabels: {}, commonAnnotations: {} };
  const body = JSON.stringify({ version: '4', status: 'firing', receiver: 'q', ...common, alerts });
  const answer = await fetch(`${url}/webhooks/am`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body,
  });
  return answer.status;
}

export interface Ready {
  readonly status: number;
  readonly text: string;
}

export async function ready(url: string): Promise<Ready> {
  const answer = await fetch(`${url}/readyz`, { headers: { connection: 'close' } });
  return { status: answer.status, text: await answer.text() };
}

export const until = (what: string, holds: () => Promise<boolean> | boolean, withinMs = 40_000): Promise<void> =>
  soon(what, holds, withinMs);
