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
  close(): Promise<void>;
}
