// How a list is found: walks down ranges of an index, each from the newest down, merged into one order.
//   W1  A walk costs what it returns: every combination of kind, scope, parent, state and severity is a range of an index.
//   W2  What is left over (facets, text, label patterns) is tested on a bounded number of candidates; where the bound is met, the page
//       ends there and says where to go on. The bound is one of time, too: patterns and long texts cost what they like.
//   W3  Where one of the facets is rare, its documents are the candidates, sorted here; so a rare word is found at once.
//   W4  For a caller of few scopes every row that is looked at is of these: neither a place to go on from, nor how short a page is, nor
//       whether a word is rare, tells of another scope.
//   W5  A storm that is not what is asked for does not speak for its children (Q3): those of each such storm are one range more.
import type { SQLInputValue } from 'node:sqlite';
import { severities, severityRank, type Severity } from '../../src/core/alert/severity.ts';
import { states } from '../../src/readmodel/documents.ts';
import { follows, placeIn, type Place } from '../../src/readmodel/place.ts';
import { askedOfStorms, facetsAsked, hidesChildren, sees, sortOf, type AnyQuery } from '../../src/readmodel/query.ts';
import type { Reader, Row } from './reader.ts';
import { stow, unstow } from './text.ts';
import { looksMax, rowPasses, testsFor } from './viewtests.ts';
import { facetRow } from './viewkin.ts';
import { hiddenRank, worldOf } from './viewtables.ts';

/** A facet of at most so many documents is rare. */
const rareMax = 1_500;
/** Facets of one filter in so many scopes are sought each by itself; what asks for more is walked to. */
const soughtMax = 200;
const chunkMax = 256;
const chunkMin = 16;

export interface Found {
  readonly places: readonly Place[];
  readonly next: Place | null;
}

/** The places of one page, in order. */
export function placesFor(reader: Reader, query: AnyQuery): Found {
  const budget = { left: looksMax };
  const mute = muteStorms(reader, query);
  const test = testsFor(reader, query, budget, mute.length > 0);
  const after = query.after === undefined ? null : placeIn(query.after, sortOf(query));
  if (isElsewhere(reader, query)) return { places: [], next: null };
  const asking = { query, after, mute };
  const candidates = rareOnes(reader, asking) ?? walksFor(reader, asking, test.isFree);
  const places: Place[] = [];
  let looked: Place | null = null;
  for (const candidate of candidates) {
    if (places.length === query.limit) return { places, next: places.at(-1) ?? null };
    if (budget.left <= 0) return { places, next: looked }; // W2
    looked = candidate;
    if (test.passes(candidate)) places.push(candidate);
  }
  return { places, next: null };
}

interface Asking {
  readonly query: AnyQuery;
  readonly after: Place | null;
  /** W5 */
  readonly mute: readonly string[];
}

/** W4: what one incident links lies in its scope, so its first document tells whether the caller may look at any. */
function isElsewhere(reader: Reader, { kind, scopes, incident, parent }: AnyQuery): boolean {
  const link = incident ?? parent;
  if (scopes === 'all' || link === undefined) return false;
  const first = reader.get('SELECT scope FROM views WHERE kind = ? AND parent = ? LIMIT 1', kind, stow(link));
  return first === null || !sees(scopes, unstow(String(first['scope'])));
}

/** Each parent found from the one before it. */
const parentsAnywhere = `
  WITH RECURSIVE parents (parent) AS (
    SELECT min(parent) FROM views WHERE kind = 'incident' AND parent IS NOT NULL
    UNION ALL SELECT (SELECT min(parent) FROM views WHERE kind = 'incident' AND parent > parents.parent) FROM parents WHERE parent IS NOT NULL
  )
  SELECT views.seq, views.id, views.scope, views.rank, views.at FROM parents
  CROSS JOIN views ON views.kind = 'incident' AND views.id = parents.parent AND views.final = 0`;

