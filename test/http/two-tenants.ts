// A real gateway with two tenants, and everything that a gateway shows, for both alike: alerts, incidents, a storm, runs in several states,
// pages, approvals, silences, notes, dead letters. Whatever belongs to a tenant bears its name, so that one can look for it in any answer.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { diskFiles } from '../../src/config/files.ts';
import { loadConfig } from '../../src/config/quench/config.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { startGateway } from '../../src/gateway/compose.ts';
import { configDeps } from '../../src/gateway/config-deps.ts';
import { signLink, type LinkClaim, type LinkKind } from '../../src/http/door/links.ts';
import type { Listed } from '../../src/readmodel/answers.ts';
import { passingClock } from '../support/passing-clock.ts';
import type {
  AlertDocument,
  ApprovalDocument,
  IncidentDocument,
  PageDocument,
  RunDocument,
  SilenceDocument,
} from '../../src/readmodel/documents.ts';

export const tenants = ['quagga', 'okapi'] as const;
export type Tenant = (typeof tenants)[number];

/** `admin` sees every scope; a tenant's token its tenant alone and its team; `team` only the team of the first tenant. All have the role admin. */
export type Token = 'admin' | 'team' | Tenant;

export const scopeOf = (tenant: Tenant): string => `${tenant};team=${tenant}-crew`;
const secretOf = (token: string): string => `token-of-${token}`;
const ackSecret = 'secret-of-links';

export interface Ids {
  readonly alerts: readonly string[];
  readonly incidents: readonly string[];
  readonly runs: readonly string[];
  readonly pages: readonly string[];
  readonly approvals: readonly string[];
  readonly silences: readonly string[];
  readonly deadletters: readonly string[];
  /** Runs that wait for a yes. */
  readonly waiting: readonly string[];
}

