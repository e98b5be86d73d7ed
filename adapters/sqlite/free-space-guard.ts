// Free space on the disk of the store. A WAL needs space even to delete: on a disk filled to the last byte retention could not make
// room again. So records are refused while some is left, and checkpoints, cursors and retention go on.
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

const bytesBetweenLooks = 1_048_576;

export interface Room {
  /** Whether records may be written now. Asks the disk once per MiB written, and each time while it is short. */
  look(): boolean;
  wrote(bytes: number): void;
}

export function roomBeside(path: string, freeBytesMin: number): Room {
  const folder = dirname(path);
  let unseen = bytesBetweenLooks;
  let roomy = true;
  return {
    look() {
      if (roomy && unseen < bytesBetweenLooks) return true;
      const { bavail, bsize } = statfsSync(folder);
      roomy = bavail * bsize >= freeBytesMin;
      unseen = 0;
      return roomy;
    },
    wrote(bytes) {
      unseen += bytes;
    },
  };
}
