// Where the parts meet: a configuration and the registry become the gateway's running services.
// The only file that knows both the engine and the adapters; decides nothing about alerts.
import { schedule } from 'node-cron';
import { setImmediate as nextRound, setTimeout as sleep } from 'node:timers/promises';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createActions } from '../../adapters/actions.ts';
import { createExpressions, type CelExpressions } from '../../adapters/cel/expressions.ts';
import { createHttp as createOutgoing, type Http } from '../../adapters/kit/http-client.ts';
import { keyOf, verifySigned } from '../../adapters/kit/signature.ts';
import * as registry from '../../adapters/registry.ts';
import type { VerifySignature } from '../access/auth.ts';
import type { Files } from '../config/files.ts';
import type { ConfigDeps } from '../config/quench/loading.ts';
import type { Config } from '../config/quench/types.ts';
import { scopeOfId } from '../core/ids.ts';
import type { Notification } from '../core/page/notification.ts';
import { day, type Instant, type Millis } from '../core/time.ts';
import { startSightings } from '../engine/failopen/decision-feed.ts';
import { createFailOpen, type FailOpen, type FailOpenDeps } from '../engine/failopen/failopen.ts';
import { createIntake, type Intake } from '../engine/intake/intake.ts';
import { partitionOf } from '../engine/intake/scope.ts';
import { emptySpool, openSpool, type Spool, type SpoolDeps } from '../engine/intake/spool.ts';
import { sweepOld } from '../engine/retention.ts';
import { consumers, createService, type Service } from '../engine/service.ts';
import { forkExecutor, type ForkedExecutor } from '../executor/client.ts';
import type { HttpEndpoint, Log } from '../http/deps.ts';
import { signAck } from '../http/door/ack.ts';
import { createMetrics, type Metrics } from '../http/metrics.ts';
import { createHttp, type HttpServer } from '../http/server.ts';
import type { Backbone, BackboneWatch } from '../ports/backbone.ts';
import type { Clock } from '../ports/clock.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { Store } from '../ports/store.ts';
import { count } from '../readmodel/counts.ts';
import { alertId } from '../readmodel/documents.ts';
import { startPublishing } from './publishing.ts';
import { checksOf, standingOf } from './readiness.ts';
import { newInstance, openBackbone, openSpoolStore, openStore } from './stores.ts';

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
    logs: registry.logs,
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
    const instance = newInstance();
    const watch: BackboneWatch = {
      appended: (topic, tookMs, durable) => metrics.appended(topic, tookMs, durable),
      rebalanced: (role) => metrics.rebalanced(role),
    };
    const backbone = await openBackbone(config, { store, instance, around, watch });
    stops.push(() => backbone.close());
    const executor = await startExecutor(config, around);
    stops.push(() => executor.close());
    const metrics = createMetrics({
      lag: () => service.lag(),
      lags: () => service.lags(),
      acting: () => service.acting(),
      projectors: () => service.projectorLags(),
      away: () => backbone.problem() !== null,
      deadLetters: () => backbone.deadLetters.count(),
      ...(config.log === null ? {} : { spool: () => spool?.status() ?? emptySpool }),
    });
    const expressions = createExpressions();
    // Notifiers' addresses stand in quench.yaml, written by the operator, whose own systems are often on private networks.
    const outgoing = createOutgoing({ clock, policy: { allowPrivate: true, allow: [] } });
    stops.push(async () => outgoing.close());
    let intake: Intake | null = null;
    let spool: Spool | null = null;
    const notifiers = createNotifiers(config, around, outgoing);
    const awaySince = (): Instant | null => spool?.status().awaySince ?? null;
    const failOpen = createFailOpen(failOpenDeps(config, { store, backbone, notifiers, instance, around, metrics, awaySince }));
    stops.push(() => failOpen.stop());
    const onTrouble = (error: unknown): void => log.error({ error }, 'engine in trouble');
    const service = createService({
      roles: new Set(config.roles),
      shared: backbone,
      local: store,
      shares: backbone.shares,
      clock,
      expressions,
      executor,
      notifiers,
      dress: (notification) => dress(config, notification, clock),
      worker: instance,
      breathe: () => giveWay(() => intake?.underWay ?? 0),
      decided: (fact) => count(metrics, fact),
      onTrouble,
    });
    await service.start();
    stops.push(() => service.stop(stopGraceMs));
    if (config.roles.includes('project')) stops.push(startSightings({ log: backbone.log, clock, onTrouble }, failOpen.shown));
    stops.push(startRetention(config, { store, backbone, service, clock, log }));
    if (config.log !== null) {
      const own = await openSpoolStore(config, clock);
      stops.push(() => own.close());
      spool = await openSpool(spoolDeps(config, { own, backbone, failOpen, around, metrics }));
      stops.push(spool.stop);
    }
    intake = await openIntake(config, { backbone, service, clock, metrics, failOpen, spool, instance });
    stops.push(await startPublishing({ shared: config.log !== null, policy: config.policy, clock, log, intake, service }));
    const http = openHttp(config, around, { store, instance, backbone, service, intake, spool, metrics, executor, expressions });
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

