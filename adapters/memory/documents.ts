// The documents on a memory disk: how a patch changes one, and what follows from it for an incident.
import type { Instant } from '../../src/core/time.ts';
import { finalStates, type DocumentByKind, type DocumentKind } from '../../src/readmodel/documents.ts';
import { patched, type PatchOf } from '../../src/readmodel/patch.ts';
import { placesOf } from '../../src/readmodel/query.ts';
import type { Content, Doc } from './disk.ts';

export interface MemoryDocuments {
  get<Kind extends DocumentKind>(kind: Kind, id: string): DocumentByKind[Kind] | null;
  all<Kind extends DocumentKind>(kind: Kind): readonly DocumentByKind[Kind][];
  /** With the children counted. */
  shown<Kind extends DocumentKind>(kind: Kind, doc: DocumentByKind[Kind]): DocumentByKind[Kind];
  put<Kind extends DocumentKind>(patch: PatchOf<Kind>, changedAt: Instant): void;
  prune(before: Instant, limit: number): number;
}

export function documentsIn(content: Content): MemoryDocuments {
  const { docs, lines } = content;

  function get<Kind extends DocumentKind>(kind: Kind, id: string): DocumentByKind[Kind] | null {
    const row = docs.get(docKey(kind, id));
    return row === undefined ? null : (JSON.parse(row.body) as DocumentByKind[Kind]); // as `put` wrote it
  }

  function all<Kind extends DocumentKind>(kind: Kind): readonly DocumentByKind[Kind][] {
    return [...docs.values()].filter((one) => one.kind === kind).map(({ body }) => JSON.parse(body) as DocumentByKind[Kind]);
  }

  /** The incident is found by its members from now on (V6). */
  function inherit(alert: DocumentByKind['alert']): void {
    const key = docKey('incident', alert.incident ?? '');
    const incident = docs.get(key);
    if (incident !== undefined) docs.set(key, { ...incident, places: [...new Set([...incident.places, ...placesOf(alert)])] });
  }

  return {
    get,
    all,
    shown(kind, doc) {
      if (kind !== 'incident') return doc;
      return { ...doc, children: all('incident').filter(({ parent }) => parent === doc.id).length }; // V5
    },
    put(patch, changedAt) {
      const { kind, id } = patch;
      const key = docKey(kind, id);
      const before = docs.get(key);
      const doc = patched(get(kind, id), patch);
      if (doc === null) return;
      if (before === undefined) content.arrivals += 1;
      docs.set(key, { seq: before?.seq ?? content.arrivals, kind, id, changedAt, places: before?.places ?? [], body: JSON.stringify(doc) });
      const joining = before === undefined && kind === 'incident' ? all('alert') : kind === 'alert' ? [doc as DocumentByKind['alert']] : [];
      for (const alert of joining) inherit(alert);
    },
    prune(before, limit) {
      const gone = [...docs]
        .filter(([, doc]) => isFinal(doc) && doc.changedAt < before)
        .sort(([, a], [, b]) => a.changedAt - b.changedAt || a.seq - b.seq)
        .slice(0, limit);
      for (const [key, doc] of gone) {
        docs.delete(key);
        if (doc.kind === 'incident') lines.delete(doc.id);
      }
      return gone.length;
    },
  };
}

function isFinal({ kind, body }: Doc): boolean {
  return (JSON.parse(body) as DocumentByKind[DocumentKind]).state === finalStates[kind];
}

function docKey(kind: string, id: string): string {
  return `${kind}/${id}`;
}
