// What is done about a store whose files were deleted under it, or are damaged: everything that can be kept is kept, nothing is overwritten.
//   V1  A deleted store is still whole for the process that has it open: all of it goes to `<path>.rescued`, synced, before anybody ends.
//       Where only its WAL was deleted, what is left of it makes way under a name of its own: it is older than what was rescued.
//   V2  A start that finds no store and a rescued one goes on with that.
//   V3  A store that cannot be opened because it is damaged is set aside under a name of its own, and the gateway begins anew: a door that is
//       shut calls nobody. Only what SQLite itself calls damaged is set aside, and a state that is not the log's (schema.ts, F4).
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { makeDirectory } from '../kit/directory.ts';
import { sync } from './sync.ts';

const tails = ['-wal', '-shm'] as const;

export function rescuedBeside(path: string): string {
  return `${path}.rescued`;
}

/** Writes all that the connection sees to a file of its own; `isMainThere`: the file itself is, without what belongs to it. Throws when the disk does not let it. V1 */
export function rescue(db: DatabaseSync, path: string, isMainThere: boolean): void {
  const part = `${rescuedBeside(path)}.part`;
  makeDirectory(dirname(path), 0o700);
  rmSync(part, { force: true });
  db.exec(`VACUUM INTO '${part.replaceAll("'", "''")}'`);
  chmodSync(part, 0o600);
  sync(part);
  renameSync(part, rescuedBeside(path));
  if (isMainThere) renameSync(path, `${path}.without-its-wal`);
  sync(dirname(path));
}

/** Puts a rescued store in the place of the one that is missing; says what it did, or null. V2 */
export function takeUpRescued(path: string): string | null {
  const rescued = rescuedBeside(path);
  if (!existsSync(rescued)) return null;
  if (existsSync(path))
    return `${rescued} holds what a deleted store held; it is not used, since ${basename(path)} is there: compare, then remove it`;
  for (const tail of tails) rmSync(`${path}${tail}`, { force: true }); // of the deleted store; with another file they would damage it
  renameSync(rescued, path);
  sync(dirname(path));
  return `${basename(path)} had been deleted while a gateway used it; what that gateway rescued is used`;
}

/** The file, and what SQLite keeps beside it. */
export function withTails(path: string): readonly string[] {
  return ['', '-journal', ...tails].map((tail) => `${path}${tail}`);
}

/** Moves a file that cannot be used to another name, with all that belongs to it; returns that name. V3 */
export function setAside(path: string, at: number, why: 'damaged' | 'other'): string {
  const name = `${path}.${why}-${new Date(at).toISOString().replaceAll(/[:.]/g, '-')}`;
  renameSync(path, name);
  for (const tail of tails) if (existsSync(`${path}${tail}`)) renameSync(`${path}${tail}`, `${name}${tail}`);
  sync(dirname(path));
  return name;
}
