// The time series of a gateway that shows what was decided: opened, and written by a projector of their own.
import type { Config } from '../config/quench/types.ts';
import { GatewayError } from '../core/errors.ts';
import { seriesProjector } from '../engine/project/series.ts';
import type { Projector } from '../engine/project/projector.ts';
import type { Series } from '../ports/series.ts';
import type { Store } from '../ports/store.ts';
import type { Stops } from './stops.ts';
import { openSeries } from './stores.ts';
import type { Surroundings } from './surroundings.ts';

export interface GatewaySeries {
  /** Null where this process keeps none: its role is another, or they could not be opened, which keeps no gateway from paging. */
  readonly series: Series | null;
  readonly projectors: readonly Projector[];
  /** Before the engine is asked to stop: whoever waits for series that are away gives up. */
  stop(): Promise<void>;
}

export async function startSeries(
  config: Config,
  around: Surroundings,
  { store, stops }: { readonly store: Store; readonly stops: Stops },
): Promise<GatewaySeries> {
  const nothing: GatewaySeries = { series: null, projectors: [], stop: async () => {} };
  if (!config.roles.includes('project')) return nothing;
  const { logger, clock } = around;
  try {
    const { series, notebook, found, close } = await openSeries(config, around);
    stops.add(close);
    for (const each of found) logger.warn({ found: each }, 'the time series were not as they were left');
    const { hosts } = config.series;
    const giveUpAfterMs = config.limits.retentionMs;
    const projector = seriesProjector({ series, notebook, cursors: store.cursors, clock, options: { hosts }, giveUpAfterMs, logger });
    return { series, projectors: [projector], stop: async () => projector.stop() };
  } catch (error) {
    // Whatever it is, a person who is needed is reached without them.
    logger.error(
      { error: error instanceof GatewayError ? error.message : error },
      'the time series cannot be opened: the gateway goes on without them, until its next start',
    );
    return nothing;
  }
}
