// Which silences may concern an alert: an index over a desk's silences, derived from the rows.
//   S1  A silence with an equality matcher is found by it; only those without one are asked for every alert.
import { clipValue, valuesOf, type Matchable, type Matcher } from '../alert/labels.ts';
import type { Silence } from './facts.ts';

export interface SilenceIndex {
  /** By name and value of one equality matcher. */
  readonly byLabel: Map<string, Map<string, Map<string, Silence>>>;
  readonly others: Map<string, Silence>;
  /** The others in the order in which they are asked; null since one of them came or went. */
  sorted: readonly Silence[] | null;
}

export function newSilenceIndex(): SilenceIndex {
  return { byLabel: new Map(), others: new Map(), sorted: null };
}

/** An equality on the empty text asks for what is not there: no value finds it. */
export function findingMatcher(matchers: readonly Matcher[]): Matcher | null {
  return matchers.find(({ op, value }) => op === '=' && value !== '') ?? null;
}

export function indexSilence(index: SilenceIndex, silence: Silence): void {
  const by = findingMatcher(silence.matchers);
  if (by === null) {
    index.others.set(silence.id, silence);
    index.sorted = null;
    return;
  }
  const values = index.byLabel.get(by.name) ?? new Map<string, Map<string, Silence>>();
  index.byLabel.set(by.name, values);
  const key = clipValue(by.value);
  const found = values.get(key);
  if (found === undefined) values.set(key, new Map([[silence.id, silence]]));
  else found.set(silence.id, silence);
}

export function unindexSilence(index: SilenceIndex, silence: Silence): void {
  const by = findingMatcher(silence.matchers);
  if (by === null) {
    index.others.delete(silence.id);
    index.sorted = null;
    return;
  }
  const values = index.byLabel.get(by.name);
  const found = values?.get(clipValue(by.value));
  found?.delete(silence.id);
  if (found?.size === 0) values?.delete(clipValue(by.value));
  if (values?.size === 0) index.byLabel.delete(by.name);
}

/** The silences that may match the alert: those that last longest first, ties by id, so that the order of rows never matters. */
export function silencesFor(index: SilenceIndex, alert: Matchable): readonly Silence[] {
  index.sorted ??= [...index.others.values()].sort(longestFirst);
  const found: Silence[] = [];
  for (const [name, values] of index.byLabel) {
    for (const value of valuesOf(alert, name)) found.push(...(values.get(value)?.values() ?? []));
  }
  return found.length === 0 ? index.sorted : [...found, ...index.sorted].sort(longestFirst);
}

function longestFirst(a: Silence, b: Silence): number {
  return b.endsAt - a.endsAt || (a.id < b.id ? -1 : 1);
}
