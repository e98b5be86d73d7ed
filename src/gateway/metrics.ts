// The figures that a scrape asks the running gateway for; what they are called is http/metrics.ts.
import { freezesOf } from '../core/playbook/freeze.ts';
import type { Clock } from '../ports/clock.ts';
import type { Config } from '../config/quench/types.ts';
import type { Millis } from '../core/time.ts';
import type { Service } from '../engine/service.ts';
import { emptySpool, type Spool } from '../engine/spool/spool.ts';
import { createMetrics, type Metrics } from '../http/metrics.ts';
import type { ConfigTrouble } from './config-trouble.ts';
import type { Backbone } from '../ports/backbone.ts';
import type { Store } from '../ports/store.ts';

interface Parts {
  readonly store: Pick<Store, 'trouble' | 'bytes'>;
  readonly backbone: Backbone;
  /** Both start after the metrics, and are there when somebody scrapes. */
  readonly service: () => Service;
  readonly spool: () => Spool | null;
  readonly trouble: ConfigTrouble;
  readonly clock: Pick<Clock, 'now'>;
  readonly drift: () => Millis;
}

export function createGatewayMetrics(
  config: Pick<Config, 'log' | 'limits'>,
  { store, backbone, service, spool, trouble, clock, drift }: Parts,
): Metrics {
  return createMetrics({
    drift,
    configProblems: () => trouble.problems(),
    lag: () => service().lag(),
    lags: () => service().lags(),
    acting: () => service().acting(),
    projectors: () => service().projectorLags(),
    frozen: () => freezesOf(service().frozen(), clock.now()).length,
    away: () => backbone.problem() !== null,
    dataTrouble: () => (store.trouble?.() ?? null) !== null,
    ...(store.bytes === undefined ? {} : { storeBytes: { taken: store.bytes, max: config.limits.diskBytesMax } }),
    unreached: () => service().unreached(),
    deadLetters: () => backbone.deadLetters.count(),
    ...(config.log === null ? {} : { spool: () => spool()?.status() ?? emptySpool }),
  });
}
