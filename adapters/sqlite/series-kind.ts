// The embedded time series as the registry knows them: a file beside the store.
import { join } from 'node:path';
import type { SeriesKind } from '../kit/kinds.ts';
import { pointsMaxDefault, sqliteSeries } from './series.ts';

export const sqliteSeriesKind: SeriesKind = {
  name: 'sqlite',
  options: { type: 'object', additionalProperties: false, properties: {} },
  open: (_, { clock, dir, keep }) => sqliteSeries({ path: seriesFileIn(dir), keep, pointsMax: pointsMaxDefault, clock }),
};

/** Also the notebook of a gateway whose series are elsewhere. */
export function seriesFileIn(dir: string): string {
  return join(dir, 'quench.series.db');
}
