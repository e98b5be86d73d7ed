// Which silences may concern an alert: an index over a desk's silences, derived from the rows.
//   S1  A silence is found by a value that one of its matchers asks for, or by how such a value begins; only those of which neither can
//       be said are asked for every alert.
import { clipValue, namesOf, valuesOf, type Matchable, type Matcher } from '../alert/labels.ts';
import { addCount } from '../counts.ts';
import type { Silence } from './facts.ts';
import { shapeOf, type Shape } from './shape.ts';

/** Of so few labels each is looked for in the alert; of more, each of the alert's is looked for among them. */
const fewLabels = 8;

type Bucket = Map<string, Silence>;

/** The silences that are found by one label. */
interface LabelIndex {
  readonly byValue: Map<string, Bucket>;
  readonly byPrefix: Map<string, Bucket>;
  /** How many prefixes there are of each length. */
  readonly lengths: Map<number, number>;
}

/** By what a silence is found. */
interface Place {
  readonly name: string;
  readonly shape: Shape;
}

export interface SilenceIndex {
  readonly byLabel: Map<string, LabelIndex>;
  readonly places: Map<string, Place>;
  readonly others: Bucket;
  /** The others in the order in which they are asked; null since one of them came or went. */
  sorted: readonly Silence[] | null;
}

export function newSilenceIndex(): SilenceIndex {
  return { byLabel: new Map(), places: new Map(), others: new Map(), sorted: null };
}

/** An equality on the empty text asks for what is not there: no value finds it. */
export function findingMatcher(matchers: readonly Matcher[]): Matcher | null {
  return matchers.find(({ op, value }) => op === '=' && value !== '') ?? null;
}

export function indexSilence(index: SilenceIndex, silence: Silence): void {
  const place = placeFor(index, silence.matchers);
  if (place === null) {
    index.others.set(silence.id, silence);
    index.sorted = null;
    return;
  }
  index.places.set(silence.id, place);
  const label = index.byLabel.get(place.name) ?? { byValue: new Map(), byPrefix: new Map(), lengths: new Map() };
  index.byLabel.set(place.name, label);
  const { shape } = place;
  if ('values' in shape) for (const value of shape.values) addTo(label.byValue, value, silence);
  else if (addTo(label.byPrefix, shape.prefix, silence)) addCount(label.lengths, shape.prefix.length, 1);
}

export function unindexSilence(index: SilenceIndex, { id }: Silence): void {
  const place = index.places.get(id);
  if (place === undefined) {
    if (index.others.delete(id)) index.sorted = null;
    return;
  }
  index.places.delete(id);
  const label = index.byLabel.get(place.name);
  if (label === undefined) return;
  const { shape } = place;
  if ('values' in shape) for (const value of shape.values) removeFrom(label.byValue, value, id);
  else if (removeFrom(label.byPrefix, shape.prefix, id)) addCount(label.lengths, shape.prefix.length, -1);
  if (label.byValue.size === 0 && label.byPrefix.size === 0) index.byLabel.delete(place.name);
}

/** Of all by which it could be found, what the fewest silences are found by: a thousand for one severity differ in something else. */
function placeFor(index: SilenceIndex, matchers: readonly Matcher[]): Place | null {
  let best: Place | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const matcher of matchers) {
    const shape = shapeAsked(matcher);
    if (shape === null) continue;
    const crowd = crowdOf(index.byLabel.get(matcher.name), shape);
    if (crowd >= fewest) continue;
    best = { name: matcher.name, shape };
    fewest = crowd;
  }
  return best;
}

/** What the matcher asks to be there; one that fits the empty text, or excludes something, is content with what is not there. */
function shapeAsked({ op, value }: Matcher): Shape | null {
  const shape = op === '=' ? { values: [...new Set([value, clipValue(value)])] } : op === '=~' ? shapeOf(value) : null;
  return shape !== null && 'values' in shape && shape.values.includes('') ? null : shape;
}

function crowdOf(label: LabelIndex | undefined, shape: Shape): number {
  const sizes =
    'values' in shape ? shape.values.map((value) => label?.byValue.get(value)?.size) : [label?.byPrefix.get(shape.prefix)?.size];
  return Math.max(...sizes.map((size) => size ?? 0));
}

/** The silences that may match the alert: those that last longest first, ties by id, so that the order of rows never matters. */
export function* silencesFor(index: SilenceIndex, alert: Matchable): Iterable<Silence> {
  index.sorted ??= [...index.others.values()].sort(longestFirst);
  const found = foundBy(index, alert);
  let next = 0;
  for (const other of index.sorted) {
    for (let one = found[next]; one !== undefined && longestFirst(one, other) < 0; one = found[next]) {
      next += 1;
      yield one;
    }
    yield other;
  }
  yield* found.slice(next);
}

/** Whether the silence may match an alert, at the price of a look by one label: what is asked of many alerts before its matchers are. */
export function candidacyOf(silence: Silence): (alert: Matchable) => boolean {
  const index = newSilenceIndex();
  indexSilence(index, silence);
  return index.others.size > 0 ? () => true : (alert) => foundBy(index, alert).length > 0;
}

function foundBy({ byLabel }: SilenceIndex, alert: Matchable): readonly Silence[] {
  if (byLabel.size === 0) return [];
  const found = new Set<Silence>();
  const take = (bucket: Bucket | undefined): void => bucket?.forEach((silence) => found.add(silence));
  for (const name of byLabel.size < fewLabels ? byLabel.keys() : namesOf(alert)) {
    const label = byLabel.get(name);
    if (label === undefined) continue;
    for (const value of valuesOf(alert, name)) {
      take(label.byValue.get(value));
      for (const length of label.lengths.keys()) if (length <= value.length) take(label.byPrefix.get(value.slice(0, length)));
    }
  }
  return [...found].sort(longestFirst);
}

function longestFirst(a: Silence, b: Silence): number {
  return b.endsAt - a.endsAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** True when the bucket is new. */
function addTo(buckets: Map<string, Bucket>, key: string, silence: Silence): boolean {
  const bucket = buckets.get(key);
  if (bucket === undefined) buckets.set(key, new Map([[silence.id, silence]]));
  else bucket.set(silence.id, silence);
  return bucket === undefined;
}

/** True when nothing is left in the bucket. */
function removeFrom(buckets: Map<string, Bucket>, key: string, id: string): boolean {
  const bucket = buckets.get(key);
  bucket?.delete(id);
  return bucket?.size === 0 && buckets.delete(key);
}
