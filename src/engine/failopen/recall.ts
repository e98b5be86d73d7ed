// What an earlier life of this process accepted and nobody decided: it stands on the log behind the checkpoint, and is told to the fail-open page.
// Reads only, and beside the hosts, which may be turning the same inputs: what they decide meanwhile leaves the book again.
//   C1  Bounded: of a longer tail the newest inputs are left to the hosts, for they were the last to come.
import type { Fact, Input } from '../../core/records.ts';
import type { CheckpointMark } from '../../ports/checkpoints.ts';
import type { EventLog, LogBatch, LogRecord } from '../../ports/event-log.ts';

const recordsPerRead = 512;
const inputsMax = 100_000;
const factsMax = 200_000;

export interface RecallDeps {
  readonly log: Pick<EventLog, 'read' | 'end' | 'partitions'>;
  /** What the last checkpoint of a partition covers; null for a partition never saved. */
  readonly mark: (partition: number) => Promise<CheckpointMark | null>;
  /** Told of each input that has no decision yet, in the order of its partition. */
  readonly left: (batch: LogBatch) => void;
  readonly stopping: AbortSignal;
}

/** Resolves with how many alerts had no decision; what the gateway told itself at its start is on the log, too, and is none. Rejects when log or store do not answer. */
export async function recallUndecided(deps: RecallDeps): Promise<number> {
  let count = 0;
  for (let partition = 0; partition < deps.log.partitions; partition += 1) count += await recallPartition(deps, partition);
  return count;
}

async function recallPartition({ log, mark, left, stopping }: RecallDeps, partition: number): Promise<number> {
  const from = (await mark(partition)) ?? { inputs: 0, facts: 0 };
  const decided = new Set<number>();
  const readAll = async (topic: 'inputs' | 'facts', start: number, max: number, take: (record: LogRecord) => void): Promise<void> => {
    const end = Math.min(await log.end(topic, partition), start + max); // C1
    for (let at = start; at < end && !stopping.aborted;) {
      const records = await log.read(topic, partition, at, Math.min(recordsPerRead, end - at));
      const last = records.at(-1);
      if (last === undefined) return;
      records.forEach(take);
      at = last.offset + 1;
    }
  };
  await readAll('facts', from.facts, factsMax, ({ value }) => {
    const fact = value as Fact; // written by hosts only
    if (fact.type === 'AlertDecided') decided.add(fact.offset);
  });
  let count = 0;
  await readAll('inputs', from.inputs, inputsMax, ({ scope, offset, value }) => {
    if (decided.has(offset)) return;
    if ((value as Input).type === 'AlertSeen') count += 1; // written by intake only
    left({ partition, scope, values: [value as object] });
  });
  return count;
}
