// The writing side of one file: a group of requests is one transaction and one sync. Runs in the writer thread of the file.
// What a request changes is the business of the part that is given: log-part.ts, state-part.ts.
//   W1  A group is done whole or not at all when the medium fails; offsets follow what is in the file, so a failed group burns none.
//   W2  A request that fails by itself undoes its own changes and leaves the group alone.
//   W3  Nothing is answered as done that was written to a file which is not there any more (files.ts); what that file holds is rescued once.
import type { DatabaseSync } from 'node:sqlite';
import { isMediumFailure } from './failures.ts';
import { filesOf, type StoreFiles } from './files.ts';
import type { Answer, Refusal } from './requests.ts';
import { rescue, rescuedBeside } from './rescue.ts';

/** Whoever deletes a directory may still be at it: soon again at first, then more rarely, for a rescue copies all that there is. */
const rescueAgainMs = { first: 1_000, most: 10_000 } as const;

/** What requests of one kind change. */
export interface LedgerPart<Asked> {
  /** Reads back what the file says; after a transaction that failed it is the only truth. */
  reload(): void;
  /** Before a transaction. */
  begin(): void;
  perform(request: Asked): Answer;
  /** One statement is done whole or not at all by itself, and needs no savepoint. */
  isOneStatement(request: Asked): boolean;
}

export interface Ledger<Asked> {
  commit(group: readonly Asked[]): readonly Answer[];
}

export function ledger<Asked>(db: DatabaseSync, path: string, part: LedgerPart<Asked>): Ledger<Asked> {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commitAll = db.prepare('COMMIT');
  const savepoint = db.prepare('SAVEPOINT request');
  const release = db.prepare('RELEASE request');
  const files = filesOf(path);
  const rescuer = rescuerOf(db, path, files);
  let isFresh = true;

  /** W2: inside a savepoint, so that a failure of its own undoes only this request. */
  function alone(request: Asked): Answer {
    if (part.isOneStatement(request)) return part.perform(request);
    savepoint.run();
    try {
      const answer = part.perform(request);
      release.run();
      return answer;
    } catch (error) {
      if (isMediumFailure(error) || !db.isTransaction) throw error;
      db.exec('ROLLBACK TO request; RELEASE request');
      if (error instanceof SyntaxError) return { why: 'unavailable', message: 'a stored document is damaged: it is no JSON any more' };
      return { why: 'bug', message: messageOf(error) };
    }
  }

  part.reload();
  return {
    commit(group) {
      const gone = files.look();
      if (gone !== null) return refused(group, 'unavailable', `${gone}; ${rescuer()}`); // W3
      try {
        if (!isFresh) part.reload();
        isFresh = true;
        part.begin();
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

function refused(group: readonly unknown[], why: Refusal['why'], message: string): readonly Answer[] {
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
