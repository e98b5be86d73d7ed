// What follows from a change of one document for the rows beside it.
//   K1  Facets are those of the document as it stands; an incident keeps in `places` what its members were found by (V6).
//   K2  A parent's `children` counts the incidents that name it, in whatever order parent and children came (V5).
//   K3  While its parent is not resolved, an incident's rank is a hidden one.
//   K4  Facets and tallies are written once a batch.
import type { DatabaseSync } from 'node:sqlite';
import type { DocumentByKind, DocumentKind } from '../../src/readmodel/documents.ts';
import { facetsOf, placesOf } from '../../src/readmodel/query.ts';
import { stow, unstow } from './text.ts';
import { bucketBits, bucketOf, hiddenRank, worldOf } from './viewtables.ts';

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
  /** Writes what moved of facets and tallies (K4). */
  settle(): void;
}

export function viewKin(db: DatabaseSync): ViewKin {
  const facets = facetRows(db);
  const family = familyRows(db, facets);
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
    begin() {
      facets.begin();
      tallies.begin();
    },
    settle() {
      facets.settle();
      tallies.settle();
    },
  };
}

/** The members that facets are made of; one that a patch left alone is the same object as before. */
const foundBy = ['source', 'sources', 'name', 'entity', 'labels', 'storm', 'playbook', 'target', 'end', 'run'] as const;

function sameMembers(before: Doc, after: Doc): boolean {
  return foundBy.every((member) => Reflect.get(before, member) === Reflect.get(after, member));
}

interface FacetRows {
  replace(kind: DocumentKind, seq: number, before: Doc | null, after: Doc | null): void;
  /** The incident in this row is found by the alert from now on. */
  inherit(row: { readonly seq: number; readonly scope: string }, alert: Alert): void;
  begin(): void;
  settle(): void;
}

/** Rows are written once a batch, in the order of the table: new documents share most of their words, and so the pages. */
function facetRows(db: DatabaseSync): FacetRows {
  const rows = `SELECT (value ->> 1) >> ${bucketBits}, value ->> 0, value ->> 2, value ->> 1 FROM json_each(?)`;
  const add = db.prepare(`INSERT OR IGNORE INTO facets ${rows}`);
  const addPlaces = db.prepare(`INSERT OR IGNORE INTO places SELECT value ->> 1, value ->> 0 FROM json_each(?)`);
  // What is also a member's stays.
  const remove = db.prepare(
    `DELETE FROM facets WHERE (bucket, facet, world, seq) IN (${rows}) AND NOT EXISTS (SELECT 1 FROM places WHERE seq = facets.seq AND facet = facets.facet)`,
  );
  let added = new Map<string, FacetRow>();
  let removed = new Map<string, FacetRow>();
  let inherited = new Map<string, FacetRow>();

  return {
    replace(kind, seq, before, after) {
      if (before !== null && after !== null && sameMembers(before, after)) return;
      const old = new Set(before === null ? [] : facetsOf<DocumentKind>(kind, before));
      const fresh = new Set(after === null ? [] : facetsOf<DocumentKind>(kind, after));
      const world = worldOf((after ?? before)?.scope ?? '');
      for (const facet of fresh) if (!old.has(facet)) moveTo(added, removed, [facetRow(kind, facet), seq, world]);
      for (const facet of old) if (!fresh.has(facet)) moveTo(removed, added, [facetRow(kind, facet), seq, world]);
    },
    inherit({ seq, scope }, alert) {
      const world = worldOf(scope);
      for (const facet of placesOf(alert)) moveTo(inherited, removed, [facetRow('incident', facet), seq, world]);
    },
    begin() {
      added = new Map();
      removed = new Map();
      inherited = new Map();
    },
    settle() {
      const places = textOf(inherited);
      if (inherited.size > 0) addPlaces.run(places);
      if (removed.size > 0) remove.run(textOf(removed));
      if (added.size > 0) add.run(textOf(added));
      if (inherited.size > 0) add.run(places);
    },
  };
}

