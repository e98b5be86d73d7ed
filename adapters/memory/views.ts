// The read model over a memory disk: every question looks at every document, so that it is small enough to be believed.
// Lists are ordered by (rank if the worst come first, at, order of first arrival), the newest first.
import type { Instant } from '../../src/core/time.ts';
import type { TimelineEntry } from '../../src/readmodel/timeline.ts';
import type { ViewPage, Views } from '../../src/ports/views.ts';
import { finalStates, states, type DocumentByKind, type DocumentKind } from '../../src/readmodel/documents.ts';
import { patched, type PatchOf } from '../../src/readmodel/patch.ts';
import { follows, placeIn, textOfPlace, type Place } from '../../src/readmodel/place.ts';
import {
  agreesOnLabels,
  asked,
  facetsAsked,
  facetsOf,
  hidesChildren,
  linkOf,
  placesOf,
  rankOf,
  sees,
  sortOf,
  type AnyQuery,
  type ViewQuery,
} from '../../src/readmodel/query.ts';
import type { Content, Doc } from './disk.ts';
import { cursorKey } from './cursors.ts';
import type { WriteQueue } from './queue.ts';

const unavailable = 'store_unavailable';

type Any = DocumentByKind[DocumentKind];

/** A document, and where it stands in lists. */
interface Candidate {
  readonly row: Doc;
  readonly doc: Any;
  readonly place: Place;
}

export function memoryViews(content: Content, queue: WriteQueue, now: () => Instant): Views {
  const { docs, lines, cursors } = content;

  function held<Kind extends DocumentKind>(kind: Kind, id: string): DocumentByKind[Kind] | null {
    const row = docs.get(docKey(kind, id));
    return row === undefined ? null : (JSON.parse(row.body) as DocumentByKind[Kind]); // as `put` wrote it
  }

  function put<Kind extends DocumentKind>(patch: PatchOf<Kind>, changedAt: Instant): void {
    const { kind, id } = patch;
    const key = docKey(kind, id);
    const before = docs.get(key);
    const doc = patched(held(kind, id), patch);
    if (doc === null) return;
    if (before === undefined) content.arrivals += 1;
    docs.set(key, { seq: before?.seq ?? content.arrivals, kind, id, changedAt, places: before?.places ?? [], body: JSON.stringify(doc) });
    if (before === undefined && kind === 'incident') for (const alert of all('alert')) inherit(alert);
    if (kind === 'alert') inherit(doc as DocumentByKind['alert']);
  }

  /** The incident is found by its members from now on (V6). */
  function inherit(alert: DocumentByKind['alert']): void {
    const key = docKey('incident', alert.incident ?? '');
    const incident = docs.get(key);
    if (incident !== undefined) docs.set(key, { ...incident, places: [...new Set([...incident.places, ...placesOf(alert)])] });
  }

  function all<Kind extends DocumentKind>(kind: Kind): readonly DocumentByKind[Kind][] {
    return [...docs.values()].filter((one) => one.kind === kind).map(({ body }) => JSON.parse(body) as DocumentByKind[Kind]);
  }

  function addLine(entry: TimelineEntry): void {
    const story = lines.get(entry.incident) ?? new Map<string, TimelineEntry>();
    lines.set(entry.incident, story);
    const key = JSON.stringify([entry.seq, entry.scope]);
    if (!story.has(key)) story.set(key, entry);
  }

  /** With the children counted (V5). */
  function shown<Kind extends DocumentKind>(kind: Kind, doc: DocumentByKind[Kind]): DocumentByKind[Kind] {
    if (kind !== 'incident') return doc;
    return { ...doc, children: all('incident').filter(({ parent }) => parent === doc.id).length };
  }

  function isHidden(doc: Any, query: AnyQuery): boolean {
    const parent = hidesChildren(query) && 'parent' in doc && doc.parent !== null ? held('incident', doc.parent) : null;
    return parent !== null && parent.state !== 'resolved';
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
      agreesOnLabels(query.labels, 'labels' in doc ? doc.labels : {}) &&
      lower(row.body).includes(lower(JSON.stringify(query.text ?? '').slice(1, -1))) &&
      !isHidden(doc, query) &&
      (query.after === undefined || follows(place, placeIn(query.after, sortOf(query)), sortOf(query)))
    );
  }

  function found(query: AnyQuery): readonly Candidate[] {
    const candidates = [...docs.values()].filter(({ kind }) => kind === query.kind).map(candidateOf);
    return candidates.filter((candidate) => matches(candidate, query)).sort((a, b) => (follows(a.place, b.place, sortOf(query)) ? 1 : -1));
  }

  return {
    async apply(batch) {
      // Plain JSON, and nobody else's: what a file would give back.
      const text = JSON.stringify(batch);
      const { cursor, partition, offset, patches, entries } = JSON.parse(text) as typeof batch;
      const changedAt = now();
      await queue.submit({ records: 1 + patches.length + entries.length, bytes: text.length, unavailable }, () => {
        const reached = cursors.get(cursorKey(cursor, partition));
        if (reached !== undefined && offset <= reached) return;
        for (const patch of patches) put<DocumentKind>(patch, changedAt);
        for (const entry of entries) addLine(entry);
        cursors.set(cursorKey(cursor, partition), offset);
      });
    },
    get: (kind, id, scopes) =>
      queue.read(() => {
        const doc = held(kind, id);
        return doc === null || !sees(scopes, doc.scope) ? null : shown(kind, doc);
      }),
    async list<Kind extends DocumentKind>(question: ViewQuery<Kind>): Promise<ViewPage<Kind>> {
      const query = asked(question);
      return queue.read(() => {
        const candidates = found(query);
        const page = candidates.slice(0, query.limit);
        const last = page.at(-1);
        // Of the kind that was asked for.
        const items = page.map(({ doc }) => shown(query.kind, doc) as DocumentByKind[Kind]);
        return { items, next: last && candidates.length > query.limit ? textOfPlace(last.place, sortOf(query)) : null };
      });
    },
    count: (kind, scopes) =>
      queue.read(() => {
        const seen = all(kind).filter(({ scope }) => sees(scopes, scope));
        const counts = states[kind].map((state) => [state, seen.filter((doc) => doc.state === state).length]);
        return Object.fromEntries(counts);
      }),
    timeline: ({ incident, scopes, after, limit }) =>
      queue.read(() => {
        const story = [...(lines.get(incident)?.values() ?? [])].filter(({ seq, scope }) => seq > after && sees(scopes, scope));
        return story.sort((a, b) => a.seq - b.seq).slice(0, limit);
      }),
    prune: (before, limit) =>
      queue.submit({ records: 1, bytes: 0, unavailable }, () => {
        const gone = [...docs]
          .filter(([, doc]) => candidateOf(doc).doc.state === finalStates[doc.kind] && doc.changedAt < before)
          .sort(([, a], [, b]) => a.changedAt - b.changedAt || a.seq - b.seq)
          .slice(0, limit);
        for (const [key, doc] of gone) {
          docs.delete(key);
          if (doc.kind === 'incident') lines.delete(doc.id);
        }
        return gone.length;
      }),
  };
}

function docKey(kind: string, id: string): string {
  return `${kind}/${id}`;
}

function candidateOf(row: Doc): Candidate {
  const doc = JSON.parse(row.body) as Any; // as `put` wrote it
  return { row, doc, place: { rank: rankOf(row.kind, doc), at: doc.at, seq: row.seq } };
}

/** ASCII only, as SQLite folds. */
function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