/** The storms that are not over, have children and are not what is asked for (W5), by their ids as they are stored. */
function muteStorms(reader: Reader, query: AnyQuery): readonly string[] {
  const asked = askedOfStorms(query);
  if (asked === null) return [];
  const test = testsFor(reader, asked, { left: 0 });
  const ranks = new Set(ranksFor(asked).flat());
  const isAsked = ({ rank, at, seq }: Place): boolean => ranks.has(rank) && isWithin(at, asked) && test.passes({ rank, at, seq });
  const storms = reader.all(parentsAnywhere).filter((row) => sees(query.scopes, unstow(String(row['scope'])))); // W4
  return storms.flatMap((row) => (isAsked(placeOf(row)) ? [] : [String(row['id'])]));
}

function placeOf(row: Row): Place {
  return { rank: Number(row['rank']) % hiddenRank, at: Number(row['at']), seq: Number(row['seq']) };
}

function isWithin(at: number, { since = -Infinity, until = Infinity }: AnyQuery): boolean {
  return at >= since && at < until;
}

/** What narrows the rows before any test: the ranks in order, each with its hidden twin where children are shown. */
function ranksFor(query: AnyQuery): readonly (readonly number[])[] {
  const { kind } = query;
  const known: readonly string[] = states[kind];
  const stateCodes = new Set((query.states ?? known).map((state) => known.indexOf(state)));
  const severe = kind === 'alert' || kind === 'incident';
  const given: readonly Severity[] = query.severities ?? (severe ? severities : ['critical']);
  const severityCodes =
    !severe && query.severities !== undefined ? [] : [...new Set(given)].map((one) => severities.length - 1 - severityRank(one));
  const ranks = [...stateCodes].flatMap((state) => severityCodes.map((code) => state * severities.length + code));
  const twins = kind === 'incident' && !hidesChildren(query);
  return ranks.sort((a, b) => a - b).map((rank) => (twins ? [rank, rank + hiddenRank] : [rank]));
}

/** Bucket by bucket, each found from the one after it. */
const soughtIn = (worlds: string): string => `
  WITH RECURSIVE buckets (bucket) AS (
    SELECT max(bucket) FROM facets
    UNION ALL SELECT (SELECT max(bucket) FROM facets WHERE bucket < buckets.bucket) FROM buckets WHERE bucket IS NOT NULL
  )
  SELECT DISTINCT facets.seq FROM buckets CROSS JOIN facets ON facets.bucket = buckets.bucket
  WHERE facets.facet IN (SELECT value FROM json_each(?)) ${worlds} LIMIT ?`;
const facetAnywhere = soughtIn('');
const facetInWorlds = soughtIn('AND facets.world IN (SELECT value FROM json_each(?))');

/** The rarest facet's documents in order, or null when no facet is rare (W3). */
function rareOnes(reader: Reader, { query, after, mute }: Asking): readonly Place[] | null {
  let rarest: readonly Row[] | null = null;
  for (const anyOf of facetsAsked(query)) {
    const rows = documentsWith(reader, anyOf, query);
    if (rows === null) continue;
    if (rows.length <= (rarest?.length ?? rareMax)) rarest = rows;
  }
  if (rarest === null) return null;
  const sort = sortOf(query);
  const ranks = new Set(ranksFor(query).flat());
  const unspoken = new Set(mute);
  const places = rarest.flatMap(({ seq }) => {
    const row = reader.get('SELECT seq, scope, rank, at, parent FROM views WHERE seq = ?', seq ?? null);
    if (row === null || !rowPasses(row, query)) return [];
    const place = placeOf(row);
    const shown = ranks.has(Number(row['rank'])) || (ranks.has(place.rank) && unspoken.has(String(row['parent'])));
    return shown && isWithin(place.at, query) && (after === null || follows(place, after, sort)) ? [place] : [];
  });
  return places.sort((a, b) => (follows(a, b, sort) ? 1 : -1));
}

/** Some of the documents with one of the facets: all of them, or one too many to be rare. Null when it is not worth the search. */
function documentsWith(reader: Reader, anyOf: readonly string[], { kind, scopes }: AnyQuery): readonly Row[] | null {
  const facets = JSON.stringify(anyOf.map((facet) => facetRow(kind, facet)));
  if (scopes === 'all') return reader.all(facetAnywhere, facets, rareMax + 1);
  if (anyOf.length * scopes.length > soughtMax) return null;
  return reader.all(facetInWorlds, facets, JSON.stringify(scopes.map(worldOf)), rareMax + 1);
}