function startRetention(
  config: Config,
  parts: { readonly store: Store; readonly backbone: Backbone; readonly service: Service; readonly clock: Clock; readonly log: Log },
): () => Promise<void> {
  const { store, backbone, service, clock, log } = parts;
  const deps = {
    views: store.views,
    log: backbone.forgets ? null : store.log,
    cursors: store.cursors,
    clock,
    retentionMs: config.limits.retentionMs,
    saved: service.saved,
    consumers,
  };
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
    program: fileURLToPath(new URL('./executor-main.ts', import.meta.url)),
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
  parts: Pick<Running, 'backbone' | 'service' | 'metrics' | 'spool' | 'instance'> & { readonly clock: Clock; readonly failOpen: FailOpen },
): Promise<Intake> {
  const { failOpen, instance, spool } = parts;
  let deliveries = 0;
  return createIntake({
    log: spool?.log ?? parts.backbone.log,
    offered: failOpen.offered,
    ...(spool === null ? {} : { newId: () => `${instance.slice(-12)}.${(deliveries += 1).toString(36)}` }),
    deadLetters: parts.backbone.deadLetters,
    endpoints: endpointsOf(config),
    clock: parts.clock,
    lagOf: () => parts.service.lag(),
    lagMax: config.limits.backlogMax,
    seen: (endpoint, claim) => parts.metrics.alert(endpoint, claim),
  });
}

function spoolDeps(
  config: Config,
  parts: {
    readonly own: Store;
    readonly backbone: Backbone;
    readonly failOpen: FailOpen;
    readonly around: Surroundings;
    readonly metrics: Metrics;
  },
): SpoolDeps {
  const { own, backbone, failOpen, around, metrics } = parts;
  return {
    ...config.spool,
    shared: backbone.log,
    store: own,
    deadLetters: backbone.deadLetters,
    clock: around.clock,
    watch: {
      spooled: failOpen.spooled,
      sent(batch) {
        metrics.drained();
        failOpen.sent(batch);
      },
      buried: ({ id, message }) => around.log.error({ letter: id, message }, 'a spooled delivery became a dead letter'),
    },
    onTrouble: (error) => around.log.error({ error }, 'the shared log does not take deliveries'),
  };
}

function failOpenDeps(
  config: Config,
  parts: {
    readonly store: Store;
    readonly backbone: Backbone;
    readonly notifiers: ReadonlyMap<string, Notifier>;
    readonly instance: string;
    readonly around: Surroundings;
    readonly metrics: Metrics;
    readonly awaySince: () => Instant | null;
  },
): FailOpenDeps {
  const { store, backbone, notifiers, instance, around, metrics, awaySince } = parts;
  return {
    ...config.failOpen,
    clock: around.clock,
    notifiers,
    instance,
    awaySince,
    partitionOf: (scope) => partitionOf(scope, backbone.log.partitions),
    seesDecisions: config.roles.includes('project'),
    async known(scope, fingerprint, observedAt) {
      const held = await store.views.get('alert', alertId(scope, fingerprint), [scope]);
      if (held?.state === 'cleared') return (held.clearedAt ?? 0) >= observedAt;
      return held?.state === 'firing' && held.severity === 'critical';
    },
    paged: (about) => metrics.rawPage(about),
    attempted: (notifier, outcome) => metrics.notification(notifier, outcome),
    onTrouble: (error) => around.log.error({ error }, 'an undecided alert was not paged in order'),
  };
}

function endpointsOf(config: Config): readonly HttpEndpoint[] {
  return Object.entries(config.endpoints).flatMap(([name, endpoint]) => {
    const kind = registry.sources.find((one) => one.name === endpoint.source);
    if (kind === undefined) return [];
    const { tenant, auth, alertsApi, options } = endpoint;
    return [{ name, source: kind.create(options), tenant, scopeLabels: config.scope.labels, auth, alertsApi }];
  });
}

interface Running {
  readonly store: Store;
  readonly instance: string;
  readonly backbone: Backbone;
  readonly service: Service;
  readonly intake: Intake;
  /** Of a gateway that shares a log. */
  readonly spool: Spool | null;
  readonly metrics: Metrics;
  readonly executor: ForkedExecutor;
  readonly expressions: CelExpressions;
}

function openHttp(config: Config, around: Surroundings, running: Running): HttpServer {
  const { bodyBytesMax, bufferedBytesMax, connectionsMax, streamsMax } = config.limits;
  const { log, deadLetters } = running.backbone;
  return createHttp({
    store: { log, deadLetters, views: running.store.views },
    intake: running.intake,
    endpoints: config.roles.includes('intake') ? endpointsOf(config) : [],
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
    standing: standingOf(config, running),
    version: around.version,
    limits: { bodyBytesMax, bufferedBytesMax, connectionsMax, streamsMax },
  });
}

const verify: VerifySignature = (secrets) => {
  const keys = secrets.map(keyOf).flatMap((key) => (key.ok ? [key.value] : []));
  return ({ headers, body, now }) =>
    verifySigned({ headers: headers as { readonly [name: string]: string | undefined }, body, now }, keys).ok;
};
