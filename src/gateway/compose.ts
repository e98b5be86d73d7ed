// Where the parts meet: a configuration and the registry become the gateway's running services, in the order in which they need each other.
// How each part is made from the configuration is its own file beside this one. Decides nothing about alerts.
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { Config } from '../config/quench/types.ts';
import type { Policy } from '../core/playbook/policy.ts';
import type { Instant, Millis } from '../core/time.ts';
import { startDecisionFeed } from '../engine/failopen/decision-feed.ts';
import type { Intake } from '../engine/intake/intake.ts';
import { createService, type Service } from '../engine/service.ts';
import type { Spool } from '../engine/spool/spool.ts';
import { count } from '../readmodel/counts.ts';
import { openHttp, openIntake, yieldToIntake } from './door.ts';
import { createEngineStart } from './engine-start.ts';
import { createNotifiers, startExecutor, withAckLink } from './effects.ts';
import { endpointsOf } from './endpoints.ts';
import { createPublisher } from './publishing.ts';
import { createGatewayMetrics } from './metrics.ts';
import { startReconciling } from './reconcile.ts';
import { startRetention } from './retention.ts';
import { createStops } from './stops.ts';
import { newInstance, openBackbone, openStore } from './stores.ts';
import { registryOf, type Surroundings } from './surroundings.ts';
import { openFailOpen, openSharedLogSpool, seesDecisions } from './undecided.ts';

const stopGraceMs: Millis = 5_000;

export interface Gateway {
  /** The port it listens on. */
  readonly port: number;
  readonly service: Service;
  /** Puts another policy on the log, when it is not the one in force. */
  publish(policy: Policy): Promise<void>;
  stop(): Promise<void>;
}

/** Opens the store and then the door, which needs no decisions; then the engine starts and turns what an earlier life left. */
export async function startGateway(config: Config, around: Surroundings): Promise<Gateway> {
  const { clock, logger } = around;
  const stops = createStops(logger);
  const onTrouble = (error: unknown): void => logger.error({ error }, 'engine in trouble');
  // Asked of by parts that start before them.
  let intake: Intake | null = null;
  let spool: Spool | null = null;
  try {
    const store = await openStore(config, around);
    stops.add(() => store.close());

    const instance = newInstance();
    const backbone = await openBackbone(config, {
      store,
      instance,
      around,
      watch: {
        appended: (topic, tookMs, durable) => metrics.appended(topic, tookMs, durable),
        rebalanced: (role) => metrics.rebalanced(role),
      },
    });
    stops.add(() => backbone.close());

    const executor = await startExecutor(config, around);
    stops.add(() => executor.close());

    const metrics = createGatewayMetrics(config, { backbone, service: () => service, spool: () => spool });

    const { byName: notifiers, close: closeNotifiers } = createNotifiers(config, around);
    stops.add(closeNotifiers);

    const awaySince = (): Instant | null => spool?.status().awaySince ?? null;
    const failOpen = openFailOpen(config, around, { store, backbone, notifiers, instance, metrics, awaySince });
    stops.add(() => failOpen.stop());

    const expressions = createExpressions();
    const service = createService({
      roles: new Set(config.roles),
      shared: backbone,
      local: store,
      shares: backbone.shares,
      clock,
      expressions,
      executor,
      notifiers,
      withAckLink: (notification) => withAckLink(config, notification, clock),
      worker: instance,
      yieldToIntake: () => yieldToIntake(() => intake?.underWay ?? 0),
      decided: (fact) => count(metrics, fact),
      onTrouble,
    });
    stops.add(() => service.stop(stopGraceMs));

    if (seesDecisions(config)) stops.add(startDecisionFeed({ log: backbone.log, clock, onTrouble }, failOpen.shown));

    const { retentionMs } = config.limits;
    const trimmed = backbone.forgets ? null : store.log;
    stops.add(startRetention({ ...store, log: trimmed, clock, retentionMs, saved: service.saved, consumers: service.consumers }, logger));

    spool = await openSharedLogSpool(config, around, { backbone, failOpen, metrics });
    if (spool !== null) stops.add(spool.stop);

    const endpoints = endpointsOf(config, registryOf(around));
    intake = await openIntake(config, { backbone, service, clock, metrics, failOpen, spool, instance, endpoints });
    const publisher = createPublisher({ shared: config.log !== null, clock, logger, intake, service });
    stops.add(publisher.stop);

    const reconciling = startReconciling(config, around, { store, backbone, service, intake, endpoints, spool, metrics });
    stops.add(reconciling.stop);

    const engine = createEngineStart({ config, clock, service, publisher, log: backbone.log, onTrouble });
    const running = { store, instance, backbone, service, intake, endpoints, spool, metrics, executor, expressions, reconciling };
    const http = openHttp(config, around, { ...running, notStarted: engine.problem });
    await engine.beforeTheDoor();
    const port = await http.start(config.listen.port, config.listen.host);
    stops.add(() => http.stop());
    await engine.start();
    return { port, service, publish: publisher.publish, stop: stops.all };
  } catch (error) {
    await stops.all();
    throw error;
  }
}
