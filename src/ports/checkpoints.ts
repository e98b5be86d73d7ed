// Desk state between turns, saved incrementally.

/** One row of desk state: `doc` null deletes it. */
export interface DeskRow {
  readonly scope: string;
  readonly table: string;
  readonly key: string;
  readonly doc: object | null;
}

/** Where a partition's desks stand: state after the input at `inputs - 1`, whose facts end below `facts`. */
export interface CheckpointMark {
  readonly inputs: number;
  readonly facts: number;
}

/** Desk state between turns, saved incrementally. */
export interface Checkpoints {
  /**
   * Saves mark and changed rows in one atomic step. Ordered after every append that was called before it.
   * Rejects with `store_unavailable`, also when another process has loaded the partition since: what it saves counts, ours no more.
   */
  save(partition: number, mark: CheckpointMark, rows: readonly DeskRow[]): Promise<void>;
  /** The mark of the last save, or null for a partition never saved; takes nothing away from whoever has loaded it. Missing where it cannot be had by itself. */
  mark?(partition: number): Promise<CheckpointMark | null>;
  /** The mark, or null for a partition never saved; rows arrive in chunks through `take`. From here on nobody else's save counts. */
  load(partition: number, take: (rows: readonly DeskRow[]) => void): Promise<CheckpointMark | null>;
}
