// Checkpoints over a memory disk (D2 in disk.ts).
import { GatewayError } from '../../src/core/errors.ts';
import type { Checkpoints } from '../../src/ports/checkpoints.ts';
import type { MemoryDisk } from './disk.ts';
import { slotIn } from './log.ts';
import type { WriteQueue } from './queue.ts';

const unavailable = 'store_unavailable';

export function memoryCheckpoints({ content, loaders }: MemoryDisk, queue: WriteQueue): Checkpoints {
  const me = {};
  return {
    async save(partition, mark, rows) {
      const plain = rows.map((row) => ({ ...row, doc: row.doc === null ? null : JSON.stringify(row.doc) }));
      const bytes = plain.reduce((sum, row) => sum + (row.doc?.length ?? 0), 0);
      await queue.submit({ records: 1 + rows.length, bytes, unavailable }, () => {
        if ((loaders.get(partition) ?? me) !== me)
          throw new GatewayError(
            unavailable,
            `memory store: another process has loaded partition ${partition} since; this save does not count`,
          );
        const past = mark.inputs > slotIn(content, 'inputs', partition).end || mark.facts > slotIn(content, 'facts', partition).end;
        if (past) {
          const place = `inputs ${mark.inputs}, facts ${mark.facts}`;
          throw new GatewayError('state_conflict', `checkpoint of partition ${partition} at ${place} is past the end of the log`);
        }
        const desk = content.desks.get(partition) ?? { mark, rows: new Map() };
        desk.mark = { inputs: mark.inputs, facts: mark.facts };
        for (const { scope, table, key, doc } of plain) {
          const name = JSON.stringify([scope, table, key]);
          if (doc === null) desk.rows.delete(name);
          else desk.rows.set(name, { scope, table, key, doc });
        }
        content.desks.set(partition, desk);
      });
    },
    mark: (partition) => queue.read(() => content.desks.get(partition)?.mark ?? null),
    async load(partition, take) {
      return queue.read(() => {
        loaders.set(partition, me);
        const desk = content.desks.get(partition);
        if (!desk) return null;
        if (desk.rows.size > 0)
          take([...desk.rows.values()].map(({ scope, table, key, doc }) => ({ scope, table, key, doc: JSON.parse(doc) })));
        return desk.mark;
      });
    },
  };
}
