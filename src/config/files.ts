// The few reads that loading makes, so that a test can give texts instead of a disk.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

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

/** Absolute path of the configuration: a directory means the quench.yaml in it. */
export function configFileAt(path: string): string {
  const whole = resolve(path);
  return statSync(whole, { throwIfNoEntry: false })?.isDirectory() === true ? join(whole, 'quench.yaml') : whole;
}
