// What was written to a file, or to the names in a directory, survives a loss of power.
import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Throws as the disk does. */
export function sync(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
