// How a list is found: walks down ranges of an index, each from the newest down, merged into one order.
//   W1  A walk costs what it returns: every combination of kind, scope, parent, state and severity is a range of an index.
//   W2  What is left over (facets, text, label patterns) is tested on a bounded number of candidates; where the bound is met, the page
//       ends there and says where to go on. The bound is one of time, too: patterns and long texts cost what they like.
//   W3  Where one of the facets is rare, its documents are the candidates, sorted here; so a rare word is found at once.
//   W4  For a caller of few scopes every row that is looked at is of these: neither a place to go on from, nor how short a page is, nor
//       whether a word is rare, tells of another scope.
import type { SQLInputValue } from 'node:sqlite';
import { severities, severityRank, type Severity } from '../../src/core/alert/severity.ts';
import type { Labels } from '../../src/core/alert/labels.ts';
import { states } from '../../src/readmodel/documents.ts';
import { follows, placeIn, type Place } from '../../src/readmodel/place.ts';
import { agreesOnLabels, facetsAsked, hidesChildren, sees, sortOf, testsLabels, type AnyQuery } from '../../src/readmodel/query.ts';
import type { Reader, Row } from './reader.ts';
import { stow, unstow } from './text.ts';
import { facetRow } from './viewkin.ts';
import { bucketOf, hiddenRank, worldOf } from './viewtables.ts';

/** Candidates looked at for one page; those whose text must be read count more. */
const looksMax = 2_000;
const lookAtTextCosts = 4;
/** What a millisecond of testing counts: all of the bound is spent within 50 ms and one candidate. */
const looksPerMs = 40;
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
  const test = testsFor(reader, query, budget);
  const after = query.after === undefined ? null : placeIn(query.after, sortOf(query));
  if (isElsewhere(reader, query)) return { places: [], next: null };
  const candidates = rareOnes(reader, query, after) ?? walksFor(reader, query, after, test.isFree);
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

/** W4: what one incident links lies in its scope, so its first document tells whether the caller may look at any. */
function isElsewhere(reader: Reader, { kind, scopes, incident, parent }: AnyQuery): boolean {
  const link = incident ?? parent;
  if (scopes === 'all' || link === undefined) return false;
  const first = reader.get('SELECT scope FROM views WHERE kind = ? AND parent = ? LIMIT 1', kind, stow(link));
  return first === null || !sees(scopes, unstow(String(first['scope'])));
}

interface Tests {
  /** Nothing is left to be tested: whatever the index gives is in the list. */
  readonly isFree: boolean;
  passes(place: Place): boolean;
}

function testsFor(reader: Reader, query: AnyQuery, budget: { left: number }): Tests {
  const facets = facetsAsked(query).map((anyOf) => anyOf.map((facet) => facetRow(query.kind, facet)));
  const needsRow = testsScope(query) || (query.parent !== undefined && query.incident !== undefined && query.parent !== query.incident);
  const needsDoc = query.text !== undefined || testsLabels(query);
  const needle = query.text === undefined ? '' : lower(JSON.stringify(query.text).slice(1, -1));
  return {
    isFree: facets.length === 0 && !needsRow && !needsDoc,
    passes({ seq }) {
      const began = performance.now();
      const passed = agrees(seq);
      budget.left -= Math.max(needsDoc ? lookAtTextCosts : 1, (performance.now() - began) * looksPerMs);
      return passed;
    },
  };

  function agrees(seq: number): boolean {
    const row = needsRow || facets.length > 0 ? reader.get('SELECT scope, parent FROM views WHERE seq = ?', seq) : null;
    if (needsRow && !rowPasses(row, query)) return false;
    const world = row === null || facets.length === 0 ? 0 : worldOf(unstow(String(row['scope'])));
    for (const anyOf of facets) {
      if (!anyOf.some((facet) => reader.get(facetHere, bucketOf(seq), facet, world, seq) !== null)) return false;
    }
    return !needsDoc || docPasses(String(reader.get('SELECT doc FROM views WHERE seq = ?', seq)?.['doc']), needle, query);
  }
}

/** Whether the walk does not answer for the scope already. */
function testsScope({ scopes, incident, parent }: AnyQuery): boolean {
  return scopes !== 'all' && (incident !== undefined || parent !== undefined);
}

function rowPasses(row: Row | null, { scopes, incident, parent }: AnyQuery): boolean {
  if (row === null || !sees(scopes, unstow(String(row['scope'])))) return false;
  return [incident, parent].every((link) => link === undefined || row['parent'] === stow(link));
}

/** The needle is written as JSON writes it, since that is what it is sought in. */
function docPasses(text: string, needle: string, query: AnyQuery): boolean {
  if (needle !== '' && !lower(text).includes(needle)) return false;
  if (!testsLabels(query)) return true;
  const { labels = {} } = JSON.parse(text) as { readonly labels?: Labels }; // a document
  return agreesOnLabels(query.labels, labels);
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

const facetHere = 'SELECT 1 FROM facets WHERE bucket = ? AND facet = ? AND world = ? AND seq = ?';

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
function rareOnes(reader: Reader, query: AnyQuery, after: Place | null): readonly Place[] | null {
  let rarest: readonly Row[] | null = null;
  for (const anyOf of facetsAsked(query)) {
    const rows = documentsWith(reader, anyOf, query);
    if (rows === null) continue;
    if (rows.length <= (rarest?.length ?? rareMax)) rarest = rows;
  }
  if (rarest === null) return null;
  const sort = sortOf(query);
  const ranks = new Set(ranksFor(query).flat());
  const places = rarest.flatMap(({ seq }) => {
    const row = reader.get('SELECT scope, rank, at, parent FROM views WHERE seq = ?', seq ?? null);
    if (row === null || !ranks.has(Number(row['rank'])) || !rowPasses(row, query)) return [];
    const place = { rank: Number(row['rank']) % hiddenRank, at: Number(row['at']), seq: Number(seq) };
    const within = place.at >= (query.since ?? -Infinity) && place.at < (query.until ?? Infinity);
    return within && (after === null || follows(place, after, sort)) ? [place] : [];
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
function* walksFor(reader: Reader, query: AnyQuery, after: Place | null, isFree: boolean): Generator<Place> {
  const ranges = rangesFor(query);
  const chunk = isFree ? Math.min(chunkMax, query.limit + 1) : Math.max(chunkMin, Math.floor(chunkMax / ranges.length));
  const walk = (rank: number, from: Place | null): readonly Walk[] =>
    ranges.map((range) => walkDown(reader, { range, rank, query, from, chunk }));
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

/** ASCII only: what both stores fold alike. */
function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
