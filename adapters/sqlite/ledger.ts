// The writing side of the file: a group of requests is one transaction and one sync. Runs in the writer thread.
// What a request changes is the business of the writer of its table: log, checkpoint, letter, view.
//   W1  A group is done whole or not at all when the medium fails; offsets follow what is in the file, so a failed group burns none.
//   W2  A request that fails by itself (a conflict, a bug) undoes its own changes and leaves the group alone.
import type { DatabaseSync } from 'node:sqlite';
import { checkpointWriter } from './checkpoint-writer.ts';
import { Conflict } from './conflict.ts';
import { isMediumFailure } from './failures.ts';
import { letterWriter } from './letter-writer.ts';
import { logWriter, type LogWriter } from './log-writer.ts';
import type { Answer, AppendRequest, Refusal, Request, WriterOptions } from './requests.ts';
import { giveBack } from './vacuum.ts';
import { viewWriter } from './viewwriter.ts';

export interface Ledger extends Pick<LogWriter, 'positions'> {
  commit(group: readonly Request[]): readonly Answer[];
}

export function ledger(db: DatabaseSync, options: WriterOptions): Ledger {
  const log = logWriter(db, options);
  const checkpoints = checkpointWriter(db);
  const letters = letterWriter(db, options);
  const views = viewWriter(db);
  const saveCursor = db.prepare('INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)');
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commitAll = db.prepare('COMMIT');
  const savepoint = db.prepare('SAVEPOINT request');
  const release = db.prepare('RELEASE request');
  let isFresh = false;
  let probes = 0;

  /** Reads back what the file says; after a failure it is the only truth. */
  function reload(): void {
    log.reload();
    letters.reload();
    isFresh = true;
  }

  function perform(request: Exclude<Request, AppendRequest>): Answer {
    switch (request.type) {
      case 'checkpoint':
        return checkpoints.save(request, log.positions().ends);
      case 'views':
        return views.apply(request);
      case 'cursor':
        saveCursor.run(request.name, request.partition, request.offset);
        return 0;
      case 'probe': {
        const refusal = log.refusal();
        if (refusal === null) saveCursor.run('probe', 0, (probes += 1));
        return refusal ?? 0;
      }
      case 'letter':
        return letters.add(request);
      case 'mark':
        return letters.mark(request.id, request.state);
      case 'trim':
        return log.trim(request.slot, request.below, request.batchesMax);
      case 'prune': {
        const gone = views.prune(request.before, request.docsMax);
        giveBack(db);
        return gone;
      }
    }
  }

  /** W2: inside a savepoint, so that a failure of its own undoes only this request. An append is one statement and needs none. */
  function alone(request: Request): Answer {
    if (request.type === 'append') return log.append(request);
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
    positions: log.positions,
    commit(group) {
      try {
        if (!isFresh) reload();
        log.begin();
        begin.run();
        const answers = group.map(alone);
        commitAll.run();
        return answers;
      } catch (error) {
        isFresh = false;
        if (db.isTransaction) db.exec('ROLLBACK');
        const refusal: Refusal = { why: isMediumFailure(error) ? 'unavailable' : 'bug', message: messageOf(error) };
        return group.map(() => refusal);
      }
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
