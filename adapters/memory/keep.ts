// Checkpoints, cursors and dead letters over a memory disk.
import { GatewayError } from '../../src/core/errors.ts';
import type { Checkpoints } from '../../src/ports/checkpoints.ts';
import type { Cursors } from '../../src/ports/cursors.ts';
import type { DeadLetter, DeadLetters } from '../../src/ports/dead-letters.ts';
import type { Content, MemoryDisk } from './disk.ts';
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

/** Newest first in lists; a second letter with a known id is the same letter; marking one that is gone does nothing. */
export function memoryDeadLetters(
  content: Content,
  queue: WriteQueue,
  { lettersMax, letterBytesMax }: { readonly lettersMax: number; readonly letterBytesMax: number },
): DeadLetters {
  const { letters } = content; // insertion order is age

  function shrink(): void {
    let bytes = [...letters.values()].reduce((sum, { body }) => sum + body.length, 0);
    for (const [id, { body }] of letters) {
      if (letters.size <= 1 || (letters.size <= lettersMax && bytes <= letterBytesMax)) return;
      letters.delete(id);
      bytes -= body.length;
    }
  }

  function letterOf({ body, state }: { readonly body: string; readonly state: DeadLetter['state'] }): DeadLetter {
    return { ...(JSON.parse(body) as DeadLetter), state }; // written by `add`
  }

  function isOf(letter: { readonly body: string; readonly state: DeadLetter['state'] }, endpoints: readonly string[] | undefined): boolean {
    return endpoints === undefined || endpoints.includes(letterOf(letter).endpoint);
  }

  return {
    async add(letter) {
      const body = JSON.stringify(letter);
      await queue.submit({ records: 1, bytes: body.length, unavailable }, () => {
        if (letters.has(letter.id)) return;
        content.arrivals += 1;
        letters.set(letter.id, { seq: content.arrivals, body, state: letter.state });
        shrink();
      });
    },
    async list({ limit, after, endpoints }) {
      const below = after === undefined ? Infinity : Number(after);
      if (Number.isNaN(below)) throw new GatewayError('invalid_request', 'dead letters: `after` is not a place that a list returned');
      return queue.read(() => {
        const older = [...letters.values()].filter((letter) => letter.seq < below && isOf(letter, endpoints)).toReversed();
        const page = older.slice(0, limit);
        return { letters: page.map(letterOf), next: older.length > limit ? String(page.at(-1)?.seq) : null };
      });
    },
    get: (id) =>
      queue.read(() => {
        const held = letters.get(id);
        return held ? letterOf(held) : null;
      }),
    mark: (id, state) =>
      queue.submit({ records: 1, bytes: 0, unavailable }, () => {
        const held = letters.get(id);
        if (held) held.state = state;
      }),
    count: (endpoints) => queue.read(() => [...letters.values()].filter((letter) => isOf(letter, endpoints)).length),
  };
}
