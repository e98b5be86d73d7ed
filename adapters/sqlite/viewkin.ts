// What follows from a change of one document for the rows beside it.
//   K1  Facets are those of the document as it stands; an incident keeps in `places` what its members were found by (V6).
//   K2  A parent's `children` counts the incidents that name it, in whatever order parent and children came (V5).
//   K3  While its parent is not resolved, an incident's rank is a hidden one.
//   K4  Tallies are written once a batch.
import type { DatabaseSync } from 'node:sqlite';
import type { DocumentByKind, DocumentKind } from '../../src/readmodel/documents.ts';
import { facetsOf, placesOf } from '../../src/readmodel/query.ts';
import { stow } from './text.ts';
import { hiddenRank } from './viewtables.ts';

type Doc = DocumentByKind[DocumentKind];
type Alert = DocumentByKind['alert'];

interface Gone {
  readonly kind: DocumentKind;
  readonly seq: number;
  readonly before: Doc;
}

interface Change {
  readonly kind: DocumentKind;
  readonly seq: number;
  readonly before: Doc | null;
  readonly after: Doc;
}

export interface ViewKin {
  isHidden(kind: DocumentKind, parent: string | null): boolean;
  changed(change: Change): void;
  dropped(gone: Gone): void;
  /** Forgets what a batch that failed would have moved. */
  begin(): void;
  /** Writes the tallies that moved (K4). */
  settle(): void;
}

export function viewKin(db: DatabaseSync): ViewKin {
  const facets = facetRows(db);
  const family = familyRows(db);
  const tallies = tallyRows(db);
  return {
    isHidden: (kind, parent) => kind === 'incident' && parent !== null && family.speaksFor(parent),
    changed({ kind, seq, before, after }) {
      facets.replace(kind, seq, before, after);
      tallies.move(kind, before, after);
      if (kind === 'incident') family.changed(before as DocumentByKind['incident'] | null, after as DocumentByKind['incident'], seq);
      if (kind === 'alert') family.joined(before as Alert | null, after as Alert);
    },
    dropped({ kind, seq, before }) {
      facets.replace(kind, seq, before, null);
      tallies.move(kind, before, null);
      if (kind === 'incident') family.dropped(before as DocumentByKind['incident'], seq);
    },
    begin: tallies.begin,
    settle: tallies.settle,
  };
}

/** The members that facets are made of; one that a patch left alone is the same object as before. */
const foundBy = ['source', 'sources', 'name', 'entity', 'labels', 'storm', 'playbook', 'target', 'end', 'run'] as const;

interface FacetRows {
  replace(kind: DocumentKind, seq: number, before: Doc | null, after: Doc | null): void;
}

function facetRows(db: DatabaseSync): FacetRows {
  const add = db.prepare('INSERT OR IGNORE INTO facets VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM facets WHERE facet = ? AND seq = ?');
  // A facet that is also a member's stays.
  const keeps = db.prepare('SELECT 1 FROM places WHERE seq = ? AND facet = ?');
  return {
    replace(kind, seq, before, after) {
      if (before !== null && after !== null && foundBy.every((member) => Reflect.get(before, member) === Reflect.get(after, member)))
        return;
      const old = new Set(before === null ? [] : facetsOf<DocumentKind>(kind, before));
      const fresh = new Set(after === null ? [] : facetsOf<DocumentKind>(kind, after));
      for (const facet of fresh) if (!old.has(facet)) add.run(facetRow(kind, facet), seq);
      for (const facet of old) {
        if (!fresh.has(facet) && keeps.get(seq, facetRow(kind, facet)) === undefined) remove.run(facetRow(kind, facet), seq);
      }
    },
  };
}

/** How a facet is written in the tables. */
export function facetRow(kind: DocumentKind, facet: string): string {
  return stow(`${kind} ${facet}`);
}

interface FamilyRows {
  speaksFor(parent: string): boolean;
  changed(before: DocumentByKind['incident'] | null, after: DocumentByKind['incident'], seq: number): void;
  joined(before: Alert | null, after: Alert): void;
  dropped(before: DocumentByKind['incident'], seq: number): void;
}

