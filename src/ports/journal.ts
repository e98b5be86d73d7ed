// A short list of records beside the data that outlives the process: what was written and not struck since. For what must be durable where the log
// is away or takes nothing, so it stands apart from log and store. Not for anything that grows with what comes in.
//   J1  A record is durable once `write` has resolved; a process that dies before may leave it or not, never half of it.
//   J2  Bounded: of more records, or of records too large together, the oldest are forgotten.

/** One record: a second with the same key takes the place of the first. */
export interface JournalEntry {
  readonly key: string;
  /** As JSON holds it; whoever reads it checks it, for another version may have written it. */
  readonly value: unknown;
}

/** Records that outlive the process, by key. One process at a time owns them. */
export interface Journal {
  /** What earlier lives wrote and did not strike, the oldest first. */
  readonly left: readonly JournalEntry[];
  /** Durable when it resolves (J1). Rejects with `store_unavailable`. */
  write(entry: { readonly key: string; readonly value: object }): Promise<void>;
  /** Forgets the key; of one that is not there, does nothing. Rejects with `store_unavailable`; the record may come back in the next life then. */
  strike(key: string): Promise<void>;
  /** Resolves when all that was asked before is done. */
  close(): Promise<void>;
}
