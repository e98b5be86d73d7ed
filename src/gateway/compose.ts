// Where the parts meet: a configuration and the registry become the gateway's running services, in the order in which they need each other.
// How each part is made from the configuration is its own file beside this one. Decides nothing about alerts.
import { createExpressions, type CelExpressions } from '../../adapters/cel/expressions.ts';
import { createScrubber, type Scrubber } from '../../adapters/kit/redact.ts';
import type { Config } from '../config/quench/types.ts';
import type { Instant, Millis } from '../core/time.ts';
import { startDecisionFeed } from '../engine/failopen/decision-feed.ts';
import type { StuckPartition } from '../engine/failopen/stuck.ts';
import type { Intake } from '../engine/intake/intake.ts';
import type { Projector } from '../engine/project/projector.ts';
import { createService, type Service } from '../engine/service.ts';
import type { Spool } from '../engine/spool/spool.ts';
import type { ForkedExecutor } from '../executor/client.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Backbone } from '../ports/backbone.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { count } from '../readmodel/counts.ts';
import { driftOf, openClock } from './believing.ts';
import { watchDataFiles } from './data-files.ts';
import { createDiscretion, type Discretion } from './discretion.ts';
import { createDrain } from './drain.ts';
import { openHttp, openIntake, yieldToIntake } from './door.ts';
import { pageTrouble, troubleOf } from './config-trouble.ts';
import { watchAppends } from './appends.ts';
import { createEngineStart } from './engine-start.ts';
import { startExecutor, withLinks } from './effects.ts';
import { endpointsOf } from './endpoints.ts';
import { openLive, type Live } from './live.ts';
import { createPublisher } from './publishing.ts';
import { createReload, type Reload } from './reload.ts';
import { createGatewayMetrics } from './metrics.ts';
import { startReconciling } from './reconcile.ts';
import { remindOfFreezes } from './freeze-reminder.ts';
import { openRefusalWatch } from './refusals.ts';
import { startRetention } from './retention.ts';
import { startSeries } from './series.ts';
import { createStops } from './stops.ts';
import { newInstance, openBackbone, openStore } from './stores.ts';
import { registryOf, type Surroundings } from './surroundings.ts';
import { openFailOpen, openSharedLogSpool, seesDecisions, startRecall } from './undecided.ts';

const stopGraceMs: Millis = 5_000;

export interface Gateway {
  /** The port it listens on. */
  readonly port: number;
  readonly service: Service;
  /** Reads the configuration again and puts it in force as far as a running gateway can. */
  readonly reload: Reload;
  stop(): Promise<void>;
}

/** From now on the secrets of the configuration reach neither the log nor what leaves as words. */
function discretionOf({ secrets }: Pick<Config, 'secrets'>, vault: Scrubber): Discretion {
  vault.learn(secrets);
  return createDiscretion(secrets);
}

