// How a list is found: walks down ranges of an index, each from the newest down, merged into one order.
//   W1  A walk costs what it returns: every combination of kind, scope, parent, state and severity is a range of an index.
//   W2  What is left over (facets, text, label patterns) is tested on a bounded number of candidates; where the bound is met, the page
//       ends there and says where to go on.
//   W3  Where one of the facets is rare, its documents are the candidates, sorted here; so a rare word is found at once.
//   W4  A storm that is not what is asked for does not speak for its children (Q3): those of each such storm are one range more.
import type { SQLInputValue } from 'node:sqlite';
import { severities, severityRank, type Severity } from '../../src/core/alert/severity.ts';
import type { Labels } from '../../src/core/alert/labels.ts';
import { states } from '../../src/readmodel/documents.ts';
import { follows, placeIn, type Place } from '../../src/readmodel/place.ts';
import {
  agreesOnLabels,
  askedOfStorms,
  facetsAsked,
  hidesChildren,
  sees,
  sortOf,
  testsLabels,
  type AnyQuery,
} from '../../src/readmodel/query.ts';
import { textTest } from '../../src/readmodel/text.ts';
import type { Reader, Row } from './reader.ts';
import { stow, unstow } from './text.ts';
import { facetRow } from './viewkin.ts';
import { bucketOf, hiddenRank } from './viewtables.ts';

/** Candidates looked at for one page; those whose text must be read count more. */
const looksMax = 2_000;
const lookAtTextCosts = 4;
/** A facet of at most so many documents is rare. */
const rareMax = 1_500;
/** With more scopes than this, one walk over all looks at each one's scope. */
const scopesMax = 8;
const chunkMax = 256;

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
  /** W4 */
  readonly mute: readonly string[];
}

interface Tests {
  /** Nothing is left to be tested: whatever the index gives is in the list. */
  readonly isFree: boolean;
  passes(place: Place): boolean;
}

function testsFor(reader: Reader, query: AnyQuery, budget: { left: number }, walksChildren = false): Tests {
  const facets = facetsAsked(query).map((anyOf) => anyOf.map((facet) => facetRow(query.kind, facet)));
  const needsRow =
    testsScope(query) ||
    (walksChildren && query.scopes !== 'all') ||
    (query.parent !== undefined && query.incident !== undefined && query.parent !== query.incident);
  const needsDoc = query.text !== undefined || testsLabels(query);
  const holds = textTest(query.text ?? '');
  return {
    isFree: facets.length === 0 && !needsRow && !needsDoc,
    passes({ seq }) {
      budget.left -= needsDoc ? lookAtTextCosts : 1;
      for (const anyOf of facets) {
        if (!anyOf.some((facet) => reader.get(facetHere, bucketOf(seq), facet, seq) !== null)) return false;
      }
      if (needsRow && !rowPasses(reader.get('SELECT scope, parent FROM views WHERE seq = ?', seq), query)) return false;
      return !needsDoc || docPasses(String(reader.get('SELECT doc FROM views WHERE seq = ?', seq)?.['doc']), holds, query);
    },
  };
}

/** Whether the walk does not answer for the scope already. */
function testsScope({ scopes, incident, parent }: AnyQuery): boolean {
  return scopes !== 'all' && (scopes.length > scopesMax || incident !== undefined || parent !== undefined);
}

function rowPasses(row: Row | null, { scopes, incident, parent }: AnyQuery): boolean {
  if (row === null || !sees(scopes, unstow(String(row['scope'])))) return false;
  return [incident, parent].every((link) => link === undefined || row['parent'] === stow(link));
}

function docPasses(text: string, holds: (body: string) => boolean, query: AnyQuery): boolean {
  if (!holds(text)) return false;
  if (!testsLabels(query)) return true;
  const { labels = {} } = JSON.parse(text) as { readonly labels?: Labels }; // a document
  return agreesOnLabels(query.labels, labels);
}

/** Each parent found from the one before it. */
const parentsAnywhere = `
  WITH RECURSIVE parents (parent) AS (
    SELECT min(parent) FROM views WHERE kind = 'incident' AND parent IS NOT NULL
    UNION ALL SELECT (SELECT min(parent) FROM views WHERE kind = 'incident' AND parent > parents.parent) FROM parents WHERE parent IS NOT NULL
  )
  SELECT views.seq, views.id, views.rank, views.at FROM parents
  CROSS JOIN views ON views.kind = 'incident' AND views.id = parents.parent AND views.final = 0`;

/** The storms that are not over, have children and are not what is asked for (W4), by their ids as they are stored. */
function muteStorms(reader: Reader, query: AnyQuery): readonly string[] {
  const asked = askedOfStorms(query);
  if (asked === null) return [];
  const test = testsFor(reader, asked, { left: 0 });
  const ranks = new Set(ranksFor(asked).flat());
  const isAsked = ({ rank, at, seq }: Place): boolean => ranks.has(rank) && isWithin(at, asked) && test.passes({ rank, at, seq });
  return reader.all(parentsAnywhere).flatMap((row) => (isAsked(placeOf(row)) ? [] : [String(row['id'])]));
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

const facetHere = 'SELECT 1 FROM facets WHERE bucket = ? AND facet = ? AND seq = ?';

/** Bucket by bucket, each found from the one after it. */
const facetAnywhere = `
  WITH RECURSIVE buckets (bucket) AS (
    SELECT max(bucket) FROM facets
    UNION ALL SELECT (SELECT max(bucket) FROM facets WHERE bucket < buckets.bucket) FROM buckets WHERE bucket IS NOT NULL
  )
  SELECT DISTINCT facets.seq FROM buckets CROSS JOIN facets ON facets.bucket = buckets.bucket
  WHERE facets.facet IN (SELECT value FROM json_each(?)) LIMIT ?`;

/** The rarest facet's documents in order, or null when no facet is rare (W3). */
function rareOnes(reader: Reader, { query, after, mute }: Asking): readonly Place[] | null {
  let rarest: readonly Row[] | null = null;
  for (const anyOf of facetsAsked(query)) {
    const rows = reader.all(facetAnywhere, JSON.stringify(anyOf.map((facet) => facetRow(query.kind, facet))), rareMax + 1);
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

interface Walk {
  /** The next place down, or null at the end. */
  peek(): Place | null;
  next(): void;
}

/** All places of the ranges that the query names, in order. */
function* walksFor(reader: Reader, { query, after, mute }: Asking, isFree: boolean): Generator<Place> {
  const chunk = isFree ? Math.min(chunkMax, query.limit + 1) : chunkMax;
  const ranges = rangesFor(query);
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
  if (scopes === 'all' || scopes.length > scopesMax) return [{ where: 'kind = ?', values: [kind] }];
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
function* merged(walks: readonly Walk[]): Generator<Place> {
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
