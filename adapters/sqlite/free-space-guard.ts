// Free space on the disk of the store. A WAL needs space even to delete: on a disk filled to the last byte retention could not make
// room again. So records are refused while some is left, and checkpoints, cursors and retention go on.
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

const bytesBetweenLooks = 1_048_576;

export interface FreeSpaceGuard {
  /** Whether records may be written now. Asks the disk once per MiB written, and each time while it is short. */
  suffices(): boolean;
  /** Asks the disk now: others write on it, too. */
  look(): boolean;
  wrote(bytes: number): void;
}

export function freeSpaceBeside(path: string, freeBytesMin: number): FreeSpaceGuard {
  const directory = dirname(path);
  let writtenSince = bytesBetweenLooks;
  let sufficed = true;
  function look(): boolean {
    const { bavail, bsize } = statfsSync(directory);
    sufficed = bavail * bsize >= freeBytesMin;
    writtenSince = 0;
    return sufficed;
  }

  return {
    look,
    suffices: () => (sufficed && writtenSince < bytesBetweenLooks) || look(),
    wrote(bytes) {
      writtenSince += bytes;
    },
  };
}
