// The read model behind the API: the documents of src/readmodel, lists of them by index, counts and timelines.
// Rebuildable from facts as far as retention left them, and eventually consistent with them.
//   V1  A batch that does not move its cursor forward changes nothing.
//   V2  Every read names the scopes that may be seen; what lies outside them is as if it were not there.
//   V3  No question costs more for what it does not show: lists are walks down an index. What no index answers (text, label patterns,
//       rare combinations) is looked for among a bounded number of candidates; a page that met the bound holds what it found, and `next`.
//   V4  A page boundary neither doubles nor skips a document that did not change meanwhile.
//   V5  `children` of an incident is the number of incidents here whose parent it is, and is kept with every change of theirs.
//   V6  An incident is found by the name, host and service of every alert that was ever its member.
import type { Instant } from '../core/time.ts';
import type { DocumentByKind, DocumentKind, StateOf } from '../readmodel/documents.ts';
import type { DocumentPatch } from '../readmodel/patch.ts';
import type { ScopeFilter, ViewQuery } from '../readmodel/query.ts';
import type { TimelineEntry } from '../readmodel/timeline.ts';

export interface ViewPage<Kind extends DocumentKind> {
  readonly items: readonly DocumentByKind[Kind][];
  /** Where to go on; null at the end. A page may be shorter than its limit and still have one (V3). */
  readonly next: string | null;
}

/** What one reading of the facts changes. */
export interface ViewBatch {
  /** Name of the reader that the position belongs to. */
  readonly cursor: string;
  readonly partition: number;
  readonly offset: number;
  readonly patches: readonly DocumentPatch[];
  readonly entries: readonly TimelineEntry[];
}

export interface Views {
  /** Applies patches and entries and moves the named cursor, in one atomic step (V1). */
  apply(batch: ViewBatch): Promise<void>;
  get<Kind extends DocumentKind>(kind: Kind, id: string, scopes: ScopeFilter): Promise<DocumentByKind[Kind] | null>;
  /** Rejects with `invalid_request` for a word that is no state, severity or sort, and for an `after` that no list of this kind returned. */
  list<Kind extends DocumentKind>(query: ViewQuery<Kind>): Promise<ViewPage<Kind>>;
  /** How many documents of the kind are in each state; every state is named. */
  count<Kind extends DocumentKind>(kind: Kind, scopes: ScopeFilter): Promise<{ readonly [State in StateOf<Kind>]: number }>;
  /** Lines with a `seq` above `after`, oldest first. */
  timeline(story: {
    readonly incident: string;
    readonly scopes: ScopeFilter;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly TimelineEntry[]>;
  /** Forgets documents in the final state of their kind last changed before the instant, at most `limit`; returns how many. */
  prune(before: Instant, limit: number): Promise<number>;
}
