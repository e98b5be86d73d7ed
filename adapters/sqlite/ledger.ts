// The writing side of the file: a group of requests is one transaction and one sync. Runs in the writer thread.
//   W1  A group is done whole or not at all when the medium fails; offsets follow what is in the file, so a failed group burns none.
//   W2  A request that fails by itself (a conflict, a bug) undoes its own changes and leaves the group alone.
//   W3  A checkpoint never points past the log.
import type { DatabaseSync } from 'node:sqlite';
import { isMediumFailure } from './failures.ts';
import { roomBeside } from './free-space-guard.ts';
import {
  slotSpan,
  type Answer,
  type AppendRequest,
  type CheckpointRequest,
  type Refusal,
  type Request,
  type WriterOptions,
} from './requests.ts';
import { viewWriter } from './viewwriter.ts';

export interface Ledger {
  commit(group: readonly Request[]): readonly Answer[];
  /** By slot: the offset of the next record, and the first retained one. */
  positions(): { readonly ends: readonly number[]; readonly lows: readonly number[] };
}

/** A request that contradicts what is stored. */
class Conflict extends Error {}

export function ledger(db: DatabaseSync, options: WriterOptions): Ledger {
  const views = viewWriter(db);
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commitAll = db.prepare('COMMIT');
  const savepoint = db.prepare('SAVEPOINT request');
  const release = db.prepare('RELEASE request');
  const insertBatch = db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)');
  const saveMark = db.prepare('INSERT OR REPLACE INTO marks VALUES (?, ?, ?)');
  const saveRow = db.prepare(
    'INSERT INTO desks (partition, scope, tab, key, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc',
  );
  const dropRow = db.prepare('DELETE FROM desks WHERE partition = ? AND scope = ? AND tab = ? AND key = ?');
  const saveCursor = db.prepare('INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)');
  const saveLow = db.prepare('INSERT OR REPLACE INTO lows VALUES (?, ?)');
  const dropBatches = db.prepare(
    'DELETE FROM log WHERE place IN (SELECT place FROM log WHERE place >= ? AND place < ? AND place + count <= ? ORDER BY place LIMIT ?)',
  );
  const freePages = db.prepare('PRAGMA freelist_count');
  const letters = letterBox(db, options);

  const room = roomBeside(options.path, options.freeBytesMin);

  let ends: number[] = [];
  let lows: number[] = [];
  let fresh = false;
  let roomy = true;

  /** Reads back what the file says; after a failure it is the only truth. */
  function reload(): void {
    ({ ends, lows } = positionsIn(db, options.partitions));
    letters.reload();
    fresh = true;
  }

  function append(request: AppendRequest): Answer {
    if (!roomy) return { why: 'unavailable', message: `less than ${options.freeBytesMin} bytes are free beside ${options.path}` };
    const base = ends[request.slot] ?? 0;
    insertBatch.run(request.slot * slotSpan + base, request.count, request.scope, request.body, request.raw);
    ends[request.slot] = base + request.count;
    room.wrote(request.body.length + (request.raw?.length ?? 0));
    return base;
  }

  function checkpoint({ partition, inputs, facts, rows }: CheckpointRequest): number {
    const past = inputs > (ends[partition * 2] ?? 0) || facts > (ends[partition * 2 + 1] ?? 0);
    if (past) throw new Conflict(`checkpoint of partition ${partition} at inputs ${inputs}, facts ${facts} is past the end of the log`); // W3
    for (const { scope, table, key, doc } of rows) {
      if (doc === null) dropRow.run(partition, scope, table, key);
      else saveRow.run(partition, scope, table, key, doc);
    }
    saveMark.run(partition, inputs, facts);
    return 0;
  }

  function trim(slot: number, below: number, batchesMax: number): number {
    const start = slot * slotSpan;
    const low = Math.max(lows[slot] ?? 0, Math.min(below, ends[slot] ?? 0));
    saveLow.run(slot, low);
    lows[slot] = low;
    const gone = Number(dropBatches.run(start, start + low, start + low, batchesMax).changes);
    vacuum(db);
    return gone === batchesMax || Number(freePages.get()?.['freelist_count'] ?? 0) > 0 ? 1 : 0;
  }

  function perform(request: Exclude<Request, AppendRequest>): number {
    switch (request.type) {
      case 'checkpoint':
        return checkpoint(request);
      case 'views':
        return views.apply(request);
      case 'cursor':
        saveCursor.run(request.name, request.partition, request.offset);
        return 0;
      case 'letter':
        return letters.add(request);
      case 'mark':
        return letters.mark(request.id, request.state);
      case 'trim':
        return trim(request.slot, request.below, request.batchesMax);
      case 'prune': {
        const gone = views.prune(request.before, request.docsMax);
        vacuum(db);
        return gone;
      }
    }
  }

  /** W2: inside a savepoint, so that a failure of its own undoes only this request. An append is one statement and needs none. */
  function alone(request: Request): Answer {
    if (request.type === 'append') return append(request);
    savepoint.run();
    try {
      const answer = perform(request);
      release.run();
      return answer;
    } catch (error) {
      if (isMediumFailure(error) || !db.isTransaction) throw error;
      db.exec('ROLLBACK TO request; RELEASE request');
      return { why: error instanceof Conflict ? 'conflict' : 'bug', message: messageOf(error) };
    }
  }

  reload();
  return {
    positions: () => ({ ends, lows }),
    commit(group) {
      try {
        if (!fresh) reload();
        roomy = room.look();
        begin.run();
        const answers = group.map(alone);
        commitAll.run();
        return answers;
      } catch (error) {
        fresh = false;
        if (db.isTransaction) db.exec('ROLLBACK');
        const refusal: Refusal = { why: isMediumFailure(error) ? 'unavailable' : 'bug', message: messageOf(error) };
        return group.map(() => refusal);
      }
    },
  };
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

/** Dead letters, bounded: the oldest go first, the newest always stays. */
function letterBox(db: DatabaseSync, { lettersMax, letterBytesMax }: WriterOptions) {
  const totals = db.prepare('SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM letters');
  const insert = db.prepare('INSERT INTO letters (id, state, bytes, doc) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING');
  const dropOldest = db.prepare('DELETE FROM letters WHERE seq = (SELECT min(seq) FROM letters) RETURNING bytes');
  const mark = db.prepare('UPDATE letters SET state = ? WHERE id = ?');
  let count = 0;
  let bytes = 0;
  return {
    reload(): void {
      const row = totals.get();
      count = Number(row?.['count'] ?? 0);
      bytes = Number(row?.['bytes'] ?? 0);
    },
    add(letter: { id: string; state: string; bytes: number; doc: string }): number {
      if (insert.run(letter.id, letter.state, letter.bytes, letter.doc).changes === 0) return 0;
      count += 1;
      bytes += letter.bytes;
      while (count > 1 && (count > lettersMax || bytes > letterBytesMax)) {
        bytes -= Number(dropOldest.get()?.['bytes'] ?? 0);
        count -= 1;
      }
      return 0;
    },
    mark(id: string, state: string): number {
      mark.run(state, id);
      return 0;
    },
  };
}

/** Gives some free pages back to the file system; a bounded amount, so that it never holds up appends for long. */
function vacuum(db: DatabaseSync): void {
  db.exec('PRAGMA incremental_vacuum(512)');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
