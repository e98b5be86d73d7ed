// The writing side of the file: a group of requests is one transaction and one sync. Runs in the writer thread.
// What a request changes is the business of the writer of its table: log, checkpoint, letter, view.
//   W1  A group is done whole or not at all when the medium fails; offsets follow what is in the file, so a failed group burns none.
//   W2  A request that fails by itself (a conflict, a bug) undoes its own changes and leaves the group alone.
//   W3  Nothing is answered as done that was written to a file which is not there any more (files.ts); what that file holds is rescued once.
import type { DatabaseSync } from 'node:sqlite';
import { checkpointWriter } from './checkpoint-writer.ts';
import { Conflict } from './conflict.ts';
import { isMediumFailure } from './failures.ts';
import { filesOf, type StoreFiles } from './files.ts';
import { letterWriter } from './letter-writer.ts';
import { logWriter, type LogWriter } from './log-writer.ts';
import type { Answer, AppendRequest, KeepRequest, Refusal, Request, WriterOptions } from './requests.ts';
import { rescue, rescuedBeside } from './rescue.ts';
import { giveBack } from './vacuum.ts';
import { viewWriter } from './viewwriter.ts';

/** Whoever deletes a directory may still be at it: soon again at first, then more rarely, for a rescue copies all that there is. */
const rescueAgainMs = { first: 1_000, most: 10_000 } as const;

export interface Ledger extends Pick<LogWriter, 'positions' | 'placeAll'> {
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
  const files = filesOf(options.path);
  const rescuer = rescuerOf(db, options.path, files);
  let isFresh = false;
  let probes = 0;

  /** Reads back what the file says; after a failure it is the only truth. */
  function reload(): void {
    log.reload();
    letters.reload();
    isFresh = true;
  }

  function perform(request: Exclude<Request, AppendRequest | KeepRequest>): Answer {
    switch (request.type) {
      case 'checkpoint':
        return checkpoints.save(request, log.positions().ends);
      case 'views':
        return views.apply(request);
      case 'cursor':
        saveCursor.run(request.name, request.partition, request.offset);
        return 0;
      case 'place':
        return log.place(request.slot, request.batches);
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
      case 'prune':
        return givingBack(db, views.prune(request.before, request.docsMax));
    }
  }

  /** W2: inside a savepoint, so that a failure of its own undoes only this request. An append is one statement and needs none. */
  function alone(request: Request): Answer {
    if (request.type === 'append' || request.type === 'keep') return log.append(request);
    savepoint.run();
    try {
      const answer = perform(request);
      release.run();
      return answer;
    } catch (error) {
      if (isMediumFailure(error) || !db.isTransaction) throw error;
      db.exec('ROLLBACK TO request; RELEASE request');
      if (error instanceof SyntaxError) return { why: 'unavailable', message: 'a stored document is damaged: it is no JSON any more' };
      return { why: error instanceof Conflict ? 'conflict' : 'bug', message: messageOf(error) };
    }
  }

  reload();
  return {
    positions: log.positions,
    placeAll: log.placeAll,
    commit(group) {
      const gone = files.look();
      if (gone !== null) return refused(group, 'unavailable', `${gone}; ${rescuer()}`); // W3
      try {
        if (!isFresh) reload();
        log.begin();
        begin.run();
        const answers = group.map(alone);
        commitAll.run();
        const lost = files.look();
        return lost === null ? answers : refused(group, 'unavailable', `${lost}; ${rescuer()}`); // W3
      } catch (error) {
        isFresh = false;
        if (db.isTransaction) db.exec('ROLLBACK');
        return refused(group, isMediumFailure(error) ? 'unavailable' : 'bug', messageOf(error));
      }
    },
  };
}

function givingBack(db: DatabaseSync, gone: Answer): Answer {
  giveBack(db);
  return gone;
}

function refused(group: readonly Request[], why: Refusal['why'], message: string): readonly Answer[] {
  const refusal: Refusal = { why, message };
  return group.map(() => refusal);
}

/** Rescues a deleted store once, and tries again now and then while it cannot; says how that stands. */
function rescuerOf(db: DatabaseSync, path: string, files: StoreFiles): () => string {
  let said: string | null = null;
  let tryAt = 0;
  let waitMs: number = rescueAgainMs.first;
  return () => {
    if (said !== null) return said;
    const now = performance.now();
    if (now < tryAt) return 'what it held could not be rescued yet';
    tryAt = now + waitMs;
    waitMs = Math.min(rescueAgainMs.most, waitMs * 2);
    try {
      rescue(db, path, files.isMainThere());
      return (said = `all that it held is in ${rescuedBeside(path)}: restart the gateway, which goes on with that`);
    } catch (error) {
      return `what it held could not be rescued yet: ${messageOf(error)}`;
    }
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
