// Saves the changed rows of a partition's desks: when it is due, and one save at a time.
// Whether the log has every fact of what is saved is the caller's to see to (H2 in host.ts).
import type { Desk } from '../../core/desk.ts';
import type { Millis } from '../../core/time.ts';
import type { CheckpointMark, Checkpoints, DeskRow } from '../../ports/checkpoints.ts';
import type { Clock } from '../../ports/clock.ts';
import { changedCount, changedRows } from './desks.ts';

/** How long a changed row waits at most for its save. A row that changes again meanwhile is written once. */
export const checkpointEveryMs: Millis = 2_000;
/** What a save holds the main thread up for grows with its rows: handing over 2,048 takes 2 ms, 4,096 five and more. A save under way lets more of them gather, up to a bound below that of the store's queue. */
const changedRowsDue = 2_048;
const changedRowsMax = 8_000;
/** Repeats change few rows; what was turned behind the last save is turned again after a crash, so that is bounded, too: a start takes a second for so many. */
const inputsDue = 8_000;

export interface CheckpointerDeps {
  readonly partition: number;
  readonly checkpoints: Pick<Checkpoints, 'save'>;
  readonly clock: Pick<Clock, 'steady'>;
  readonly onSaved: (mark: CheckpointMark) => void;
  /** All changed rows of the desk were taken for a save. */
  readonly onTaken: (desk: Desk) => void;
  /** A save failed: whoever sleeps shall look at `failed`. */
  readonly onFailed: () => void;
}

export interface Checkpointer {
  /** Begins anew behind a load. Only when no save is under way. */
  reset(mark: CheckpointMark): void;
  /** The desk has rows that the checkpoint does not have. */
  changed(desk: Desk): void;
  readonly hasUnsaved: boolean;
  /** `inputs`: how far they are turned. */
  isDue(isLast: boolean, inputs: number): boolean;
  /** Waits for the save before, then begins with this one, of everything changed; rejects when the save before failed. */
  begin(mark: () => Promise<CheckpointMark>): Promise<void>;
  /** Resolves when no save is under way; rejects when one has failed. */
  durable(): Promise<void>;
  /** A save failed: what it held is to be loaded and turned again. */
  readonly failed: boolean;
  /** What the last save covers. */
  readonly mark: CheckpointMark;
}

export function createCheckpointer({ partition, checkpoints, clock, onSaved, onTaken, onFailed }: CheckpointerDeps): Checkpointer {
  /** Of a thousand scopes few change between two saves. */
  const unsaved = new Set<Desk>();
  let covered: CheckpointMark = { inputs: 0, facts: 0 };
  let begunAt: Millis = 0;
  /** What the newest save covers, done or not. */
  let begunInputs = 0;
  let saving: Promise<void> = Promise.resolve();
  let isSaving = false;
  let failed = false;

  async function save(mark: CheckpointMark, rows: readonly DeskRow[]): Promise<void> {
    isSaving = true;
    await checkpoints.save(partition, mark, rows);
    covered = mark;
    isSaving = false;
    onSaved(mark);
  }

  return {
    reset(mark) {
      unsaved.clear();
      covered = mark;
      begunAt = clock.steady();
      begunInputs = mark.inputs;
      saving = Promise.resolve();
      isSaving = false;
      failed = false;
    },
    changed: (desk) => void unsaved.add(desk),
    get hasUnsaved() {
      return unsaved.size > 0;
    },
    isDue(isLast, inputs) {
      let rows = 0;
      for (const desk of unsaved) rows += changedCount(desk);
      if (rows === 0) return false;
      if (isLast || rows >= changedRowsMax) return true;
      if (isSaving) return false;
      return rows >= changedRowsDue || inputs - begunInputs >= inputsDue || clock.steady() - begunAt >= checkpointEveryMs;
    },
    async begin(markNow) {
      await saving;
      const mark = await markNow();
      const desks = [...unsaved];
      const rows = desks.flatMap(changedRows);
      unsaved.clear();
      for (const desk of desks) onTaken(desk);
      saving = save(mark, rows);
      saving.catch(() => {
        failed = true;
        onFailed();
      });
      begunAt = clock.steady();
      begunInputs = mark.inputs;
    },
    durable: () => saving,
    get failed() {
      return failed;
    },
    get mark() {
      return covered;
    },
  };
}
