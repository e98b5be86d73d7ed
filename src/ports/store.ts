// Everything one process keeps, from one opened store.
import type { Checkpoints } from './checkpoints.ts';
import type { Cursors } from './cursors.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { EventLog } from './event-log.ts';
import type { Views } from './views.ts';

export interface Store {
  readonly log: EventLog;
  readonly checkpoints: Checkpoints;
  readonly views: Views;
  readonly cursors: Cursors;
  readonly deadLetters: DeadLetters;
  /** Resolves when something was written as a record is, durably; rejects as an append would. */
  probe(): Promise<void>;
  /** What is wrong with the files that it keeps its data in, in one sentence; null when nothing is known. Cheap; absent where there are no files. */
  trouble?(): string | null;
  /** What its files take, in bytes, but for what is written beside them and bounded by itself. Cheap; absent where there are no files. */
  bytes?(): number;
  /** What opening it found and did about it, a sentence each, for the log. */
  readonly found?: readonly string[];
  close(): Promise<void>;
}
