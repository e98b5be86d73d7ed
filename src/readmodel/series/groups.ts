// Rows of a store as the groups of an answer: added up by tags and time, put in order, and bounded.
import { GatewayError } from '../../core/errors.ts';
import type { Instant } from '../../core/time.ts';
import { measurements, fieldsOf, tagsOf, type Field, type Measurement, type Tag } from './point.ts';
import { quantileOf } from './time.ts';

export interface Sum {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

export interface Group extends Sum {
  readonly tags: { readonly [tag in Tag]?: string };
  readonly at: Instant | null;
  readonly quantiles: readonly number[] | null;
}

export interface Adding {
  add(tags: { readonly [tag in Tag]?: string }, at: Instant | null, sum: Sum, values?: readonly number[]): void;
  groups(): readonly Group[];
}

interface Held {
  readonly tags: { readonly [tag in Tag]?: string };
  readonly at: Instant | null;
  sum: Sum;
  readonly values: number[];
}

/** `quantiles` null: of values that are not single points. */
export function addingBy(by: readonly Tag[], quantiles: readonly number[] | null, groupsMax: number): Adding {
  const held = new Map<string, Held>();
  return {
    add(all, at, sum, values = []) {
      const tags = Object.fromEntries(by.map((tag) => [tag, all[tag] ?? '']));
      const key = JSON.stringify([at, ...by.map((tag) => tags[tag])]);
      const before = held.get(key);
      if (before === undefined) {
        if (held.size >= groupsMax)
          throw new GatewayError('invalid_request', `more than ${groupsMax} groups: ask for a shorter span, longer steps or fewer tags`);
        held.set(key, { tags, at, sum, values: [...values] });
        return;
      }
      before.sum = together(before.sum, sum);
      for (const value of values) before.values.push(value);
    },
    groups() {
      const entries = [...held].sort(([one, a], [other, b]) => (a.at ?? 0) - (b.at ?? 0) || (one < other ? -1 : 1));
      return entries.map(([, each]) => groupOf(each, quantiles));
    },
  };
}

function groupOf({ tags, at, sum, values }: Held, quantiles: readonly number[] | null): Group {
  if (quantiles === null) return { tags, at, ...sum, quantiles: null };
  const sorted = Float64Array.from(values).sort();
  return { tags, at, ...sum, quantiles: quantiles.map((share) => quantileOf(sorted, share)) };
}

export function together(one: Sum, other: Sum): Sum {
  return {
    count: one.count + other.count,
    sum: one.sum + other.sum,
    min: Math.min(one.min, other.min),
    max: Math.max(one.max, other.max),
  };
}

/** Rejects words that are no measurement, field, tag or quantile: they may come from outside. */
export function checkQuestion(asked: {
  readonly measurement: Measurement;
  readonly field?: Field;
  readonly by?: readonly Tag[];
  readonly where?: { readonly [tag in Tag]?: readonly string[] };
  readonly quantiles?: readonly number[];
}): void {
  const { measurement, field, by = [], where = {}, quantiles = [] } = asked;
  if (!Object.hasOwn(measurements, measurement))
    throw new GatewayError('invalid_request', `expected a measurement (${Object.keys(measurements).join(', ')})`);
  if (field !== undefined && !fieldsOf(measurement).includes(field))
    throw new GatewayError('invalid_request', `expected a field of ${measurement} (${fieldsOf(measurement).join(', ')})`);
  const tags: readonly string[] = tagsOf(measurement);
  for (const tag of [...by, ...Object.keys(where)])
    if (!tags.includes(tag)) throw new GatewayError('invalid_request', `expected tags of ${measurement} (${tags.join(', ')})`);
  if (quantiles.length > 10 || quantiles.some((share) => !(share >= 0 && share <= 1)))
    throw new GatewayError('invalid_request', 'expected at most ten quantiles between 0 and 1');
}
