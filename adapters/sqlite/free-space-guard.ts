// Free space on the disk of the store. A WAL needs space even to delete: on a disk filled to the last byte retention could not make
// room again. So records are refused while some is left, and checkpoints, cursors and retention go on. What comes is refused first: the reserve
// below that serves what was accepted already, until people are called for it; it ends well above what retention needs.
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { LogOptions } from './requests.ts';

const bytesBetweenLooks = 1_048_576;

/** All records; only those that may use the reserve; none. */
export type Room = 'enough' | 'reserve' | 'none';

export interface FreeSpaceGuard {
  /** What may be written now. Asks the disk once per MiB written, and each time while it is short. */
  room(): Room;
  /** Asks the disk now: others write on it, too. */
  look(): Room;
  wrote(bytes: number): void;
}

export function freeSpaceBeside(
  path: string,
  { freeBytesMin, reserveBytesMin }: Pick<LogOptions, 'freeBytesMin' | 'reserveBytesMin'>,
): FreeSpaceGuard {
  const directory = dirname(path);
  let writtenSince = bytesBetweenLooks;
  let found: Room = 'enough';
  function look(): Room {
    const { bavail, bsize } = statfsSync(directory);
    const free = bavail * bsize;
    found = free >= freeBytesMin ? 'enough' : free >= reserveBytesMin ? 'reserve' : 'none';
    writtenSince = 0;
    return found;
  }

  return {
    look,
    room: () => (found === 'enough' && writtenSince < bytesBetweenLooks ? found : look()),
    wrote(bytes) {
      writtenSince += bytes;
    },
  };
}
