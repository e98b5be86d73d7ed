// Cursors over a memory disk.
import type { Cursors } from '../../src/ports/cursors.ts';
import type { Content } from './disk.ts';
import type { WriteQueue } from './queue.ts';

const unavailable = 'store_unavailable';

export function cursorKey(name: string, partition: number): string {
  return JSON.stringify([name, partition]);
}

export function memoryCursors(content: Content, queue: WriteQueue): Cursors {
  return {
    load: (name, partition) => queue.read(() => content.cursors.get(cursorKey(name, partition)) ?? 0),
    save: (name, partition, offset) =>
      queue.submit({ records: 1, bytes: name.length, unavailable }, () => {
        content.cursors.set(cursorKey(name, partition), offset);
      }),
  };
}
