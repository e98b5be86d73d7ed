// Where the parts meet: a configuration and the registry become the gateway's running services.
// The only file that knows both the engine and the adapters; decides nothing about alerts.
import { randomBytes } from 'node:crypto';
import { schedule } from 'node-cron';
import { setImmediate as nextRound, setTimeout as sleep } from 'node:timers/promises';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createActions } from '../adapters/actions.ts';
import { createExpressions, type CelExpressions } from '../adapters/cel/expressions.ts';
import * as registry from '../adapters/index.ts';
import { createHttp as createOutgoing, type Http } from '../adapters/kit.ts';
import { keyOf, verifySigned } from '../adapters/signature.ts';
import { sqliteLimits, sqliteStore } from '../adapters/sqlite/store.ts';
import type { Config } from './config/config-types.ts';
import type { ConfigDeps } from './config/loading.ts';
import type { Files } from './config/files.ts';
import { scopeOfId } from './core/ids.ts';
import type { Policy } from './core/policy.ts';
import type { Clock, Notification, Notifier, Store } from './core/ports.ts';
import { everyScope, type Fact } from './core/records.ts';
import { day, type Millis } from './core/time.ts';
import { forkExecutor, type ForkedExecutor } from './engine/executor.ts';
import { createIntake, type Intake } from './engine/intake.ts';
import { sweepOld } from './engine/retention.ts';
import { consumers, createService, type Service } from './engine/service.ts';
import type { VerifySignature } from './http/auth.ts';
import { signAck } from './http/ack.ts';
import type { Check, HttpEndpoint, Log } from './http/deps.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import { createHttp, type HttpServer } from './http/server.ts';

const partitions = 1;
const ackLinkMs: Millis = 3 * day;
const stopGraceMs: Millis = 5_000;
/** Deliveries under way at once that make the door crowded, and how long decisions then wait for it. */
const crowdedFrom = 8;
const giveWayMs: Millis = 5;
/** Once an hour, away from the full hour when everybody's jobs start. */
const retentionCron = '23 * * * *';

export interface Surroundings {
  readonly clock: Clock;
  readonly log: Log;
  /** Where the console notifier writes. */
  readonly stream: Writable;
  /** The child's environment; never the gateway's own. */
  readonly executorEnv: { readonly [name: string]: string };
  readonly version: string;
}

export interface Gateway {
  /** The port it listens on. */
  readonly port: number;
  readonly service: Service;
  stop(): Promise<void>;
}

/** What loading a configuration needs to know of the adapters. */
export function configDeps(env: ConfigDeps['env'], files: Files, expressions: CelExpressions, clock: Clock): ConfigDeps {
  return {
    env,
    files,
    expressions,
    actions: createActions({}, clock),
    sources: registry.sources,
    notifiers: registry.notifiers,
    actionKinds: registry.actionKinds,
    keyProblem: (secret) => {
      const key = keyOf(secret);
      return key.ok ? null : key.error;
    },
  };
}

