// The read model behind the API: documents, lists and timelines.
import type { Json } from '../core/json.ts';
import type { Instant } from '../core/time.ts';

/** What people list and count. */
export const viewKinds = ['alert', 'incident', 'run', 'page', 'silence', 'approval'] as const;

/** A `partition` is `frozen` or `open`: a process that decides none knows of an emergency stop by it. */
export type ViewKind = (typeof viewKinds)[number] | 'partition';

/** A change to one document of the read model: RFC 7396 merge patch onto what is there. */
export interface ViewPatch {
  readonly kind: ViewKind;
  readonly id: string;
  readonly scope: string;
  /** Sort key of lists, newest first; kept from the first patch that gives it. */
  readonly at?: Instant;
  /** Filterable state word of the kind (`firing`, `open`, `ringing` …), when it changes. */
  readonly state?: string;
  /** Parent for `list({ of })`: an alert's or run's or page's incident. */
  readonly of?: string | null;
  readonly patch: { readonly [key: string]: Json };
}

/** One line of an incident's story. */
export interface TimelineEntry {
  readonly incident: string;
  readonly scope: string;
  readonly seq: number;
  readonly at: Instant;
  readonly type: string;
  readonly text: string;
  readonly detail: { readonly [key: string]: Json };
}

export interface ViewDoc {
  readonly kind: ViewKind;
  readonly id: string;
  readonly scope: string;
  readonly at: Instant;
  readonly state: string;
  readonly of: string | null;
  readonly doc: { readonly [key: string]: Json };
}

export interface ViewQuery {
  readonly kind: ViewKind;
  readonly states?: readonly string[];
  readonly of?: string;
  /** Case-insensitive text anywhere in the document. */
  readonly text?: string;
  readonly limit: number;
  /** Opaque place to go on from, as returned in `next`. */
  readonly after?: string;
}

/** The read model behind the API: rebuildable from facts, eventually consistent with them. */
export interface Views {
  /** Applies patches and entries and moves the named cursor, in one atomic step; a repeat of the same facts changes nothing. */
  apply(batch: {
    readonly cursor: string;
    readonly partition: number;
    readonly offset: number;
    readonly patches: readonly ViewPatch[];
    readonly entries: readonly TimelineEntry[];
  }): Promise<void>;
  get(kind: ViewKind, id: string): Promise<ViewDoc | null>;
  list(query: ViewQuery): Promise<{ readonly docs: readonly ViewDoc[]; readonly next: string | null }>;
  count(kind: ViewKind): Promise<{ readonly [state: string]: number }>;
  timeline(incident: string, after: number, limit: number): Promise<readonly TimelineEntry[]>;
  /** Forgets documents in a final state (`cleared`, `resolved`, `ended`, `closed`, `expired`) last changed before the instant, at most `limit`; returns how many. */
  prune(before: Instant, limit: number): Promise<number>;
}