/** Opens the store and then the door, which needs no decisions; then the engine starts and turns what an earlier life left. */
export async function startGateway(config: Config, given: Surroundings): Promise<Gateway> {
  const { logger, trouble = troubleOf(), vault = createScrubber() } = given;
  const discretion = discretionOf(config, vault);
  const stops = createStops(logger);
  const clock = openClock(given.clock, logger, stops);
  const around = { ...given, clock };
  const onTrouble = (error: unknown): void => logger.error({ error }, 'engine in trouble');
  // Asked of by parts that start before them.
  let intake: Intake | null = null;
  let spool: Spool | null = null;
  try {
    const { store, failing, undecidable } = watchAppends(await openStore(config, around), around);
    stops.add(() => store.close());
    stops.add(watchDataFiles({ clock, logger, store }));

    const instance = newInstance();
    const backbone = await openBackbone(config, {
      store,
      instance,
      around,
      problem: () => failing()?.says ?? null,
      watch: {
        appended: (topic, tookMs, durable) => metrics.appended(topic, tookMs, durable),
        rebalanced: (role) => metrics.rebalanced(role),
      },
    });
    stops.add(() => backbone.close());

    const executor = await startExecutor(config, around, vault);
    stops.add(() => executor.close());

    const series = await startSeries(config, around, { store, stops });
    const drift = (): Millis => driftOf(clock, service);
    const metrics = createGatewayMetrics(config, { store, backbone, service: () => service, spool: () => spool, trouble, clock, drift });

    const live = openLive(config, around, { vault, discretion, stops });
    const awaySince = (): Instant | null => spool?.status().awaySince ?? (config.log === null ? (undecidable()?.since ?? null) : null);
    const installation = (): string | null => service.installation().name;
    const seen = { awaySince, installation, stuck: (): readonly StuckPartition[] => service.stuck() };
    const failOpen = await openFailOpen(config, around, { store, backbone, live, instance, metrics, ...seen, stops });

    const expressions = createExpressions();
    const underWay = (): number => intake?.underWay ?? 0;
    const { projectors } = series;
    const watched = { metrics, underWay, onTrouble };
    const service = openService(config, clock, { backbone, store, instance, executor, live, expressions, projectors, ...watched });
    stops.add(() => service.stop(stopGraceMs));
    stops.add(series.stop);

    if (seesDecisions(config)) stops.add(startDecisionFeed({ log: backbone.log, clock, onTrouble }, failOpen.shown));

    stops.add(remindOfFreezes({ clock, logger, frozen: service.frozen }));
    stops.add(retentionOf(config, { store, backbone, service, clock, logger }));

    spool = await openSharedLogSpool(config, around, { backbone, failOpen, metrics, stops });

    const endpoints = endpointsOf(config, registryOf(around), { live, expressions, broken: trouble.broken.endpoints });
    intake = await openIntake(config, { backbone, service, metrics, failOpen, spool, instance, endpoints, discretion, around, stops });
    const publisher = createPublisher({ shared: config.log !== null, clock, logger, intake, service });
    stops.add(publisher.stop);
    const reload = createReload({ live, load: around.load ?? null, publish: publisher.publish, logger, trouble });

    const reconciling = startReconciling(config, around, { store, backbone, service, intake, endpoints, spool, metrics });
    stops.add(reconciling.stop);

    stops.add(pageTrouble(config, around, { notifiers: live.notifiers, metrics, trouble }));
    const engine = createEngineStart(config, around, { service, publisher, log: backbone.log, onTrouble });
    stops.add(engine.stop);
    const refusals = openRefusalWatch(config, around, { store, live, metrics, installation, endpoints, intake, failOpen, stops });
    const running = { store, instance, backbone, service, intake, endpoints, spool, metrics, executor, expressions, reconciling, drift };
    const drain = createDrain(config, { clock, logger, service });
    const told = { series: series.series, refusals, notStarted: engine.problem, stopping: drain.problem, trouble };
    const http = openHttp(config, around, { ...running, ...told, live, reload });
    await engine.beforeTheDoor();
    const port = await http.start(config.listen.port, config.listen.host);
    stops.add(() => http.stop());
    stops.add(async () => intake?.hurry());
    stops.add(startRecall(config, around, { store, failOpen }));
    await engine.start();
    return { port, service, reload, stop: () => drain.run().then(stops.all) };
  } catch (error) {
    await stops.all();
    throw error;
  }
}

interface Engine {
  readonly backbone: Backbone;
  readonly store: Store;
  readonly instance: string;
  readonly executor: ForkedExecutor;
  readonly live: Live;
  readonly expressions: CelExpressions;
  readonly metrics: Metrics;
  /** Deliveries that wait for their answer. */
  readonly underWay: () => number;
  readonly onTrouble: (error: unknown) => void;
  readonly projectors: readonly Projector[];
}

function openService(config: Config, clock: Clock, { backbone, store, instance, metrics, underWay, live, ...parts }: Engine): Service {
  const service: Service = createService({
    ...parts,
    notifiers: live.notifiers,
    roles: new Set(config.roles),
    shared: backbone,
    local: store,
    shares: backbone.shares,
    clock,
    withLinks: (notification) => withLinks(live.config(), notification, clock),
    worker: instance,
    yieldToIntake: () => yieldToIntake(underWay, service.lag),
    decided: (fact) => count(metrics, fact),
  });
  return service;
}

interface Kept {
  readonly store: Awaited<ReturnType<typeof openStore>>;
  readonly backbone: Awaited<ReturnType<typeof openBackbone>>;
  readonly service: Service;
  readonly clock: Surroundings['clock'];
  readonly logger: Surroundings['logger'];
}

/** A shared log forgets by itself. */
function retentionOf(config: Config, { store, backbone, service, clock, logger }: Kept): () => Promise<void> {
  const { retentionMs, diskBytesMax: bytesMax } = config.limits;
  const log = backbone.forgets ? null : store.log;
  const deps = { ...store, log, clock, retentionMs, saved: service.saved, consumers: service.consumers };
  return startRetention(deps, store.bytes === undefined ? null : { bytes: store.bytes, bytesMax }, logger);
}
