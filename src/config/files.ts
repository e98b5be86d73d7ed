// The few reads that loading makes, so that a test can give texts instead of a disk.
import { readdirSync, readFileSync } from 'node:fs';

export interface Files {
  /** The text of a file; throws when it cannot be read. */
  read(path: string): string;
  /** Names in a directory; throws when it cannot be read. */
  list(dir: string): readonly string[];
}

/** The real disk, read at start and on reload only. */
export const diskFiles: Files = {
  read: (path) => readFileSync(path, 'utf8'),
  list: (dir) => readdirSync(dir),
};
