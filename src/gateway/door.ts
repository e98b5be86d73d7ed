// The door: intake behind HTTP, and how decisions make way for it.
import { setImmediate as nextRound, setTimeout as sleep } from 'node:timers/promises';
import type { CelExpressions } from '../../adapters/cel/expressions.ts';
import { keyOf, verifySigned } from '../../adapters/kit/signature.ts';
import { scopeOf } from '../engine/intake/scope.ts';
import type { VerifySignature } from '../access/gate.ts';
import type { Config } from '../config/quench/types.ts';
import type { Millis } from '../core/time.ts';
import type { FailOpen } from '../engine/failopen/failopen.ts';
import { createIntake, type Intake } from '../engine/intake/intake.ts';
import type { Service } from '../engine/service.ts';
import type { Spool } from '../engine/spool/spool.ts';
import type { RefusalWatch } from '../engine/refusals/watch.ts';
import type { ForkedExecutor } from '../executor/client.ts';
import type { HttpEndpoint } from '../http/deps.ts';
import type { Metrics } from '../http/metrics.ts';
import { createHttp, type HttpServer } from '../http/server.ts';
import type { Backbone } from '../ports/backbone.ts';
import type { Series } from '../ports/series.ts';
import type { Store } from '../ports/store.ts';
import type { ConfigTrouble } from './config-trouble.ts';
import type { Discretion } from './discretion.ts';
import type { Live } from './live.ts';
import { createParser, type Parser } from './parser.ts';
import { checksOf, logStatusOf } from './readiness.ts';
import type { Reconciling } from './reconcile.ts';
import type { Reload } from './reload.ts';
import type { Stops } from './stops.ts';
import { registryOf, type Surroundings } from './surroundings.ts';

/** Deliveries under way at once that make the door crowded, and how long decisions then wait for it. */
const crowdedFrom = 8;
const yieldMs: Millis = 5;
/** Less is parsed here sooner than it would be sent there and back. */
const largeFromChars = 524_288;

/** The parts of a running gateway that its door needs. */
export interface Running {
  readonly store: Store;
  readonly instance: string;
  readonly backbone: Backbone;
  readonly service: Service;
  readonly intake: Intake;
  readonly endpoints: readonly HttpEndpoint[];
  /** Of a gateway that shares a log. */
  readonly spool: Spool | null;
  readonly metrics: Metrics;
  readonly executor: ForkedExecutor;
  readonly expressions: CelExpressions;
  readonly reconciling: Reconciling;
  readonly notStarted: () => string | null;
  readonly stopping: () => string | null;
  readonly trouble: ConfigTrouble;
  readonly live: Live;
  readonly reload: Reload;
  readonly drift: () => Millis;
  readonly refusals: RefusalWatch;
  readonly series: Series | null;
}

/** So much waits to be decided only when senders bring more than is decided: then their answers wait (engine/intake/slowing.ts), and decisions do not. */
const behindFrom = 2_048;

/** Between two batches of decisions intake goes first: when many senders wait for their answer, for a few milliseconds more, unless decisions are behind. */
export async function yieldToIntake(waiting: () => number, backlog: () => number): Promise<void> {
  await nextRound();
  if (waiting() >= crowdedFrom && backlog() < behindFrom) await sleep(yieldMs);
}

export function openIntake(
  config: Config,
  parts: Pick<Running, 'backbone' | 'service' | 'metrics' | 'spool' | 'instance' | 'endpoints'> & {
    readonly failOpen: FailOpen;
    readonly discretion: Pick<Discretion, 'event'>;
    readonly around: Surroundings;
    readonly stops: Pick<Stops, 'add'>;
  },
): Promise<Intake> {
  const { backbone, service, metrics, failOpen, instance, spool, endpoints, discretion, around, stops } = parts;
  const parser = openParser(config, around, stops);
  let deliveries = 0;
  return createIntake({
    log: spool?.log ?? backbone.log,
    offered: failOpen.offered,
    discreet: discretion.event,
    ...(spool === null ? {} : { newId: () => `${instance.slice(-12)}.${(deliveries += 1).toString(36)}` }),
    ...(parser === null ? {} : { large: parser }),
    deadLetters: backbone.deadLetters,
    endpoints,
    clock: around.clock,
    lagOf: () => service.lag(),
    lagMax: config.limits.backlogMax,
    onAccepted: (endpoint, claim) => metrics.alert(endpoint, claim),
  });
}

/** What parses large deliveries. Its thread knows the sources that there are; none, when the gateway was given others. */
function openParser(config: Config, around: Surroundings, stops: Pick<Stops, 'add'>): Parser | null {
  if (around.registry !== undefined || !config.roles.includes('intake')) return null;
  const { listBytesMax, bodyBytesMax } = config.limits;
  const bytesMax = Math.max(listBytesMax, bodyBytesMax);
  const endpoints = Object.entries(config.endpoints).map(([name, { source, options, mapping }]) => ({ name, source, options, mapping }));
  const parser = createParser({ endpoints, clock: around.clock, logger: around.logger, fromChars: largeFromChars, bytesMax });
  stops.add(parser.stop);
  return parser;
}

export function openHttp(config: Config, around: Surroundings, running: Running): HttpServer {
  const { bodyBytesMax, listBytesMax, bufferedBytesMax, connectionsMax, streamsMax } = config.limits;
  const { log, deadLetters } = running.backbone;
  return createHttp({
    store: { log, deadLetters, views: running.store.views },
    series: running.series,
    minutesSaved: config.series.minutesSaved,
    intake: running.intake,
    endpoints: config.roles.includes('intake') ? running.endpoints : [],
    sourceRoutes: registryOf(around).sources.flatMap(({ routes }) => routes ?? []),
    scopings: Object.entries(config.endpoints).map(([endpoint, { tenant }]) => ({ endpoint, tenant, labels: config.scope.labels })),
    tenantScopes: new Map(Object.entries(config.endpoints).map(([name, { tenant }]) => [name, scopeOf(tenant, [], {})])),
    tokens: () => running.live.config().api.tokens,
    verify,
    ackSecrets: () => running.live.config().api.ackSecrets,
    approvals: () => running.live.config().approvals,
    reload: running.reload,
    policy: () => running.service.policy() ?? running.live.config().policy,
    frozen: () => running.service.frozen(),
    defaultScope: Object.values(config.endpoints)[0]?.tenant ?? 'default',
    expressions: running.expressions,
    clock: around.clock,
    logger: around.logger,
    metrics: running.metrics,
    refusals: running.refusals,
    metricsAccess: config.api.metrics,
    checks: checksOf(config, running, around.clock),
    logStatus: logStatusOf(config, running),
    version: around.version,
    limits: { bodyBytesMax, listBytesMax, bufferedBytesMax, connectionsMax, streamsMax },
  });
}

const verify: VerifySignature = (secrets) => {
  const keys = secrets.map(keyOf).flatMap((key) => (key.ok ? [key.value] : []));
  return ({ headers, body, now }) =>
    verifySigned({ headers: headers as { readonly [name: string]: string | undefined }, body, now }, keys).ok;
};
