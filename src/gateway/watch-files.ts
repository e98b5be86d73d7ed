// Looks, every second or so, whether files changed that a configuration was read from, and reloads it when they have come to rest.
// By what the disk says of them rather than by its events: those are lost on network disks, and where an orchestrator swaps a whole folder.
//   W1  Files that are still being written are not read: they must look the same twice.
//   W2  Its cost is bounded: the more files, the longer between two looks.
import { statSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { second, type Millis } from '../core/time.ts';
import { pause } from '../engine/async/pause.ts';
import type { Files } from '../config/files.ts';
import type { Clock } from '../ports/clock.ts';

const everyMs: Millis = second;
/** 1,000 files are looked at every two seconds. */
const perFileMs: Millis = 2;

/** The same files; what they looked like when they were last read is kept. */
export interface NotedFiles extends Files {
  /** Forgets what was read before. */
  begin(): void;
  /** Path → what the disk said of it just before it was read. */
  prints(): ReadonlyMap<string, string>;
}

export function notedFiles(files: Files): NotedFiles {
  const prints = new Map<string, string>();
  const note = (path: string): void => {
    try {
      prints.set(path, printIn(statSync(path)));
    } catch {
      prints.set(path, printIn(undefined));
    }
  };
  return {
    begin: () => prints.clear(),
    prints: () => prints,
    read(path) {
      note(path);
      return files.read(path);
    },
    list(dir) {
      note(dir);
      return files.list(dir);
    },
  };
}

export interface Watched {
  readonly files: Pick<NotedFiles, 'prints'>;
  readonly changed: () => Promise<unknown>;
  readonly clock: Pick<Clock, 'after'>;
}

/** Begins to look; resolves, when it is told to stop, once no look is under way. */
export function watchFiles({ files, changed, clock }: Watched): () => Promise<void> {
  const stopping = new AbortController();
  const watch = async (): Promise<void> => {
    let moving = '';
    while (!stopping.signal.aborted) {
      await pause(clock, Math.max(everyMs, files.prints().size * perFileMs), stopping.signal); // W2
      if (stopping.signal.aborted) return;
      const was = textOf(files.prints());
      const is = textOf(await printsOf([...files.prints().keys()]));
      if (is !== was && is === moving) await changed(); // W1
      moving = is;
    }
  };
  const watching = watch();
  return async () => {
    stopping.abort();
    await watching;
  };
}

async function printsOf(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const prints = new Map<string, string>();
  for (const path of paths) {
    const seen = await stat(path).catch(() => undefined);
    prints.set(path, printIn(seen));
  }
  return prints;
}

function printIn(seen: Stats | undefined): string {
  return seen === undefined ? 'none' : `${seen.ino} ${seen.size} ${seen.mtimeMs} ${seen.ctimeMs}`;
}

function textOf(prints: ReadonlyMap<string, string>): string {
  return [...prints].map(([path, print]) => `${path}\n${print}`).join('\n');
}
