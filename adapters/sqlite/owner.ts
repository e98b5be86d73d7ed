// One process owns a store. The proof is a lock of the operating system on `<path>.owner`, held by an open transaction, so it ends
// with the process, however that ends. Only SQLite may open that file: closing any other handle on it would drop the lock.
import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../src/core/errors.ts';
import { isBusy, isMediumFailure } from './failures.ts';

const waitMs = 1_000;

/** Takes the store for this process, waiting up to a second (it blocks; only at start). Throws `store_unavailable`, naming the owner. */
export function takeOwnership(path: string): { release(): void } {
  keepPrivate(`${path}.owner`);
  const db = new DatabaseSync(`${path}.owner`, { timeout: waitMs });
  try {
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN IMMEDIATE');
    leaveName(db);
    if (!db.isTransaction) db.exec('BEGIN IMMEDIATE');
    return { release: () => db.close() };
  } catch (error) {
    const says = isBusy(error) ? `in use by ${ownerOf(db)}; one process at a time may own it` : 'its lock file cannot be used';
    db.close();
    throw new GatewayError('store_unavailable', `store ${path}: ${says}`, error);
  }
}

/** The file is its owner's alone, as everything that is kept; whatever keeps this from being done, opening it meets and tells. */
function keepPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600)); // Only where it is new: nobody, and not this process, holds a lock on it.
  } catch {
    // It is there, or cannot be.
  }
  try {
    chmodSync(path, 0o600);
  } catch {
    // It is another user's.
  }
}

/** For whoever comes second. A full disk may refuse it; the lock does not depend on it. */
function leaveName(db: DatabaseSync): void {
  try {
    db.exec('CREATE TABLE IF NOT EXISTS owner (one INTEGER PRIMARY KEY, pid INTEGER NOT NULL)');
    db.prepare('INSERT OR REPLACE INTO owner VALUES (1, ?)').run(process.pid);
    db.exec('COMMIT');
  } catch (error) {
    if (!isMediumFailure(error) || isBusy(error)) throw error;
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}

function ownerOf(db: DatabaseSync): string {
  try {
    return `process ${Number(db.prepare('SELECT pid FROM owner').get()?.['pid'])}`;
  } catch {
    return 'another process';
  }
}
