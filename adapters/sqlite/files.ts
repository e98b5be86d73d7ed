// Whether the files of an open store are still the ones under their names. SQLite goes on writing to a file that somebody deleted or
// replaced, and all of it is gone when the process ends.
//   I1  Asked around every commit (ledger.ts): what was committed into a deleted file is not answered as done.
//   I2  Once gone stays gone until the store is opened again: what is under the name by then is another file.
import { statSync } from 'node:fs';

export interface StoreFiles {
  /** What became of them, in one sentence; null while they are there. */
  look(): string | null;
  /** Whether the file itself lies under its name, whatever became of what belongs to it. */
  isMainThere(): boolean;
}

const suffixes = ['', '-wal', '-shm'] as const;

/** Of a store that was just opened. */
export function filesOf(path: string): StoreFiles {
  const opened = suffixes.map((suffix) => ({ file: `${path}${suffix}`, id: idOf(`${path}${suffix}`) })).filter(({ id }) => id !== null);
  let gone: string | null = null;
  return {
    look() {
      if (gone !== null) return gone; // I2
      for (const { file, id } of opened) {
        const now = idOf(file);
        if (now !== id)
          return (gone = `${file} was ${now === null ? 'deleted or moved away' : 'replaced by another file'} while the gateway used it`);
      }
      return null;
    },
    isMainThere: () => opened.some(({ file, id }) => file === path && idOf(file) === id),
  };
}

function idOf(file: string): string | null {
  const found = statSync(file, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}