interface Walk {
  /** The next place down, or null at the end. */
  peek(): Place | null;
  next(): void;
}

/** All places of the ranges that the query names, in order. */
function* walksFor(reader: Reader, { query, after, mute }: Asking, isFree: boolean): Generator<Place> {
  const ranges = rangesFor(query);
  const chunk = isFree ? Math.min(chunkMax, query.limit + 1) : Math.max(chunkMin, Math.floor(chunkMax / ranges.length));
  const unspoken = mute.map((parent): Range => ({ where: 'kind = ? AND parent = ?', values: [query.kind, parent] }));
  const walk = (rank: number, from: Place | null): readonly Walk[] => [
    ...ranges.map((range) => walkDown(reader, { range, rank, query, from, chunk })),
    ...unspoken.map((range) => walkDown(reader, { range, rank: rank + hiddenRank, query, from, chunk })),
  ];
  const ranks = ranksFor(query);
  if (sortOf(query) === 'newest') {
    yield* merged(ranks.flat().flatMap((rank) => walk(rank, after)));
    return;
  }
  for (const twins of ranks) {
    const [rank = 0] = twins;
    if (after !== null && rank < after.rank) continue;
    const from = after !== null && rank === after.rank ? after : null;
    yield* merged(twins.flatMap((one) => walk(one, from)));
  }
}

/** The start of an index, and the values that go with it. */
interface Range {
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

function rangesFor({ kind, scopes, incident, parent }: AnyQuery): readonly Range[] {
  const link = incident ?? parent;
  if (link !== undefined) return [{ where: 'kind = ? AND parent = ?', values: [kind, stow(link)] }];
  if (scopes === 'all') return [{ where: 'kind = ?', values: [kind] }];
  return [...new Set(scopes)].map((scope) => ({ where: 'kind = ? AND scope = ?', values: [kind, stow(scope)] }));
}

interface Descent {
  readonly range: Range;
  readonly rank: number;
  readonly query: AnyQuery;
  readonly from: Place | null;
  readonly chunk: number;
}

/** Down one range of one rank, a chunk at a time. */
function walkDown(reader: Reader, { range, rank, query, from, chunk }: Descent): Walk {
  const sql = `SELECT at, seq FROM views WHERE ${range.where} AND rank = ? AND at >= ? AND (at, seq) < (?, ?) ORDER BY at DESC, seq DESC LIMIT ?`;
  const least = query.since ?? Number.MIN_SAFE_INTEGER;
  const top = query.until ?? Number.MAX_SAFE_INTEGER;
  let bound: Pick<Place, 'at' | 'seq'> = from !== null && from.at < top ? from : { at: top, seq: -1 };
  let rows: readonly Place[] = [];
  let at = 0;
  let ended = false;

  function fill(): void {
    const read = reader.all(sql, ...range.values, rank, least, bound.at, bound.seq, chunk);
    rows = read.map((row) => ({ rank: rank % hiddenRank, at: Number(row['at']), seq: Number(row['seq']) }));
    at = 0;
    ended = rows.length < chunk;
    bound = rows.at(-1) ?? bound;
  }

  fill();
  return {
    peek() {
      if (at >= rows.length && !ended) fill();
      return rows[at] ?? null;
    },
    next() {
      at += 1;
    },
  };
}

/** Several walks as one, the newest first. */
function* merged(all: readonly Walk[]): Generator<Place> {
  const walks = all.filter((walk) => walk.peek() !== null); // of many scopes and ranks few hold anything
  for (;;) {
    let best: Walk | null = null;
    let place: Place | null = null;
    for (const walk of walks) {
      const seen = walk.peek();
      if (seen !== null && (place === null || follows(place, seen, 'newest'))) [best, place] = [walk, seen];
    }
    if (best === null || place === null) return;
    yield place;
    best.next();
  }
}
