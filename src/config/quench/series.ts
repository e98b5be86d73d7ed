// `series` of quench.yaml: who keeps the time series, and for how long.
import { day, type Millis } from '../../core/time.ts';
import { below } from '../yaml/pointer.ts';
import { didYouMean } from '../yaml/problems.ts';
import { optionsOf } from './adapters.ts';
import { configDefaults } from './defaults.ts';
import { complain, spanAt, type Loading, type Options, type RawSeries } from './loading.ts';
import type { Config } from './types.ts';

const ownMembers = ['keep', 'hosts', 'minutesSaved'];
const keepMax: Millis = 20 * 365 * day;

export function seriesOf(loading: Loading): Config['series'] {
  const raw: RawSeries = loading.raw.series ?? {};
  const kinds = loading.deps.series;
  const named = Object.keys(raw).filter((name) => !ownMembers.includes(name));
  const known = [...ownMembers, ...kinds.map(({ name }) => name)];
  for (const name of named) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known);
    complain(loading, below('/series', name), `unknown member "${name}"${hint === '' ? `; known are ${known.join(', ')}` : hint}`);
  }
  const chosen = kinds.filter(({ name }) => named.includes(name));
  const [kind = kinds[0], ...more] = chosen;
  if (more.length > 0)
    complain(
      loading,
      '/series',
      `expected one of ${kinds.map(({ name }) => name).join(', ')}, seen ${chosen.map(({ name }) => name).join(' and ')}: one keeps the series`,
    );
  const options = raw[kind.name] ?? {};
  const pointer = below('/series', kind.name);
  const told = loading.problems.length;
  const isMapping = typeof options === 'object' && options !== null && !Array.isArray(options);
  if (!isMapping) complain(loading, pointer, `expected the options of ${kind.name}, as a mapping`);
  const judged = isMapping ? optionsOf(loading, pointer, options as Options, kind) : {};
  const fault = isMapping && loading.problems.length === told ? (kind.fault?.(judged) ?? null) : null;
  if (fault !== null) complain(loading, pointer + fault.pointer, fault.message);
  // A start on a file that does not load keeps them itself: options with a fault open nothing.
  const isSound = loading.problems.length === told;
  return {
    type: isSound ? kind.name : kinds[0].name,
    options: isSound ? judged : {},
    keep: keepOf(loading, raw.keep ?? {}),
    hosts: raw.hosts ?? false,
    minutesSaved: { default: configDefaults.minutesSaved, ...raw.minutesSaved },
  };
}

/** Each is kept at least as long as what is finer. */
function keepOf(loading: Loading, { points, hours, days }: NonNullable<RawSeries['keep']>): Config['series']['keep'] {
  const given = configDefaults.seriesKeep;
  const pointsMs = spanAt(loading, '/series/keep/points', points, given.pointsMs, { min: day, max: keepMax });
  const hoursMs = spanAt(loading, '/series/keep/hours', hours, Math.max(given.hoursMs, pointsMs), { min: pointsMs, max: keepMax });
  const daysMs = spanAt(loading, '/series/keep/days', days, Math.max(given.daysMs, hoursMs), { min: hoursMs, max: keepMax });
  return { pointsMs, hoursMs, daysMs };
}