export interface Answered {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export interface TwoTenants {
  readonly url: string;
  readonly ids: { readonly [tenant in Tenant]: Ids };
  /** Path of a link for the reader of a page. */
  link(
    kind: LinkKind,
    tenant: Tenant,
    change?: { readonly expiresInMs?: number; readonly incident?: string; readonly run?: string },
  ): string;
  /** Sends what the form of a small page sends. */
  submit(path: string, fields: { readonly [name: string]: string }): Promise<Answered>;
  ask(method: string, path: string, token: Token | null, body?: object): Promise<Answered>;
  json<T>(path: string, token?: Token): Promise<T>;
  /** The same with a secret instead of a token's name. */
  sendAs(secret: string, method: string, path: string, body: object): Promise<Answered>;
  fire(tenant: Tenant, alert: string, host: string): Promise<void>;
  /** Posts to an endpoint what must be answered with the status. */
  deliver(endpoint: string, body: object, status: number): Promise<Answered>;
  stop(): Promise<void>;
}

function playbook(name: string, alert: string, mode: string, program: string): string {
  return `apiVersion: playbook/v1
name: ${name}
version: 1.0.0
summary: Runs ${program}.
owner: team/test
mode: ${mode}
on: [{ alert: alert.name == "${alert}" }]
params: { host: { type: string, from: alert.host, pattern: "[a-z0-9-]+" } }
target: { resource: "host/\${params.host}" }
guards: { concurrency: 20 }
diagnose: [{ check: "true", otherwise: end, say: "There is something to do." }]
steps: [{ id: act, uses: shell/run, with: { argv: ["${program}"] }, undo: { uses: shell/run, with: { argv: ["true"] } } }]
verify: { within: 30s, every: 5s, all: [{ uses: shell/check, with: { argv: ["true"] }, expect: result.ok }] }
escalate: { say: "It did not help." }
`;
}

/** `late`: what reads the deliveries of the endpoints `TENANT-late`. */
function files(late: string): { readonly [name: string]: string } {
  const door = (
    tenant: Tenant,
  ): string => `  ${tenant}-hook: { source: prometheus, tenant: ${tenant}, auth: { bearer: { file: data/ingest.token } } }
  ${tenant}-other: { source: newrelic, tenant: ${tenant}, auth: { bearer: { file: data/ingest.token } } }
  ${tenant}-late: { source: ${late}, tenant: ${tenant}, auth: { bearer: { file: data/ingest.token } }${tenant === tenants[0] ? ', alertsApi: true' : ''} }`;
  const token = (name: Token, scopes: string): string => `    ${name}: { role: admin, secret: { file: data/${name}.token }${scopes} }`;
  return {
    'quench.yaml': `listen: { host: 127.0.0.1, port: 0 }
api:
  metrics: read
  ackSecrets: { file: data/ack.secret }
  tokens:
${token('admin', '')}
${token('team', `, scopes: ["${scopeOf(tenants[0])}"]`)}
${tenants.map((tenant) => token(tenant, `, scopes: ["${tenant}", "${scopeOf(tenant)}"]`)).join('\n')}
scope: { labels: [team] }
endpoints:
${tenants.map(door).join('\n')}
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal }] } }
actions: { shell: { allow: [/usr/bin/true, /usr/bin/false], path: [/usr/bin] } }
storm: { alerts: 8, within: 60s }
settle: 1s
holdOff: 10s
`,
    'playbooks/ask.yaml': playbook('ask', 'Stuck', 'approve', 'true'),
    'playbooks/act.yaml': playbook('act', 'Slow', 'auto', 'true'),
    'playbooks/fail.yaml': playbook('fail', 'Hopeless', 'auto', 'false'),
    'playbooks/watch.yaml': playbook('watch', 'Odd', 'shadow', 'true'),
    'data/ingest.token': 'token-of-senders\n',
    'data/ack.secret': `${ackSecret}\n`,
    ...Object.fromEntries(['admin', 'team', ...tenants].map((name) => [`data/${name}.token`, `${secretOf(name)}\n`])),
  };
}

/** Starts twice: what the first one did not understand, the second one can, so that it can be replayed. */
export async function openTwoTenants(): Promise<TwoTenants> {
  const dir = mkdtempSync(join(tmpdir(), 'quench-tenants-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  try {
    const before = await open(dir, 'newrelic');
    for (const tenant of tenants) await before.caller.deliver(`${tenant}-late`, alertOf(tenant, 'Late', 'late'), 400);
    await before.stop();
    const { url, caller, stop } = await open(dir, 'prometheus');
    try {
      const ids = { quagga: await furnish(caller, 'quagga'), okapi: await furnish(caller, 'okapi') };
      const link: TwoTenants['link'] = (kind, tenant, { expiresInMs = 60_000, ...change } = {}) =>
        `/${kind}/${signLink(ackSecret, kind, { ...claimOf(tenant, ids[tenant], Date.now() + expiresInMs), ...change })}`;
      return { url, ids, ...caller, link, stop: () => stop().finally(remove) };
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    remove();
    throw error;
  }
}

async function open(dir: string, late: string): Promise<{ readonly url: string; readonly caller: Caller; stop(): Promise<void> }> {
  for (const [name, text] of Object.entries(files(late))) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  const loaded = loadConfig(join(dir, 'quench.yaml'), configDeps({}, diskFiles, createExpressions(), systemClock));
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const { clock, hurry } = passingClock();
  const quiet = (): void => {};
  const gateway = await startGateway(loaded.value, {
    clock,
    logger: { info: quiet, warn: quiet, error: quiet },
    stream: new PassThrough().resume(),
    executorEnv: { PATH: '/usr/bin:/bin' },
    version: '0.0.0-test',
  });
  const url = `http://127.0.0.1:${gateway.port}`;
  return {
    url,
    caller: callerOf(url),
    stop() {
      hurry();
      return gateway.stop();
    },
  };
}

type Caller = Pick<TwoTenants, 'ask' | 'json' | 'fire' | 'deliver' | 'sendAs' | 'submit'>;

function callerOf(url: string): Caller {
  async function send(method: string, path: string, token: string | null, body?: string): Promise<Answered> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        connection: 'close',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
  }
  const ask: Caller['ask'] = (method, path, token, body) =>
    send(method, path, token === null ? null : secretOf(token), body === undefined ? undefined : JSON.stringify(body));
  const deliver: Caller['deliver'] = async (endpoint, body, status) => {
    const answered = await send('POST', `/webhooks/${endpoint}`, 'token-of-senders', JSON.stringify(body));
    assert.equal(answered.status, status, answered.text);
    return answered;
  };
  return {
    ask,
    deliver,
    async submit(path, fields) {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { connection: 'close' },
        body: new URLSearchParams(fields),
      });
      return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
    },
    sendAs: (secret, method, path, body) => send(method, path, secret, JSON.stringify(body)),
    async json<T>(path: string, token: Token = 'admin') {
      const { status, text } = await ask('GET', path, token);
      assert.equal(status, 200, `${path}: ${text}`);
      return JSON.parse(text) as T; // What the route is said to answer; answers.test.ts holds it to that.
    },
    async fire(tenant, alert, host) {
      await deliver(`${tenant}-hook`, alertOf(tenant, alert, host), 200);
    },
  };
}

