// The real gateway as a process: started on a folder of its own, killed, started again with the same port and data,
// and seen through its HTTP API only.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, ready, root, startDaemon, until, type Daemon } from './support.ts';

export const ingestToken = 'senders-ingest-token';
export const adminToken = 'senders-admin-token';

export interface Doc {
  readonly id: string;
  readonly state: string;
  readonly [key: string]: unknown;
}

export interface IncidentDoc extends Doc {
  readonly alerts: readonly Doc[];
  readonly pages: readonly Doc[];
}

export interface Gateway {
  readonly port: number;
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  alertsOf(host: string): Promise<readonly Doc[]>;
  incident(id: unknown): Promise<IncidentDoc>;
  timeline(incident: unknown): Promise<readonly string[]>;
  /** The body behind an alert, as it was received. */
  raw(alert: Doc): Promise<string>;
  /** Waits for an alert of the host that fits; the error shows all alerts and incidents of the API. */
  alert(expected: string, host: string, fits: (alert: Doc) => boolean, withinMs?: number): Promise<Doc>;
  /** Waits until the incident is in the state. */
  incidentIs(state: string, id: unknown, withinMs?: number): Promise<IncidentDoc>;
}

const patienceMs = 20_000;

export async function createGateway(dir: string): Promise<Gateway> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(dir, 'quench.yaml');
  mkdirSync(join(dir, 'playbooks'), { recursive: true });
  writeFileSync(join(dir, 'ingest.token'), `${ingestToken}\n`);
  writeFileSync(join(dir, 'admin.token'), `${adminToken}\n`);
  writeFileSync(config, configOf(port));
  let daemon: Daemon | null = null;

  async function text(path: string): Promise<string> {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${adminToken}` } });
    const body = await answer.text();
    assert.ok(answer.ok, `GET ${path}: ${answer.status} ${body}`);
    return body;
  }
  /** Our own API: the caller knows the shape. */
  async function json<T>(path: string): Promise<T> {
    return JSON.parse(await text(path));
  }
  const list = async (noun: string): Promise<readonly Doc[]> => (await json<{ items: Doc[] }>(`/api/v1/${noun}?limit=200`)).items;

  const gateway: Gateway = {
    port,
    url,
    async start() {
      daemon = startDaemon(process.execPath, [join(root, 'bin/quench.js'), 'serve', '--config', config], { log: join(dir, 'quench.log') });
      await ready(daemon, `${url}/readyz`);
    },
    kill: async () => daemon?.kill(),
    stop: async () => daemon?.stop(),
    async alertsOf(host) {
      return (await list('alerts')).filter(({ entity }) => (entity as { host?: string }).host === host);
    },
    incident: (id) => json(`/api/v1/incidents/${encodeURIComponent(String(id))}`),
    async timeline(id) {
      const story = await json<{ items: { text: string }[] }>(`/api/v1/incidents/${encodeURIComponent(String(id))}/timeline`);
      return story.items.map((entry) => entry.text);
    },
    async raw(alert) {
      return (await json<{ body: string }>(`/api/v1/alerts/${encodeURIComponent(alert.id)}/raw`)).body;
    },
    alert: (expected, host, fits, withinMs = patienceMs) =>
      until(`alert of ${host}: ${expected}`, {
        withinMs,
        look: async () => (await gateway.alertsOf(host)).find(fits) ?? null,
        seen: picture,
      }),
    incidentIs: (state, id, withinMs = patienceMs) =>
      until(`incident ${String(id)} is ${state}`, {
        withinMs,
        async look() {
          const incident = await gateway.incident(id);
          return incident.state === state ? incident : null;
        },
        seen: async () => `${await picture()}\n${(await gateway.timeline(id)).join('\n')}`,
      }),
  };

  async function picture(): Promise<string> {
    const brief = (doc: Doc, names: readonly string[]): string => JSON.stringify(names.map((name) => doc[name]));
    const alerts = (await list('alerts')).map((doc) => brief(doc, ['state', 'name', 'entity', 'severity', 'count', 'muted', 'incident']));
    const incidents = (await list('incidents')).map((doc) => brief(doc, ['state', 'id', 'title', 'severity', 'decision', 'reason']));
    return ['alerts:', ...alerts, 'incidents:', ...incidents].join('\n');
  }

  return gateway;
}

function configOf(port: number): string {
  return `listen: { host: 127.0.0.1, port: ${port} }
api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }
data: { dir: ./data }
endpoints:
  prometheus: { source: prometheus, auth: { bearer: { file: ingest.token } }, alertsApi: true }
  nagios: { source: nagios, auth: { bearer: { file: ingest.token } } }
  zabbix: { source: zabbix, auth: { bearer: { file: ingest.token } } }
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal, wait: 5m }] } }
playbooks: { dir: ./playbooks }
settle: 1s
holdOff: 0s
`;
}
