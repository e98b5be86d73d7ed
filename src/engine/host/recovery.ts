// Where a partition goes on after a start or a breakdown: its desks from the checkpoint, and what is on the log beyond it already.
// Reads only. Turning the inputs behind the checkpoint again is the host's business (H1).
import { metaOf, type Desk } from '../../core/desk.ts';
import type { Fact } from '../../core/records.ts';
import type { CheckpointMark, Checkpoints } from '../../ports/checkpoints.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { placeIn } from '../tail.ts';
import { finishLoading, takeRows } from './desks.ts';

const factsPerScan = 1_000;

export interface RecoveryDeps {
  readonly partition: number;
  readonly log: EventLog;
  readonly checkpoints: Checkpoints;
  readonly onTrouble: (error: unknown) => void;
}

export interface Recovered {
  /** What the checkpoint covers, as far as the log has it still. */
  readonly mark: CheckpointMark;
  /** By scope: `seq` of the newest fact that is on the log beyond the desk; a scope whose desk has all of its facts is not there. */
  readonly newestSeqs: ReadonlyMap<string, number>;
}

/** Loads into the desks given. Rejects with `GatewayError` when log or store do not answer. */
export async function recover(deps: RecoveryDeps, desks: Map<string, Desk>): Promise<Recovered> {
  const { partition, log, checkpoints, onTrouble } = deps;
  const loaded = await checkpoints.load(partition, (rows) => takeRows(desks, rows));
  finishLoading(desks);
  const mark = {
    inputs: await placeIn(log, 'inputs', partition, loaded?.inputs ?? 0, onTrouble),
    facts: await placeIn(log, 'facts', partition, loaded?.facts ?? 0, onTrouble),
  };
  const newest = await newestSince(deps, mark.facts, loaded === null);
  return { mark, newestSeqs: new Map([...newest].filter(([scope, seq]) => seq > seqOf(desks.get(scope)))) };
}

function seqOf(desk: Desk | undefined): number {
  return desk === undefined ? 0 : metaOf(desk).seq;
}

/** Without a checkpoint nothing on the log was decided elsewhere: a fact that a move put there says that the move broke off. */
async function newestSince({ partition, log }: RecoveryDeps, from: number, isFirst: boolean): Promise<Map<string, number>> {
  const newest = new Map<string, number>();
  const end = await log.end('facts', partition, Infinity); // another host of ours may append still
  for (let at = from; at < end;) {
    const records = await log.read('facts', partition, at, factsPerScan);
    const last = records.at(-1);
    if (last === undefined) break;
    for (const record of records) {
      const fact = record.value as Fact; // written by hosts only
      if (isFirst && fact.type === 'AlertDecided' && fact.offset < 0)
        throw new Error('a move to this log broke off half-way: delete its topics or take a new topicPrefix, and move again');
      newest.set(record.scope, Math.max(newest.get(record.scope) ?? 0, fact.seq));
    }
    at = last.offset + 1;
  }
  return newest;
}
