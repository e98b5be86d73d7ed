// Turning batch by batch, until it is told to stop: read inputs, turn them, append their facts, save when it is due, wait.
// Ends by throwing when log or store break; to load again and go on is the host's business. H1 and H2 are told in host.ts.
import { GatewayError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Bell } from '../async/bell.ts';
import { checkpointEveryMs, type Checkpointer } from './checkpointer.ts';
import { createPace } from './pace.ts';
import type { FactsWriter } from './facts-writer.ts';
import type { Turner } from './turner.ts';

const inputsPerBatch = 256;

export interface LoopParts {
  readonly partition: number;
  readonly log: EventLog;
  readonly clock: Pick<Clock, 'after' | 'steady'>;
  readonly turner: Turner;
  readonly factsWriter: FactsWriter;
  readonly checkpointer: Checkpointer;
  /** Rings when an input was appended, a save failed, or it is time to stop. */
  readonly arrivals: Bell;
  readonly stopping: AbortSignal;
  /** How many inputs that may wait for others are on the log ahead of what is turned; as many as are turned in a moment, unless it is set (pace.ts). */
  readonly room?: number;
  readonly yieldToIntake: () => Promise<void>;
}

/** Resolves when it was told to stop and everything turned is saved. Rejects with what broke. */
export async function turnUntilStopped(parts: LoopParts): Promise<void> {
  const { partition, log, clock, turner, factsWriter, checkpointer, arrivals, stopping } = parts;
  const pace = createPace();
  while (!stopping.aborted) {
    const arrived = arrivals.next();
    const [from, began] = [turner.offset, clock.steady()];
    log.bulk?.limit(partition, turner.offset + (parts.room ?? pace.room));
    if (checkpointer.failed) await checkpointer.durable(); // rejects: what was not saved is loaded and turned again
    const records = await log.read('inputs', partition, turner.offset, inputsPerBatch);
    if (records.length === 0) await requireUncut(parts);
    else await factsWriter.begin(turner.turn(records));
    if (records.length === 0 || checkpointer.isDue(stopping.aborted, turner.offset)) await saveIfDue(parts);
    if (records.length === 0) await arrivedOrDue(parts, arrived);
    else await parts.yieldToIntake();
    if (records.length > 0) pace.turned(turner.offset - from, clock.steady() - began);
  }
  await saveIfDue(parts);
  await checkpointer.durable();
}

/** A log that ends before what was turned was cut back. */
async function requireUncut({ log, partition, turner }: LoopParts): Promise<void> {
  if ((await log.end('inputs', partition, turner.offset)) < turner.offset)
    throw new GatewayError('log_unavailable', `inputs of partition ${partition} end before ${turner.offset}, where we are`);
}

async function saveIfDue({ log, partition, turner, factsWriter, checkpointer, stopping }: LoopParts): Promise<void> {
  await factsWriter.durable(); // H2
  if (!checkpointer.isDue(stopping.aborted, turner.offset)) return;
  await checkpointer.begin(async () => ({
    inputs: turner.offset,
    // While the tail of an earlier life is turned again, what it wrote must be found there once more after another crash (H1).
    facts: factsWriter.isBehind ? checkpointer.mark.facts : await log.end('facts', partition),
  }));
}

/** Waits for an input, or until unsaved rows are due for saving. */
async function arrivedOrDue({ clock, checkpointer, arrivals }: LoopParts, arrived: Promise<void>): Promise<void> {
  const cancel = checkpointer.hasUnsaved ? clock.after(checkpointEveryMs, arrivals.ring) : () => {};
  await arrived;
  cancel();
}
