// The writing side of the event log, inside the ledger's transaction: appends and trims, and where each slot ends and begins.
import type { DatabaseSync } from 'node:sqlite';
import { freeSpaceBeside, type Room } from './free-space-guard.ts';
import { slotSpan, type Answer, type AppendRequest, type KeepRequest, type LogOptions, type Positions, type Refusal } from './requests.ts';
import { giveBack } from './vacuum.ts';

export interface LogWriter {
  /** Reads back what the file says; after a transaction that failed it is the only truth. */
  reload(): void;
  /** Before a transaction: asks what the disk has room for. */
  begin(): void;
  append(request: AppendRequest | KeepRequest): Answer;
  /** Gives the oldest batches that are kept for the slot their places, in order. */
  place(slot: number, batches: number): Answer;
  /** Gives everything that is kept its place: nothing waits over an end and a new beginning. */
  placeAll(): void;
  /** Why no record would be taken now, asked of the disk; null when one would. */
  refusal(): Refusal | null;
  /** 1 while there is more to do, else 0. */
  trim(slot: number, below: number, batchesMax: number): number;
  /** By slot: the offset of the next record, and the first retained one. */
  positions(): Positions;
}

export function logWriter(db: DatabaseSync, options: LogOptions): LogWriter {
  const insertBatch = db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)');
  const keepBatch = db.prepare('INSERT INTO bulk (slot, count, scope, body, raw) VALUES (?, ?, ?, ?, ?)');
  const oldestKept = db.prepare('SELECT seq, count FROM bulk WHERE slot = ? ORDER BY seq LIMIT ?');
  const placeKept = db.prepare('INSERT INTO log SELECT ?, count, scope, body, raw FROM bulk WHERE seq = ?');
  const dropKept = db.prepare('DELETE FROM bulk WHERE seq = ?');
  const saveLow = db.prepare('INSERT OR REPLACE INTO lows VALUES (?, ?)');
  const dropBatches = db.prepare(
    'DELETE FROM log WHERE place IN (SELECT place FROM log WHERE place >= ? AND place < ? AND place + count <= ? ORDER BY place LIMIT ?)',
  );
  const freePages = db.prepare('PRAGMA freelist_count');
  const free = (): number => Number(freePages.get()?.['freelist_count'] ?? 0);
  const freeSpace = freeSpaceBeside(options.path, options);
  let ends: number[] = [];
  let lows: number[] = [];
  let room: Room = 'enough';

  const short = shortOf(options.freeBytesMin, options.path);
  const empty = shortOf(Math.min(options.reserveBytesMin, options.freeBytesMin), options.path);
  function place(slot: number, batches: number): Answer {
    for (const { seq = 0, count } of oldestKept.all(slot, batches)) {
      const base = ends[slot] ?? 0;
      placeKept.run(slot * slotSpan + base, seq);
      dropKept.run(seq);
      ends[slot] = base + Number(count);
    }
    return 0;
  }

  return {
    reload: () => void ({ ends, lows } = positionsIn(db, options.partitions)),
    begin: () => void (room = freeSpace.room()),
    append({ type, slot, count, scope, body, raw, reserve }) {
      if (room !== 'enough' && reserve === undefined) return short;
      if (room === 'none') return empty;
      if (type === 'keep') {
        keepBatch.run(slot, count, scope, body, raw);
        freeSpace.wrote(2 * (body.length + (raw?.length ?? 0))); // it is written once more
        return 0;
      }
      const base = ends[slot] ?? 0;
      insertBatch.run(slot * slotSpan + base, count, scope, body, raw);
      ends[slot] = base + count;
      freeSpace.wrote(body.length + (raw?.length ?? 0));
      return base;
    },
    place,
    placeAll() {
      db.exec('BEGIN IMMEDIATE');
      for (let slot = 0; slot < options.partitions * 2; slot += 1) place(slot, -1);
      db.exec('COMMIT');
    },
    refusal: () => (freeSpace.look() === 'enough' ? null : short),
    trim(slot, below, batchesMax) {
      const start = slot * slotSpan;
      const low = Math.max(lows[slot] ?? 0, Math.min(below, ends[slot] ?? 0));
      saveLow.run(slot, low);
      lows[slot] = low;
      const gone = Number(dropBatches.run(start, start + low, start + low, batchesMax).changes);
      const before = free();
      giveBack(db);
      // A file that was made without `auto_vacuum` keeps its free pages.
      return gone === batchesMax || (free() > 0 && free() < before) ? 1 : 0;
    },
    positions: () => ({ ends, lows }),
  };
}

function shortOf(bytes: number, path: string): Refusal {
  return { why: 'unavailable', message: `less than ${bytes} bytes are free beside ${path}` };
}

function positionsIn(db: DatabaseSync, partitions: number): { ends: number[]; lows: number[] } {
  const last = db.prepare('SELECT place + count AS stop FROM log WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT 1');
  const low = db.prepare('SELECT low FROM lows WHERE slot = ?');
  const slots = Array.from({ length: partitions * 2 }, (_, slot) => slot);
  const lows = slots.map((slot) => Number(low.get(slot)?.['low'] ?? 0));
  const ends = slots.map((slot) => {
    const start = slot * slotSpan;
    return Math.max(Number(last.get(start, start + slotSpan)?.['stop'] ?? start) - start, lows[slot] ?? 0);
  });
  return { ends, lows };
}
