// A whole front of the gateway in memory: store, intake, HTTP. Only the clock and the medium's sync are in the test's hand.
import { createHmac } from 'node:crypto';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { keyOf, verifySigned } from '../../adapters/kit/signature.ts';
import { memoryDisk } from '../../adapters/memory/disk.ts';
import { memoryLimits, memoryStore, type MemoryLimits } from '../../adapters/memory/store.ts';
import type { Source } from '../../src/ports/source.ts';
import { prometheus } from '../../adapters/prometheus/source.ts';
import { registry } from '../../adapters/registry.ts';
import type { VerifySignature } from '../../src/access/gate.ts';
import type { ApiToken } from '../../src/access/tokens.ts';
import type { Playbook } from '../../src/core/playbook/document.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { createIntake, type Intake } from '../../src/engine/intake/intake.ts';
import type { LargeParser } from '../../src/engine/intake/large-delivery.ts';
import type { HttpDeps, HttpEndpoint } from '../../src/http/deps.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { createHttp, type HttpServer } from '../../src/http/server.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { LogRecord } from '../../src/ports/event-log.ts';
import type { Store } from '../../src/ports/store.ts';
import type { DocumentPatch } from '../../src/readmodel/patch.ts';
import { wallClock } from '../support/wallclock.ts';

export const noon = Date.UTC(2026, 10, 21, 12);
const signing = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const tokens = { read: 'token-of-rita', operate: 'token-of-olga', admin: 'token-of-anna', bound: 'token-of-bert' } as const;

export const holders: readonly ApiToken[] = [
  { name: 'rita', role: 'read', secret: tokens.read, scopes: null },
  { name: 'olga', role: 'operate', secret: tokens.operate, scopes: null },
  { name: 'anna', role: 'admin', secret: tokens.admin, scopes: null },
  { name: 'bert', role: 'operate', secret: tokens.bound, scopes: ['other'] },
];

/** How compose joins the signature check of adapters to the door. */
const verify: VerifySignature = (secrets) => {
  const keys = secrets.map(keyOf).flatMap((key) => (key.ok ? [key.value] : []));
  return ({ headers, body, now }) => verifySigned({ headers: headers as Record<string, string | undefined>, body, now }, keys).ok;
};

// Its own answer is left out: the house's is what is tested here.
const { name: sourceName, parse, lists } = prometheus({});
const source: Source = { name: sourceName, parse, ...(lists === undefined ? {} : { lists }) };
const base = { source, tenant: 'default', scopeLabels: [], alertsApi: false } as const;
export const endpoints: readonly HttpEndpoint[] = [
  { ...base, name: 'open', auth: [{ kind: 'none' }], alertsApi: true },
  { ...base, name: 'bearer', auth: [{ kind: 'bearer', secrets: ['old-secret', 'new-secret'] }] },
  { ...base, name: 'basic', auth: [{ kind: 'basic', secrets: ['old-secret', 'new-secret'] }] },
  { ...base, name: 'signed', auth: [{ kind: 'hmac', secrets: [signing] }] },
  {
    ...base,
    name: 'both',
    auth: [
      { kind: 'bearer', secrets: ['new-secret'] },
      { kind: 'hmac', secrets: [signing] },
    ],
  },
  { ...base, name: 'shut', auth: [] },
  { ...base, name: 'teams', auth: [{ kind: 'none' }], scopeLabels: ['team'] },
];

export interface Front {
  readonly store: Store;
  readonly intake: Intake;
  readonly http: HttpServer;
  readonly deps: HttpDeps;
  readonly logged: { readonly fields: object; readonly text: string }[];
  /** What the watch over refusals was told: endpoint, kind, announced bytes; or that a delivery was taken. */
  readonly refusals: readonly string[];
  /** Wall time of the gateway. */
  setNow(now: number): void;
  /** Inputs that the host is behind. */
  setLag(lag: number): void;
  inputs(): Promise<readonly LogRecord[]>;
}

export interface FrontOptions {
  readonly sync?: () => Promise<void>;
  readonly limits?: Partial<HttpDeps['limits']>;
  readonly storeLimits?: Partial<MemoryLimits>;
  readonly clock?: Clock;
  readonly partitions?: number;
  readonly endpoints?: readonly HttpEndpoint[];
  readonly store?: Store;
  readonly checks?: HttpDeps['checks'];
  readonly logStatus?: HttpDeps['logStatus'];
  readonly approvals?: ReturnType<HttpDeps['approvals']>;
  readonly frozen?: ReturnType<HttpDeps['frozen']>;
  readonly series?: HttpDeps['series'];
  readonly large?: LargeParser;
  /** In the place of those of rita, olga, anna and bert. */
  readonly tokens?: HttpDeps['tokens'];
}

