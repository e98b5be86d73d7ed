// Opens the two files of a store, the log first, and finds out whether they belong together (schema.ts, F4).
//   O1  A state that is missing, damaged or another log's is made anew from the log, as long as that has its beginning; what was there is set
//       aside. Without its beginning a log is of no use alone: the store is damaged, and whoever opens it sets both aside (kind.ts).
import { closeSync, openSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { LogOptions, Opening, StateOptions } from './requests.ts';
import { setAside, takeUpRescued } from './rescue.ts';
import { DamagedStore, startWriter, type StorePaths } from './threads.ts';

type Begun = Awaited<ReturnType<typeof startWriter>>;

export interface OpenedFiles {
  readonly log: { readonly worker: Worker; readonly opening: Extract<Opening, { ok: true }> };
  readonly state: { readonly worker: Worker };
  /** What was done about files that were not as they were left, in sentences. */
  readonly found: readonly string[];
}

/** Rejects as the writers do. Each writer that runs is pushed to `undo`. */
export async function openFiles(
  paths: StorePaths,
  options: Omit<LogOptions, 'holds' | 'path'>,
  now: () => number,
  undo: (() => unknown)[],
): Promise<OpenedFiles> {
  const rescued = [takeUpRescued(paths.log), takeUpRescued(paths.state)];
  const begin = async (writer: LogOptions | StateOptions): Promise<Begun> => {
    closeSync(openSync(writer.path, 'a', 0o600));
    const begun = await startWriter(writer);
    undo.push(() => begun.worker.terminate());
    return begun;
  };
  const log = await begin({ ...options, holds: 'log', path: paths.log });
  const { partitions, fileBytesMax } = options;
  const { identity, ends, lows } = log.opening;
  const hasRecords = ends.some((end) => end > 0);
  const isMissing = (statSync(paths.state, { throwIfNoEntry: false })?.size ?? 0) === 0;
  const ask: StateOptions = { holds: 'state', path: paths.state, partitions, identity, ends, lows, fileBytesMax };
  const anew = hasRecords ? 'another is made anew from the log' : 'the gateway begins with an empty one';
  try {
    const state = await begin(ask);
    const missing = isMissing && hasRecords ? `${basename(paths.state)} was missing: ${anew}` : null;
    return { log, state, found: sentences([...rescued, missing]) };
  } catch (error) {
    if (!(error instanceof DamagedStore)) throw error;
    // O1
    if (lows.some((low) => low > 0))
      throw new DamagedStore(error.code, `${error.message}, and the log has not its beginning any more, to make it anew`);
    const name = setAside(paths.state, now(), 'other');
    const state = await begin(ask);
    return { log, state, found: sentences([...rescued, `${error.message}; it is now ${name}, and ${anew}`]) };
  }
}

function sentences(says: readonly (string | null)[]): readonly string[] {
  return says.filter((each) => each !== null);
}
