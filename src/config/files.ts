// The few reads that loading makes, so that a test can give texts instead of a disk.
//   F1  No file can hold up the gateway that reads it again: pipes and devices are not waited for, and a text has a bounded length.
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Files {
  /** The text of a file; throws when it cannot be read. */
  read(path: string): string;
  /** Names in a directory; throws when it cannot be read. */
  list(dir: string): readonly string[];
}

const bytesMax = 16_777_216;

/** The real disk, read at start and on reload only. */
export const diskFiles: Files = {
  read: readPlain,
  list: (dir) => readdirSync(dir),
};

/** F1: opening does not wait for a writer, and what was opened is looked at, not what the path leads to a moment later. */
function readPlain(path: string): string {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(handle);
    if (stat.isDirectory()) throw unreadable(path, 'EISDIR');
    if (!stat.isFile()) throw unreadable(path, 'not a plain file');
    if (stat.size > bytesMax) throw unreadable(path, `longer than ${bytesMax} bytes`);
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

/**
 * Writable by others is `writable`, whoever owns it. Readable by all is `readable` only where it is ours to change: what an orchestrator mounts
 * belongs to somebody else, and nobody else is inside the container.
 */
export function exposureOf(path: string): 'readable' | 'writable' | null {
  const { mode, uid } = statSync(path);
  if ((mode & 0o022) !== 0) return 'writable';
  return (mode & 0o004) !== 0 && uid === process.getuid?.() ? 'readable' : null;
}

function unreadable(path: string, code: string): Error {
  return Object.assign(new Error(`${path}: ${code}`), { path, code });
}

/** Absolute path of the configuration: a directory means the quench.yaml in it. */
export function configFileAt(path: string): string {
  const whole = resolve(path);
  return statSync(whole, { throwIfNoEntry: false })?.isDirectory() === true ? join(whole, 'quench.yaml') : whole;
}