type FacetRow = readonly [facet: string, seq: number, world: number];

function moveTo(to: Map<string, FacetRow>, from: Map<string, FacetRow>, row: FacetRow): void {
  const key = `${row[0]}\0${row[1]}`;
  from.delete(key);
  to.set(key, row);
}

function textOf(rows: ReadonlyMap<string, FacetRow>): string {
  return JSON.stringify(
    [...rows.values()].sort(
      (a, b) => bucketOf(a[1]) - bucketOf(b[1]) || (a[0] === b[0] ? a[2] - b[2] || a[1] - b[1] : a[0] < b[0] ? -1 : 1),
    ),
  );
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

function familyRows(db: DatabaseSync, facets: FacetRows): FamilyRows {
  const open = db.prepare("SELECT 1 FROM views WHERE kind = 'incident' AND id = ? AND final = 0");
  const place = db.prepare("SELECT seq, scope FROM views WHERE kind = 'incident' AND id = ?");
  const addChildren = db.prepare("UPDATE views SET children = children + ? WHERE kind = 'incident' AND id = ?");
  const countChildren = db.prepare("SELECT count(*) AS count FROM views WHERE kind = 'incident' AND parent = ? AND seq <> ?");
  const hide = db.prepare(`UPDATE views SET rank = rank % ${hiddenRank} + ? WHERE kind = 'incident' AND parent = ?`);
  const members = db.prepare("SELECT doc FROM views WHERE kind = 'alert' AND parent = ?");
  const dropFacets = db.prepare(
    `DELETE FROM facets WHERE bucket = ?1 >> ${bucketBits} AND world = ?2 AND seq = ?1 AND facet IN (SELECT facet FROM places WHERE seq = ?1)`,
  );
  const dropPlaces = db.prepare('DELETE FROM places WHERE seq = ?');

  /** A new incident: children and members may have come before it. */
  function born({ id: name, scope }: DocumentByKind['incident'], seq: number): void {
    const id = stow(name);
    const children = Number(countChildren.get(id, seq)?.['count'] ?? 0);
    if (children > 0) addChildren.run(children, id);
    for (const row of members.iterate(id)) facets.inherit({ seq, scope }, JSON.parse(String(row['doc'])) as Alert);
  }

  return {
    speaksFor: (parent) => open.get(parent) !== undefined,
    changed(before, after, seq) {
      if (before !== null && before.parent === after.parent && before.state === after.state) return;
      const id = stow(after.id);
      if (before === null) born(after, seq); // K2
      if (before?.parent !== after.parent) {
        if (before !== null && before.parent !== null) addChildren.run(-1, stow(before.parent));
        if (after.parent !== null) addChildren.run(1, stow(after.parent));
      }
      const speaks = after.state !== 'resolved';
      if ((before === null ? false : before.state !== 'resolved') !== speaks) hide.run(speaks ? hiddenRank : 0, id); // K3
    },
    joined(before, after) {
      if (after.incident === null) return;
      if (before !== null && before.incident === after.incident && samePlace(before, after)) return;
      const row = place.get(stow(after.incident));
      if (row !== undefined) facets.inherit({ seq: Number(row['seq']), scope: unstow(String(row['scope'])) }, after); // K1
    },
    dropped(before, seq) {
      if (before.parent !== null) addChildren.run(-1, stow(before.parent));
      dropFacets.run(seq, worldOf(before.scope));
      dropPlaces.run(seq);
    },
  };
}

function samePlace(one: Alert, other: Alert): boolean {
  return one.name === other.name && one.entity.host === other.entity.host && one.entity.service === other.entity.service;
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
    const change = moved.get(key);
    if (change === undefined) moved.set(key, { row: [kind, stow(doc.scope), doc.state], by });
    else change.by += by;
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