/** Opens the store, starts the engine, publishes the policy, and then opens the door. */
export async function startGateway(config: Config, around: Surroundings): Promise<Gateway> {
  const { clock, log } = around;
  const stops: (() => Promise<void>)[] = [];
  /** From the outside in; what fails to stop does not keep the rest from stopping. */
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).toReversed())
      await one().catch((error: unknown) => log.error({ error }, 'a part did not stop in order'));
  };
  try {
    const store = await openStore(config, clock);
    stops.push(() => store.close());
    const executor = await startExecutor(config, around);
    stops.push(() => executor.close());
    const metrics = createMetrics({ lag: () => service.lag(), deadLetters: () => store.deadLetters.count() });
    const expressions = createExpressions();
    // Notifiers' addresses stand in quench.yaml, written by the operator, whose own systems are often on private networks.
    const outgoing = createOutgoing({ clock, policy: { allowPrivate: true, allow: [] } });
    stops.push(async () => outgoing.close());
    let intake: Intake | null = null;
    const service = createService({
      store,
      clock,
      expressions,
      executor,
      notifiers: createNotifiers(config, around, outgoing),
      dress: (notification) => dress(config, notification, clock),
      worker: `${process.pid}-${randomBytes(8).toString('hex')}`,
      breathe: () => giveWay(() => intake?.underWay ?? 0),
      seen: (fact) => count(metrics, fact),
      onTrouble: (error) => log.error({ error }, 'engine in trouble'),
    });
    await service.start();
    stops.push(() => service.stop(stopGraceMs));
    stops.push(startRetention(config, { store, service, clock, log }));
    intake = await openIntake(config, { store, service, clock, metrics });
    await publish(intake, service.policy(), config.policy);
    const http = openHttp(config, around, { store, service, intake, metrics, executor, expressions });
    const port = await http.start(config.listen.port, config.listen.host);
    stops.push(() => http.stop());
    return { port, service, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Between two batches of decisions the door goes first: when many senders wait for their answer, for a few milliseconds more. */
async function giveWay(waiting: () => number): Promise<void> {
  await nextRound();
  if (waiting() >= crowdedFrom) await sleep(giveWayMs);
}

async function openStore(config: Config, clock: Clock): Promise<Store> {
  const { queueRecordsMax, queueBytesMax, deadLettersMax } = config.limits;
  const limits = { ...sqliteLimits, queueRecordsMax, queueBytesMax, lettersMax: deadLettersMax };
  return sqliteStore({ path: `${config.data.dir}/quench.db`, partitions, limits, clock });
}

function startRetention(
  config: Config,
  parts: { readonly store: Store; readonly service: Service; readonly clock: Clock; readonly log: Log },
): () => Promise<void> {
  const { store, service, clock, log } = parts;
  const deps = { store, clock, retentionMs: config.limits.retentionMs, saved: service.saved, consumers };
  const sweep = async (): Promise<void> => {
    await sweepOld(deps).then(
      (swept) => log.info({ ...swept }, 'retention swept'),
      (error: unknown) => log.error({ error }, 'retention failed, tries again next hour'),
    );
  };
  const task = schedule(retentionCron, sweep, { noOverlap: true });
  return async () => void (await task.destroy());
}

function startExecutor(config: Config, around: Surroundings): Promise<ForkedExecutor> {
  return forkExecutor({
    program: fileURLToPath(new URL('../adapters/executor-main.ts', import.meta.url)),
    config: config.actions,
    clock: around.clock,
    env: around.executorEnv,
    onLost: (detail) => around.log.warn({ detail }, 'executor lost, a new one starts'),
  });
}

function createNotifiers(config: Config, around: Surroundings, http: Http): ReadonlyMap<string, Notifier> {
  const made = new Map<string, Notifier>();
  for (const [name, { type, options }] of Object.entries(config.notifiers)) {
    const kind = registry.notifiers.find((one) => one.name === type);
    if (kind !== undefined) made.set(name, kind.create(options, { http, clock: around.clock, stream: around.stream }));
  }
  return made;
}

/** The link by which a reader says "I have it" without an account. */
function dress(config: Config, notification: Notification, clock: Clock): Notification {
  const { publicUrl } = config.listen;
  const [secret] = config.api.ackSecrets;
  const scope = scopeOfId(notification.incident);
  if (secret === undefined || scope === null || notification.kind === 'resolve') return notification;
  const { incident, page } = notification;
  const token = signAck(secret, { scope, incident, page, to: notification.id.split('|').at(-1) ?? '', expiresAt: clock.now() + ackLinkMs });
  return { ...notification, links: [{ text: 'Acknowledge', href: `${publicUrl}/ack/${token}` }, ...notification.links] };
}

function openIntake(
  config: Config,
  parts: { readonly store: Store; readonly service: Service; readonly clock: Clock; readonly metrics: Metrics },
): Promise<Intake> {
  return createIntake({
    log: parts.store.log,
    deadLetters: parts.store.deadLetters,
    endpoints: endpointsOf(config),
    clock: parts.clock,
    lagOf: () => parts.service.lag(),
    lagMax: config.limits.backlogMax,
    seen: (endpoint, claim) => parts.metrics.alert(endpoint, claim),
  });
}

function endpointsOf(config: Config): readonly HttpEndpoint[] {
  return Object.entries(config.endpoints).flatMap(([name, endpoint]) => {
    const kind = registry.sources.find((one) => one.name === endpoint.source);
    if (kind === undefined) return [];
    const { tenant, auth, alertsApi, options } = endpoint;
    return [{ name, source: kind.create(options), tenant, scopeLabels: config.scope.labels, auth, alertsApi }];
  });
}

/** What decides is on the log: the configured policy is published when it is not the one in force. */
async function publish(intake: Intake, now: Policy | null, wanted: Policy): Promise<void> {
  if (now?.digest !== wanted.digest) await intake.submit({ type: 'PolicyPublished', scope: everyScope, policy: wanted });
}

interface Running {
  readonly store: Store;
  readonly service: Service;
  readonly intake: Intake;
  readonly metrics: Metrics;
  readonly executor: ForkedExecutor;
  readonly expressions: CelExpressions;
}

function openHttp(config: Config, around: Surroundings, running: Running): HttpServer {
  const { bodyBytesMax, bufferedBytesMax, connectionsMax, streamsMax } = config.limits;
  return createHttp({
    store: running.store,
    intake: running.intake,
    endpoints: endpointsOf(config),
    tokens: config.api.tokens,
    verify,
    ackSecrets: config.api.ackSecrets,
    policy: () => running.service.policy() ?? config.policy,
    frozen: () => running.service.frozen(),
    defaultScope: Object.values(config.endpoints)[0]?.tenant ?? 'default',
    expressions: running.expressions,
    clock: around.clock,
    log: around.log,
    metrics: running.metrics,
    metricsAccess: config.api.metrics,
    checks: checksOf(config, running),
    version: around.version,
    limits: { bodyBytesMax, bufferedBytesMax, connectionsMax, streamsMax },
  });
}

const verify: VerifySignature = (secrets) => {
  const keys = secrets.map(keyOf).flatMap((key) => (key.ok ? [key.value] : []));
  return ({ headers, body, now }) =>
    verifySigned({ headers: headers as { readonly [name: string]: string | undefined }, body, now }, keys).ok;
};

function checksOf(config: Config, running: Running): readonly Check[] {
  return [
    { name: 'engine', check: async () => running.service.bug()?.message ?? null },
    { name: 'log', check: async () => ((await running.store.log.end('inputs', 0)) >= 0 ? null : 'no inputs log') },
    { name: 'executor', check: async () => (running.executor.pid === null ? 'no executor process' : null) },
    {
      name: 'backlog',
      check: async () => (running.service.lag() > config.limits.backlogMax ? `${running.service.lag()} inputs wait to be decided` : null),
    },
  ];
}

function count(metrics: Metrics, fact: Fact): void {
  switch (fact.type) {
    case 'AlertDecided':
      return metrics.decision(fact.decision);
    case 'PageOpened':
      return metrics.page('opened');
    case 'PageRang':
      return metrics.page('rang');
    case 'PageAcked':
      return metrics.page('acked');
    case 'PageClosed':
      return metrics.page('closed');
    case 'NotifyFinished':
      return metrics.notification(fact.notifier, fact.outcome.outcome);
    case 'RunFinished':
      return metrics.run(fact.playbook, fact.end);
    default:
  }
}
