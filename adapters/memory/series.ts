// Time series in memory, for tests and simulations: real code over a content that outlives it, as `memoryDisk` does. Keeps every point until days are
// forgotten, and adds hours and days up when they are asked for.
import type { Instant } from '../../src/core/time.ts';
import { groupsMax, type Notebook, type OpenedSeries, type Series, type SeriesKeep } from '../../src/ports/series.ts';
import { sees } from '../../src/readmodel/query.ts';
import { addingBy, checkQuestion } from '../../src/readmodel/series/groups.ts';
import type { Point, Tag } from '../../src/readmodel/series/point.ts';
import { bucketOf, coveredBy } from '../../src/readmodel/series/time.ts';

/** What has been made durable. */
export interface SeriesContent {
  readonly points: Map<string, Point>;
  readonly notes: Map<number, { offset: number; readonly rows: Map<string, string> }>;
}

export function seriesContent(): SeriesContent {
  return { points: new Map(), notes: new Map() };
}

export function memorySeries(options: {
  readonly content: SeriesContent;
  readonly keep: SeriesKeep;
  readonly clock: { now(): Instant };
}): OpenedSeries & { readonly notebook: Notebook } {
  const { content, keep, clock } = options;
  const series: Series = {
    async write(points) {
      let late = 0;
      for (const point of points) {
        if (point.at < clock.now() - keep.pointsMs) late += 1;
        else {
          const key = keyOf(point);
          if (!content.points.has(key)) content.points.set(key, structuredClone(point));
        }
      }
      for (const [key, { at }] of content.points) if (at < clock.now() - keep.daysMs) content.points.delete(key);
      return late === 0 ? [] : [{ points: late, reason: 'older than points are kept' }];
    },
    async measure(question) {
      checkQuestion(question);
      const { resolution, from, to } = coveredBy(question, keep, clock.now());
      const { field, by = [], every, quantiles } = question;
      const adding = addingBy(by, resolution === 'point' && quantiles !== undefined ? quantiles : null, groupsMax);
      for (const point of found({ ...question, from, to })) {
        const fields: { readonly [field: string]: number } = point.fields;
        const value = fields[field];
        if (value === undefined) continue;
        const sum = { count: 1, sum: value, min: value, max: value };
        adding.add(point.tags, every === undefined ? null : bucketOf(point.at, every), sum, [value]);
      }
      return { resolution, from, to, groups: adding.groups() };
    },
    async points(question) {
      checkQuestion(question);
      const all = found({ ...question, from: Math.max(question.from, clock.now() - keep.pointsMs) });
      return { points: structuredClone(all.slice(0, question.limit)), isWhole: all.length <= question.limit };
    },
    close: async () => {},
  };

  function found({ measurement, scopes, from, to, where = {} }: Omit<Parameters<Series['points']>[0], 'limit'>): readonly Point[] {
    const wanted = Object.entries(where) as readonly (readonly [Tag, readonly string[]])[]; // the tags of a question
    return [...content.points.values()]
      .filter((point) => point.measurement === measurement && point.at >= from && point.at < to && sees(scopes, point.tags.scope ?? ''))
      .filter(({ tags }) => wanted.every(([tag, texts]) => texts.includes((tags as { readonly [tag in Tag]?: string })[tag] ?? '')))
      .sort((one, other) => one.at - other.at || one.nth - other.nth || (keyOf(one) < keyOf(other) ? -1 : 1));
  }

  return { series, notebook: memoryNotebook(content), found: [], close: async () => {} };
}

function memoryNotebook(content: SeriesContent): Notebook {
  return {
    async load(partition) {
      const { offset = 0, rows = new Map<string, string>() } = content.notes.get(partition) ?? {};
      return { offset, notes: [...rows].map(([key, note]) => ({ key, note })) };
    },
    position: async (partition) => content.notes.get(partition)?.offset ?? 0,
    async save({ partition, offset, notes, afresh }) {
      const page = content.notes.get(partition) ?? { offset: 0, rows: new Map<string, string>() };
      if (afresh === true) page.rows.clear();
      for (const { key, note } of notes) {
        if (note === null) page.rows.delete(key);
        else page.rows.set(key, note);
      }
      page.offset = offset;
      content.notes.set(partition, page);
    },
  };
}

function keyOf({ measurement, tags, at, nth }: Point): string {
  return JSON.stringify([measurement, at, nth, Object.entries(tags).sort(([one], [other]) => (one < other ? -1 : 1))]);
}
