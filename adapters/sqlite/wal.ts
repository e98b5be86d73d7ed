// The writer's part in keeping the WAL short. wal-checkpointer.ts copies it into the file all the time; under a load without pauses it never
// quite gets to its end, and only the writer can begin the WAL anew.
//   L1  Beginning it anew waits for whoever reads an older moment (a backup does, for as long as it takes) a tenth of a second at
//       most, and not again for two seconds: a long reader makes the WAL longer, it does not hold commits up.
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { isMediumFailure } from './failures.ts';

export interface WalLimits {
  /** Longer than this and it is begun anew. */
  readonly bytesMax: number;
  readonly commitsPerLook: number;
  readonly waitMs: number;
  readonly restMs: number;
}

const walLimits: WalLimits = { bytesMax: 128 * 1_048_576, commitsPerLook: 64, waitMs: 100, restMs: 2_000 };

export interface Wal {
  /** Copies what it can into the file now, and waits for nobody. */
  fold(): void;
  /** After each commit: looks now and then whether the WAL is too long, and if so begins it anew. */
  committed(): void;
  /** Everything into the file, for the end. */
  empty(): void;
}

/** `timeoutMs` is what the connection otherwise waits for locks. */
export function walOf(db: DatabaseSync, path: string, timeoutMs: number, limits: WalLimits = walLimits): Wal {
  let commits = 0;
  let restUntil = 0;

  /** False when a reader or another fold was in the way. When the disk does not let us, the WAL still holds everything, and a later fold or start finds it. */
  function checkpoint(how: 'PASSIVE' | 'RESTART' | 'TRUNCATE'): boolean {
    try {
      return Number(db.prepare(`PRAGMA wal_checkpoint(${how})`).get()?.['busy']) === 0;
    } catch (error) {
      if (!isMediumFailure(error)) throw error;
      return false;
    }
  }

  function restart(): void {
    db.exec(`PRAGMA busy_timeout = ${limits.waitMs}`);
    try {
      if (!checkpoint('RESTART')) restUntil = performance.now() + limits.restMs; // L1
    } finally {
      db.exec(`PRAGMA busy_timeout = ${timeoutMs}`);
    }
  }

  return {
    fold: () => void checkpoint('PASSIVE'),
    committed() {
      commits += 1;
      if (commits % limits.commitsPerLook !== 0 || performance.now() < restUntil) return;
      if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) >= limits.bytesMax) restart();
    },
    empty: () => void checkpoint('TRUNCATE'),
  };
}