export async function front(options: FrontOptions = {}): Promise<Front> {
  let now = noon;
  let lag = 0;
  const clock: Clock = options.clock ?? { ...wallClock, now: () => now };
  const store =
    options.store ??
    memoryStore({
      disk: memoryDisk(),
      partitions: options.partitions ?? 2,
      clock,
      limits: { ...memoryLimits, ...options.storeLimits },
      ...(options.sync === undefined ? {} : { sync: options.sync }),
    });
  const metrics = createMetrics({
    lag: () => lag,
    lags: () => new Map([[0, lag]]),
    acting: () => [0],
    deadLetters: () => store.deadLetters.count(),
  });
  const doors = options.endpoints ?? endpoints;
  const intake = await createIntake({
    log: store.log,
    deadLetters: store.deadLetters,
    endpoints: doors,
    clock,
    lagOf: () => lag,
    lagMax: 1_000,
    onAccepted: (endpoint, claim) => metrics.alert(endpoint, claim),
    ...(options.large === undefined ? {} : { large: options.large }),
  });
  const logged: Front['logged'] = [];
  const refusals: string[] = [];
  const say = (fields: object, text: string): void => void logged.push({ fields, text });
  const deps: HttpDeps = {
    store,
    intake,
    endpoints: doors,
    scopings: doors.map(({ name, tenant, scopeLabels }) => ({ endpoint: name, tenant, labels: scopeLabels })),
    tenantScopes: new Map(doors.map(({ name, tenant }) => [name, tenant])),
    sourceRoutes: registry.sources.flatMap(({ routes }) => routes ?? []),
    series: options.series ?? null,
    minutesSaved: { default: 15 },
    tokens: options.tokens ?? (() => holders),
    verify,
    approvals: () => options.approvals ?? { byLink: false, approvers: [] },
    ackSecrets: () => ['new-ack-secret', 'old-ack-secret'],
    policy: () => policy,
    reload: async () => ({
      outcome: 'unchanged',
      digest: policy.digest,
      playbooks: policy.playbooks.length,
      changed: [],
      restart: [],
      problems: [],
    }),
    frozen: () => options.frozen ?? null,
    defaultScope: 'default',
    expressions: createExpressions(),
    clock,
    logger: { info: say, warn: say, error: say },
    metrics,
    refusals: {
      refused: (endpoint, { kind, bytes }) => void refusals.push(`${endpoint} ${kind} ${bytes}`),
      accepted: (endpoint) => void refusals.push(`${endpoint} taken`),
    },
    metricsAccess: 'open',
    checks: options.checks ?? [],
    logStatus: options.logStatus ?? alone,
    version: '0.0.0-test',
    limits: { loginDelayMsMax: 0, ...options.limits }, // the searches over all routes ask hundreds of times with a wrong token
  };
  return {
    store,
    intake,
    deps,
    http: createHttp(deps),
    logged,
    refusals,
    setNow: (at) => (now = at),
    setLag: (behind) => (lag = behind),
    inputs: () => inputsOf(store),
  };
}

/** A gateway of which nobody has told anything. */
const alone: HttpDeps['logStatus'] = {
  instance: 'one',
  roles: ['intake'],
  kind: 'embedded',
  role: async () => ({ here: new Set(), reached: new Map(), lags: new Map() }),
};

export async function inputsOf(store: Store): Promise<readonly LogRecord[]> {
  const parts = Array.from({ length: store.log.partitions }, (_, partition) => store.log.read('inputs', partition, 0, 10_000));
  return (await Promise.all(parts)).flat();
}

/** A medium whose sync the test ends; `reached` resolves when the first one begins. */
export function heldSync(): { readonly sync: () => Promise<void>; readonly reached: Promise<void>; readonly open: () => void } {
  const reached = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const sync = (): Promise<void> => {
    reached.resolve();
    return held.promise;
  };
  return { sync, reached: reached.promise, open: () => held.resolve() };
}

/** Asks again until the answer is the one, for what another process or socket does meanwhile; at most two seconds. */
export async function eventually<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  for (let round = 0; ; round++) {
    const answer = await ask();
    if (holds(answer) || round === 100) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Puts documents where the projector would. */
export async function showing(
  store: Store,
  patches: readonly DocumentPatch[],
  entries: Parameters<Store['views']['apply']>[0]['entries'] = [],
) {
  shown += 1;
  await store.views.apply({ cursor: 'test', partition: 0, offset: shown, patches, entries });
}
let shown = 0;

/** One group of alerts as the first source of the house sends it. */
export function group(...names: readonly string[]): object {
  return {
    version: '4',
    groupKey: 'g',
    receiver: 'quench',
    status: 'firing',
    alerts: names.map((name) => ({
      status: 'firing',
      labels: { alertname: name, host: 'db1', severity: 'critical' },
      annotations: { summary: `${name} on db1` },
      startsAt: '2026-11-21T11:59:00Z',
    })),
  };
}

/** Headers of a signed delivery. */
export function signed(body: string, { id = 'msg_1', at = noon, key = signing } = {}): Record<string, string> {
  const stamp = String(Math.floor(at / 1_000));
  const secret = Buffer.from(key.slice('whsec_'.length), 'base64');
  const mac = createHmac('sha256', secret).update(`${id}.${stamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': stamp, 'webhook-signature': `v1,${mac}` };
}

const playbook: Playbook = {
  name: 'restart-web',
  version: '1',
  summary: 'Restart the web server',
  owner: 'team-web',
  mode: 'shadow',
  triggers: [],
  params: {},
  target: 'web',
  guards: { cooldownMs: 0, attempts: null, concurrency: 1, confidence: 0, approveWithinMs: 900_000 },
  diagnose: [],
  steps: [],
  verify: { withinMs: 60_000, everyMs: 5_000, stableForMs: 0, require: 'all', proofs: [{ kind: 'resolved' }], otherwise: 'escalate' },
  escalate: { ladder: null, say: '' },
  digest: 'sha256:01',
};

const policy: Policy = {
  digest: 'sha256:00',
  playbooks: [playbook],
  ladders: {},
  routes: [],
  grouping: { windowMs: 300_000, labels: [], reopenMs: 600_000, membersMax: 100 },
  storm: { alerts: 50, withinMs: 60_000 },
  flap: { startPercent: 50, stopPercent: 25 },
  paging: { severity: 'critical', score: 0.5 },
  settleMs: 0,
  holdOffMs: 0,
  staleMs: 3_600_000,
};