function familyRows(db: DatabaseSync): FamilyRows {
  const open = db.prepare("SELECT 1 FROM views WHERE kind = 'incident' AND id = ? AND final = 0");
  const place = db.prepare("SELECT seq FROM views WHERE kind = 'incident' AND id = ?");
  const addChildren = db.prepare("UPDATE views SET children = children + ? WHERE kind = 'incident' AND id = ?");
  const countChildren = db.prepare("SELECT count(*) AS count FROM views WHERE kind = 'incident' AND parent = ? AND seq <> ?");
  const hide = db.prepare(`UPDATE views SET rank = rank % ${hiddenRank} + ? WHERE kind = 'incident' AND parent = ?`);
  const members = db.prepare("SELECT doc FROM views WHERE kind = 'alert' AND parent = ?");
  const addPlace = db.prepare('INSERT OR IGNORE INTO places VALUES (?, ?)');
  const addFacet = db.prepare('INSERT OR IGNORE INTO facets VALUES (?, ?)');
  const placesHere = db.prepare('SELECT facet FROM places WHERE seq = ?');
  const dropFacet = db.prepare('DELETE FROM facets WHERE facet = ? AND seq = ?');
  const dropPlaces = db.prepare('DELETE FROM places WHERE seq = ?');

  function inherit(seq: number, alert: Alert): void {
    for (const facet of placesOf(alert)) {
      const row = facetRow('incident', facet);
      if (Number(addPlace.run(seq, row).changes) === 1) addFacet.run(row, seq);
    }
  }

  /** A new incident: children and members may have come before it. */
  function born(id: string, seq: number): void {
    const children = Number(countChildren.get(id, seq)?.['count'] ?? 0);
    if (children > 0) addChildren.run(children, id);
    for (const row of members.iterate(id)) inherit(seq, JSON.parse(String(row['doc'])) as Alert);
  }

  return {
    speaksFor: (parent) => open.get(parent) !== undefined,
    changed(before, after, seq) {
      const id = stow(after.id);
      if (before === null) born(id, seq); // K2
      if (before?.parent !== after.parent) {
        if (before !== null && before.parent !== null) addChildren.run(-1, stow(before.parent));
        if (after.parent !== null) addChildren.run(1, stow(after.parent));
      }
      const speaks = after.state !== 'resolved';
      if ((before === null ? false : before.state !== 'resolved') !== speaks) hide.run(speaks ? hiddenRank : 0, id); // K3
    },
    joined(before, after) {
      if (after.incident === null) return;
      if (before !== null && before.incident === after.incident && sameWords(placesOf(before), placesOf(after))) return;
      const seq = place.get(stow(after.incident))?.['seq'];
      if (seq !== undefined) inherit(Number(seq), after); // K1
    },
    dropped(before, seq) {
      if (before.parent !== null) addChildren.run(-1, stow(before.parent));
      for (const row of placesHere.all(seq)) dropFacet.run(String(row['facet']), seq);
      dropPlaces.run(seq);
    },
  };
}

function sameWords(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, place) => word === other[place]);
}

interface TallyRows {
  move(kind: DocumentKind, before: Doc | null, after: Doc | null): void;
  begin(): void;
  settle(): void;
}

function tallyRows(db: DatabaseSync): TallyRows {
  const add = db.prepare('INSERT INTO tallies VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count');
  let moved = new Map<string, { readonly row: readonly [string, string, string]; by: number }>();

  function count(kind: DocumentKind, doc: Doc, by: number): void {
    const key = JSON.stringify([kind, doc.scope, doc.state]);
    const held = moved.get(key);
    if (held === undefined) moved.set(key, { row: [kind, stow(doc.scope), doc.state], by });
    else held.by += by;
  }

  return {
    move(kind, before, after) {
      if (before !== null && after !== null && before.state === after.state && before.scope === after.scope) return;
      if (before !== null) count(kind, before, -1);
      if (after !== null) count(kind, after, 1);
    },
    begin: () => moved.clear(),
    settle() {
      const rows = moved;
      moved = new Map();
      for (const { row, by } of rows.values()) if (by !== 0) add.run(...row, by);
    },
  };
}
