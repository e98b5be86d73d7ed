// A whole gateway on a shared log, in this process: its door, its pager and its log are at hand.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import { diskFiles } from '../../../src/config/files.ts';
import { loadConfig } from '../../../src/config/quench/config.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import { startGateway, type Gateway } from '../../../src/gateway/compose.ts';
import { configDeps } from '../../../src/gateway/config-deps.ts';
import { until } from '../../senders/support.ts';
import { Lines, patienceMs } from './support.ts';

const ingestToken = 'token-of-senders-of-a-test';
const adminToken = 'token-of-admin-of-a-test';

export interface HouseOptions {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly sasl: { readonly username: string; readonly password: string };
  readonly roles?: readonly string[];
}

export interface Health {
  readonly status: number;
  readonly text: string;
}

export interface House {
  readonly lines: Lines;
  /** Everything that the pager was given. */
  told(): string;
  /** Posts one alert, or its end; resolves to the status. */
  post(host: string, claim?: 'firing' | 'cleared'): Promise<number>;
  /** Waits until the alert of the host has the state in the read model. */
  shows(host: string, state: 'firing' | 'cleared'): Promise<void>;
  /** Waits until the pager was told of the host. */
  pages(host: string): Promise<void>;
  ready(): Promise<Health>;
  readyIs(status: number): Promise<Health>;
  /** Ends it in order and starts another on its data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openHouse(options: HouseOptions): Promise<House> {
  const dir = mkdtempSync(join(tmpdir(), 'quench-failures-'));
  for (const [name, text] of Object.entries(filesOf(options))) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  mkdirSync(join(dir, 'playbooks'));
  const loaded = loadConfig(join(dir, 'quench.yaml'), configDeps({}, diskFiles, createExpressions(), systemClock));
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const lines = new Lines();
  const started = new Map<string, string>();
  let told = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      told += chunk.toString();
      done();
    },
  });
  const around = { clock: systemClock, logger: lines.logger, stream, executorEnv: { PATH: '/usr/bin:/bin' }, version: '0.0.0-test' };
  let gateway: Gateway = await startGateway(loaded.value, around);

  const ask = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${adminToken}`, connection: 'close', 'content-type': 'application/json', ...init.headers };
    return fetch(`http://127.0.0.1:${gateway.port}${path}`, { ...init, headers });
  };
  const seen = async (): Promise<string> => `${await (await ask('/api/v1/alerts')).text()}\n${JSON.stringify(lines.all.slice(-20))}`;
  const ready = async (): Promise<Health> => {
    const answer = await ask('/readyz');
    return { status: answer.status, text: await answer.text() };
  };

  return {
    lines,
    told: () => told,
    async post(host, claim = 'firing') {
      const now = Date.now();
      const startsAt = started.get(host) ?? new Date(now).toISOString();
      started.set(host, startsAt);
      const labels = { alertname: `Down-${host}`, instance: host, severity: 'critical' };
      const alert = { labels, startsAt, ...(claim === 'cleared' ? { endsAt: new Date(now - 1).toISOString() } : {}) };
      const answer = await ask('/api/v2/alerts', {
        method: 'POST',
        headers: { authorization: `Bearer ${ingestToken}` },
        body: JSON.stringify([alert]),
      });
      await answer.arrayBuffer();
      return answer.status;
    },
    async shows(host, state) {
      await until(`the alert of ${host} is ${state}`, {
        withinMs: patienceMs,
        async look() {
          const page = (await (await ask(`/api/v1/alerts?text=${host}&state=${state}`)).json()) as { readonly items?: readonly unknown[] };
          return (page.items ?? []).length > 0 ? true : null;
        },
        seen,
      });
    },
    async pages(host) {
      await until(`a page about ${host}`, {
        withinMs: patienceMs,
        look: async () => (told.includes(host) ? true : null),
        seen: async () => `${told}\n${await seen()}`,
      });
    },
    ready,
    readyIs: (status) =>
      until(`readiness ${status}`, {
        withinMs: patienceMs,
        async look() {
          const health = await ready();
          return health.status === status ? health : null;
        },
        seen: async () => `${(await ready()).text}\n${JSON.stringify(lines.all.slice(-20))}`,
      }),
    async restart() {
      await gateway.stop();
      gateway = await startGateway(loaded.value, around);
    },
    async close() {
      await gateway.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function filesOf({ brokers, topicPrefix, sasl, roles }: HouseOptions): { readonly [name: string]: string } {
  const login = { mechanism: 'scram-sha-256', username: sasl.username, password: { file: 'data/log.password' } };
  const log = { type: 'kafka', brokers, topicPrefix, partitions: 2, replication: 1, sasl: login };
  return {
    'quench.yaml': `listen: { host: 127.0.0.1, port: 0 }
api: { tokens: { admin: { role: admin, secret: { file: data/admin.token } } } }
endpoints: { hook: { source: prometheus, auth: { bearer: { file: data/ingest.token } }, alertsApi: true } }
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal }] } }
routes: [{ ladder: default }]
settle: 0s
log: ${JSON.stringify(log)}
${roles === undefined ? '' : `roles: ${JSON.stringify(roles)}\n`}`,
    'data/admin.token': adminToken,
    'data/ingest.token': ingestToken,
    'data/log.password': sasl.password,
  };
}
