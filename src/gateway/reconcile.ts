// The sources that are asked what is open there: one reconciler for each endpoint that configures it.
import { createHttp } from '../../adapters/kit/http-client.ts';
import type { Config } from '../config/quench/types.ts';
import { hour, second, type Millis } from '../core/time.ts';
import type { Intake } from '../engine/intake/intake.ts';
import { partitionOf, scopeOf } from '../engine/intake/scope.ts';
import { createReconciler, type ReconcileStatus, type ReconcileWatch } from '../engine/reconcile/reconciler.ts';
import type { Service } from '../engine/service.ts';
import type { Spool } from '../engine/spool/spool.ts';
import type { HttpEndpoint } from '../http/deps.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Backbone } from '../ports/backbone.ts';
import type { Logger } from '../ports/logger.ts';
import type { Store } from '../ports/store.ts';
import { registryOf, type Surroundings } from './surroundings.ts';

/** Facts that the read model may be behind while it is still good enough to compare with. */
const behindMax = 1_000;
const confirmMs: Millis = 30 * second;
/** Well below the time after which an alert that nobody repeats counts as ended. */
const refreshMs: Millis = hour;

interface Parts {
  readonly store: Pick<Store, 'views'>;
  readonly backbone: Backbone;
  readonly service: Pick<Service, 'behind' | 'lag' | 'lags'>;
  readonly intake: Pick<Intake, 'accept' | 'submit'>;
  readonly endpoints: readonly HttpEndpoint[];
  readonly spool: Pick<Spool, 'status'> | null;
  readonly metrics: Pick<Metrics, 'asked' | 'reconciled'>;
}

export interface Reconciling {
  statuses(): readonly ReconcileStatus[];
  stop(): Promise<void>;
}

/** Begins to ask; the first asking comes at once, or as soon as the read model has caught up. */
export function startReconciling(config: Config, around: Surroundings, parts: Parts): Reconciling {
  const { store, backbone, service, intake, endpoints, spool, metrics } = parts;
  const { clock, logger } = around;
  // Sources' addresses stand in quench.yaml, written by the operator, whose monitoring is mostly on private networks.
  const http = createHttp({ clock, policy: { allowPrivate: true, allow: [] } });
  const shares = backbone.shares('host');
  const asks = config.roles.includes('host') && config.roles.includes('project');
  const isAway = (): boolean => {
    const status = spool?.status();
    return status !== undefined && (status.awaySince !== null || status.records > 0);
  };
  const reconcilers = (asks ? endpoints : []).flatMap((endpoint) => {
    const asked = config.endpoints[endpoint.name]?.reconcile ?? null;
    const kind = registryOf(around).sources.find(({ name }) => name === endpoint.source.name)?.ask;
    if (asked === null || kind === undefined) return [];
    const partition = partitionOf(scopeOf(endpoint.tenant, [], {}), backbone.log.partitions);
    const { everyMs, unheardMs, graceMs } = asked;
    const isDecidedHere = (): boolean => shares.holds(partition) && service.lags().has(partition);
    return [
      createReconciler({
        endpoint,
        source: kind.create(asked.options, { http, clock }),
        everyMs,
        pace: { unheardMs, graceMs, refreshMs, confirmMs: Math.min(confirmMs, everyMs) },
        clock,
        views: store.views,
        mayAsk: () => isDecidedHere() && service.behind() + service.lag() <= behindMax,
        isAway,
        accept: intake.accept,
        submit: intake.submit,
        watch: watchOf(metrics, logger),
      }),
    ];
  });
  for (const reconciler of reconcilers) reconciler.start();
  return {
    statuses: () => reconcilers.map((reconciler) => reconciler.status()),
    async stop() {
      await Promise.all(reconcilers.map((reconciler) => reconciler.stop()));
      http.close();
    },
  };
}

/** The log hears of a source's trouble when its reason is new. */
function watchOf(metrics: Parts['metrics'], logger: Logger): ReconcileWatch {
  return {
    asked: metrics.asked,
    told: metrics.reconciled,
    trouble(endpoint, says) {
      if (says === null) logger.info({ endpoint }, 'the source answers again what is open there');
      else logger.warn({ endpoint, says }, 'a source cannot be asked fully what is open there');
    },
  };
}
