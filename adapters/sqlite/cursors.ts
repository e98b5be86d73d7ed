// Cursors over the file.
import type { Cursors } from '../../src/ports/cursors.ts';
import { ask } from './ask.ts';
import type { StateQueues } from './lanes.ts';
import type { Reader } from './reader.ts';
import { stow } from './text.ts';

export function cursorsOver(queues: StateQueues, reader: Reader): Cursors {
  return {
    async load(name, partition) {
      const row = reader.get('SELECT position FROM cursors WHERE name = ? AND partition = ?', stow(name), partition);
      return Number(row?.['position'] ?? 0);
    },
    async save(name, partition, offset) {
      await ask(queues, {
        priority: 'state',
        request: { type: 'cursor', name: stow(name), partition, offset },
        records: 1,
        bytes: name.length,
      });
    },
  };
}
