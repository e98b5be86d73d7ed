// Lists over a memory disk: every question looks at every document, so that it is small enough to be believed.
// They are ordered by (rank if the worst come first, at, order of first arrival), the newest first.
import type { DocumentByKind, DocumentKind } from '../../src/readmodel/documents.ts';
import { follows, placeIn, type Place } from '../../src/readmodel/place.ts';
import {
  agreesOnLabels,
  askedOfStorms,
  facetsAsked,
  facetsOf,
  hidesChildren,
  linkOf,
  rankOf,
  sees,
  sortOf,
  type AnyQuery,
} from '../../src/readmodel/query.ts';
import { textTest } from '../../src/readmodel/text.ts';
import type { Doc } from './disk.ts';

type Any = DocumentByKind[DocumentKind];

/** A document, and where it stands in lists. */
export interface Candidate {
  readonly row: Doc;
  readonly doc: Any;
  readonly place: Place;
}

/** All that the question finds from its `after` on, in order. */
export function foundIn(rows: Iterable<Doc>, query: AnyQuery): readonly Candidate[] {
  const candidates = [...rows].filter(({ kind }) => kind === query.kind).map(candidateOf);
  const speaking = speakersIn(candidates, query);
  return candidates
    .filter((candidate) => matches(candidate, query) && !isHidden(candidate.doc, speaking))
    .sort((a, b) => (follows(a.place, b.place, sortOf(query)) ? 1 : -1));
}

/** The incidents under which others stand. */
function speakersIn(candidates: readonly Candidate[], query: AnyQuery): ReadonlySet<string> {
  const asked = askedOfStorms(query);
  const speaking = candidates.filter(({ doc }) => doc.state !== 'resolved');
  const found = asked === null ? speaking : speaking.filter((candidate) => matches(candidate, asked));
  return new Set(hidesChildren(query) ? found.map(({ doc }) => doc.id) : []);
}

function isHidden(doc: Any, speaking: ReadonlySet<string>): boolean {
  return 'parent' in doc && doc.parent !== null && speaking.has(doc.parent);
}

function matches({ row, doc, place }: Candidate, query: AnyQuery): boolean {
  const known = new Set([...facetsOf<DocumentKind>(row.kind, doc), ...row.places]);
  return (
    sees(query.scopes, doc.scope) &&
    (query.states?.includes(doc.state) ?? true) &&
    (query.severities === undefined || ('severity' in doc && query.severities.includes(doc.severity))) &&
    doc.at >= (query.since ?? -Infinity) &&
    doc.at < (query.until ?? Infinity) &&
    [query.incident, query.parent].every((link) => link === undefined || linkOf<DocumentKind>(row.kind, doc) === link) &&
    facetsAsked(query).every((anyOf) => anyOf.some((facet) => known.has(facet))) &&
    agreesOnLabels(query.labels, 'labels' in doc ? doc : {}) &&
    textTest(query.text ?? '')(row.body) &&
    (query.after === undefined || follows(place, placeIn(query.after, sortOf(query)), sortOf(query)))
  );
}

function candidateOf(row: Doc): Candidate {
  const doc = JSON.parse(row.body) as Any; // as `put` wrote it
  return { row, doc, place: { rank: rankOf(row.kind, doc), at: doc.at, seq: row.seq } };
}
