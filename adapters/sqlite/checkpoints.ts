// Checkpoints over the state's file: saves go to its writer, loads are one read of one moment.
//   W3  A checkpoint never points past what is durable in the log, which is another file: asked before the save goes to its writer.
import { setImmediate as nextRound } from 'node:timers/promises';
import { GatewayError } from '../../src/core/errors.ts';
import type { CheckpointMark, Checkpoints, DeskRow } from '../../src/ports/checkpoints.ts';
import type { EventLog } from '../../src/ports/event-log.ts';
import { ask } from './ask.ts';
import type { StateQueues } from './lanes.ts';
import type { Reader } from './reader.ts';
import type { CheckpointRequest } from './requests.ts';
import { parsed, stow, unstow } from './text.ts';

const loadRowsPerChunk = 1_000;
/** Of one stretch of the main thread: about a millisecond. */
const rowsPerSlice = 64;

function plainOf({ scope, table, key, doc }: DeskRow): CheckpointRequest['rows'][number] {
  return { scope: stow(scope), table: stow(table), key: stow(key), doc: doc === null ? null : JSON.stringify(doc) };
}

/** What of the log is durable. */
export interface DurableLog extends Pick<EventLog, 'end'> {
  /** Resolves when the appends that were called before are settled, well or not. */
  settled(partition: number): Promise<void>;
}

export function checkpointsOver(queues: StateQueues, reader: Reader, log: DurableLog): Checkpoints {
  /** W3 */
  async function requireWithinLog(partition: number, { inputs, facts }: CheckpointMark): Promise<void> {
    await log.settled(partition);
    if (inputs <= (await log.end('inputs', partition)) && facts <= (await log.end('facts', partition))) return;
    const says = `checkpoint of partition ${partition} at inputs ${inputs}, facts ${facts} is past the end of the log`;
    throw new GatewayError('state_conflict', `store: ${says}`);
  }

  return {
    async save(partition, { inputs, facts }, rows) {
      await requireWithinLog(partition, { inputs, facts });
      const plain: CheckpointRequest['rows'][number][] = [];
      for (const row of rows) {
        plain.push(plainOf(row));
        if (plain.length % rowsPerSlice === 0) await nextRound(); // a storm changes thousands, and others want to be served
      }
      const bytes = plain.reduce((sum, row) => sum + row.scope.length + row.key.length + (row.doc?.length ?? 0), 0);
      const request = { type: 'checkpoint', partition, inputs, facts, rows: plain } as const;
      await ask(queues, { priority: 'state', request, records: 1 + rows.length, bytes });
    },
    async mark(partition) {
      const mark = reader.get('SELECT inputs, facts FROM marks WHERE partition = ?', partition);
      return mark === undefined || mark === null ? null : { inputs: Number(mark['inputs']), facts: Number(mark['facts']) };
    },
    async load(partition, take) {
      return reader.atOnce(() => {
        const mark = reader.get('SELECT inputs, facts FROM marks WHERE partition = ?', partition);
        if (!mark) return null;
        let chunk: DeskRow[] = [];
        for (const row of reader.each('SELECT scope, tab, key, doc FROM desks WHERE partition = ?', partition)) {
          chunk.push({
            scope: unstow(String(row['scope'])),
            table: unstow(String(row['tab'])),
            key: unstow(String(row['key'])),
            doc: parsed(String(row['doc']), 'store_unavailable') as DeskRow['doc'],
          });
          if (chunk.length < loadRowsPerChunk) continue;
          take(chunk);
          chunk = [];
        }
        if (chunk.length > 0) take(chunk);
        return { inputs: Number(mark['inputs']), facts: Number(mark['facts']) };
      });
    },
  };
}
