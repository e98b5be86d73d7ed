// Time series in InfluxDB as the registry knows them. What the options mean stands at InfluxOptions.
import { checked, type SeriesKind } from '../kit/kinds.ts';
import { faultOf, InfluxOptions, settingsOf } from './options.ts';
import { influxSeries } from './series.ts';

export const influxSeriesKind: SeriesKind = {
  name: 'influx',
  options: InfluxOptions,
  fault: (options) => faultOf(checked(options)),
  async open(options, { clock, logger, keep }) {
    const series = influxSeries({ settings: settingsOf(checked(options)), keep, clock, logger });
    return { series, notebook: null, found: [], close: series.close };
  },
};
