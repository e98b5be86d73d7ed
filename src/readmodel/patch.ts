// A change to one document, and what comes of it. Which fact makes which change is patches.ts.
//   P1  Null is a value: `set` never takes a member away, so a document that is complete stays so (M1).
//   P2  Applying a patch twice in a row comes to the same as once.
import type { Instant } from '../core/time.ts';
import { blank } from './blank.ts';
import type { DocumentByKind, DocumentKind, IncidentDocument, PageDocument, RunDocument } from './documents.ts';

/** The members that are maps; a patch puts single entries into them. */
interface MapsByKind {
  readonly run: Pick<RunDocument, 'steps'>;
  readonly page: Pick<PageDocument, 'notified'>;
}

/** The members that are sets of words; a patch adds to them. */
interface SetsByKind {
  readonly incident: Pick<IncidentDocument, 'sources'>;
}

type Of<Table, Kind> = Kind extends keyof Table ? Partial<Table[Kind]> : never;

export interface PatchOf<Kind extends DocumentKind> {
  readonly kind: Kind;
  readonly id: string;
  readonly scope: string;
  /** Of the fact: where the document begins, if this patch begins it. */
  readonly at: Instant;
  /** Begins the document where there is none; a patch that does not is dropped there, since it tells too little of a thing that was forgotten. */
  readonly begins?: true;
  /** Replaces these members. */
  readonly set: Partial<Omit<DocumentByKind[Kind], 'id' | 'scope' | 'children'>>;
  /** Puts these entries into members that are maps, each replacing the one of its key. */
  readonly put?: Of<MapsByKind, Kind>;
  /** Adds these words to members that are sets, at the end, where they are missing. */
  readonly add?: Of<SetsByKind, Kind>;
}

export type DocumentPatch = { [Kind in DocumentKind]: PatchOf<Kind> }[DocumentKind];

/** The document after the patch; null where there is none and the patch begins none. */
export function patched<Kind extends DocumentKind>(stored: DocumentByKind[Kind] | null, patch: PatchOf<Kind>): DocumentByKind[Kind] | null {
  const before = stored ?? (patch.begins === true ? blank[patch.kind](patch) : null);
  if (before === null) return null;
  const after = { ...before, ...patch.set };
  for (const [member, entries] of Object.entries(patch.put ?? {})) {
    Object.assign(after, { [member]: { ...(Reflect.get(after, member) as object), ...(entries as object) } });
  }
  for (const [member, words] of Object.entries(patch.add ?? {})) {
    Object.assign(after, { [member]: union(Reflect.get(after, member) as Words, words as Words) });
  }
  return after;
}

type Words = readonly string[];

function union(known: Words, words: Words): Words {
  return [...new Set([...known, ...words])];
}

interface Members {
  [member: string]: unknown;
}

/** Two patches of one document, one after the other, as one; null where that does not come to the same: where the second begins it and the first does not. */
export function joined(before: DocumentPatch, after: DocumentPatch): DocumentPatch | null {
  if (after.begins === true && before.begins !== true) return null;
  const put = mapsTogether(before.put, after.put);
  const add = setsTogether(before.add, after.add);
  // Both are of one document, so of one kind.
  return {
    ...before,
    set: { ...before.set, ...after.set },
    ...(put === null ? {} : { put }),
    ...(add === null ? {} : { add }),
  } as DocumentPatch;
}

/** Whether the second takes an alert out of the incident into which the first put it: that one must be found by it all the same. */
export function leaves(before: DocumentPatch, after: DocumentPatch): boolean {
  if (before.kind !== 'alert' || after.kind !== 'alert') return false;
  const { incident: from = null } = before.set;
  const { incident: to = from } = after.set;
  return from !== null && to !== from;
}

function mapsTogether(before: object | undefined, after: object | undefined): object | null {
  if (before === undefined || after === undefined) return before ?? after ?? null;
  const members: Members = { ...before };
  for (const [member, entries] of Object.entries(after)) members[member] = { ...(members[member] as Members), ...(entries as Members) };
  return members;
}

function setsTogether(before: object | undefined, after: object | undefined): object | null {
  if (before === undefined || after === undefined) return before ?? after ?? null;
  const members: Members = { ...before };
  for (const [member, words] of Object.entries(after))
    members[member] = union((members[member] as Words | undefined) ?? [], words as Words);
  return members;
}