/** A delivery of one alert, in the words of the source that most endpoints have. */
export function alertOf(tenant: Tenant, alert: string, host: string): object {
  const alerts = [
    {
      status: 'firing',
      labels: { alertname: alert, host: `${tenant}-${host}`, team: `${tenant}-crew`, severity: 'critical' },
      annotations: { summary: `${tenant}: ${alert} on ${host}`, runbook: `${tenant} runbook` },
      startsAt: new Date().toISOString(),
    },
  ];
  return { version: '4', groupKey: 'g', receiver: 'quench', status: 'firing', alerts };
}

/** One of everything; waits until the read model shows it. */
async function furnish({ ask, json, fire, deliver }: Caller, tenant: Tenant): Promise<Ids> {
  for (const alert of ['Stuck', 'Slow', 'Hopeless', 'Odd']) await fire(tenant, alert, alert.toLowerCase());
  for (const host of ['second', 'third']) await fire(tenant, 'Stuck', host);
  const mine = async <T extends { readonly scope: string }>(noun: string): Promise<readonly T[]> =>
    (await json<Listed<T>>(`/api/v1/${noun}${noun === 'incidents' ? '?state=open,acknowledged,resolved&children=show' : ''}`)).items.filter(
      ({ scope }) => scope === scopeOf(tenant),
    );
  const runs = await until(
    () => mine<RunDocument>('runs'),
    (found) => found.length >= 6 && waitingIn(found).length === 3 && endsIn(found) >= 3,
  );
  const incidents = await until(
    () => mine<IncidentDocument>('incidents'),
    (found) => found.length >= 6,
  );
  const of = (alert: string): string => incidents.find(({ title }) => title.includes(alert))?.id ?? '';
  await command(ask, `/api/v1/incidents/${of('Hopeless')}/note`, { text: `${tenant} note` });
  await command(ask, `/api/v1/incidents/${of('Hopeless')}/ack`, {});
  await command(ask, `/api/v1/incidents/${of('Odd')}/resolve`, { note: `${tenant} resolution` });
  const matchers = [{ name: 'host', op: '=', value: `${tenant}-odd` }];
  const silence = { scope: scopeOf(tenant), matchers, endsAt: Date.now() + 3_600_000, comment: `${tenant} silence` };
  await command(ask, '/api/v1/silences', silence);
  await command(ask, '/api/v1/silences', { ...silence, comment: `${tenant} second silence`, endsAt: silence.endsAt + 1 });
  for (const what of ['first', 'second']) await deliver(`${tenant}-hook`, { notAlerts: `${tenant} ${what}` }, 400);
  for (let host = 0; host < 9; host += 1) await fire(tenant, 'Flood', `flood${host}`);
  await until(
    () => mine<IncidentDocument>('incidents'),
    (found) => found.some(({ storm, children }) => storm && children > 0) && found.some(({ state }) => state === 'resolved'),
  );
  const pages = await until(
    () => mine<PageDocument>('pages'),
    (found) => found.length > 0,
  );
  const silences = await until(
    () => mine<SilenceDocument>('silences'),
    (found) => found.length > 1,
  );
  const letters = await json<Listed<{ readonly id: string; readonly endpoint: string }>>('/api/v1/deadletters');
  const idsOf = (items: readonly { readonly id: string }[]): readonly string[] => items.map(({ id }) => id);
  return {
    alerts: idsOf(await mine<AlertDocument>('alerts')),
    incidents: idsOf(await mine<IncidentDocument>('incidents')),
    runs: idsOf(runs),
    waiting: idsOf(waitingIn(runs)),
    pages: idsOf(pages),
    approvals: idsOf(await mine<ApprovalDocument>('approvals')),
    silences: idsOf(silences),
    deadletters: idsOf(letters.items.filter(({ endpoint }) => endpoint.startsWith(tenant))),
  };
}

function waitingIn(runs: readonly RunDocument[]): readonly RunDocument[] {
  return runs.filter(({ state }) => state === 'waiting');
}

function endsIn(runs: readonly RunDocument[]): number {
  return new Set(runs.flatMap(({ end }) => (end === null ? [] : [end]))).size;
}

async function command(ask: Caller['ask'], path: string, body: object): Promise<void> {
  const { status, text } = await ask('POST', path, 'admin', body);
  assert.ok(status < 300, `${path}: ${status} ${text}`);
}

function claimOf(tenant: Tenant, { incidents, pages, waiting }: Ids, expiresAt: number): LinkClaim {
  return { scope: scopeOf(tenant), incident: incidents[0] ?? '', page: pages[0] ?? '', to: 'terminal', expiresAt, run: waiting[0] ?? '' };
}

async function until<T>(look: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
  const endsAt = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (holds(found)) return found;
    assert.ok(performance.now() < endsAt, `not within 20 s, last: ${JSON.stringify(found).slice(0, 4_000)}`);
    await sleep(50);
  }
}
