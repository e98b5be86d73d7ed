// Checkpoints over the file: saves go to the writer, loads are one read of one moment.
import { setImmediate as nextRound } from 'node:timers/promises';
import type { Checkpoints, DeskRow } from '../../src/ports/checkpoints.ts';
import { ask } from './ask.ts';
import type { PriorityQueues } from './priority-queues.ts';
import type { Reader } from './reader.ts';
import type { CheckpointRequest } from './requests.ts';
import { parsed, stow, unstow } from './text.ts';

const loadRowsPerChunk = 1_000;
const rowsPerSlice = 1_000;

function plainOf({ scope, table, key, doc }: DeskRow): CheckpointRequest['rows'][number] {
  return { scope: stow(scope), table: stow(table), key: stow(key), doc: doc === null ? null : JSON.stringify(doc) };
}

export function checkpointsOver(queues: PriorityQueues, reader: Reader): Checkpoints {
  return {
    async save(partition, { inputs, facts }, rows) {
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
