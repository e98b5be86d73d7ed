// The threads of a store: a writer for each of its two files, one that folds both WALs, and at a start one that looks both over.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../src/core/errors.ts';
import type { Checked, CheckerOptions } from './checker.ts';
import type { Opening, WriterOptions } from './requests.ts';

/** How long a start looks the files over, beside everything else. */
const checkWithinMs = 10_000;
/** What a writer is handed lives until it is written: a bigger young generation would only be copied more often. */
const writerYoungMb = 16;

/** A file that cannot be used, as its message says: it is damaged, or it is no part of this store. */
export class DamagedStore extends GatewayError {}

/** What the files of a store are, by path. */
export interface StorePaths {
  readonly log: string;
  readonly state: string;
}

/** Ends again by itself when the file cannot be opened; rejects with DamagedStore when another file would help. */
export async function startWriter(
  options: WriterOptions,
): Promise<{ readonly worker: Worker; readonly opening: Extract<Opening, { ok: true }> }> {
  const worker = new Worker(threadFile('writer'), {
    workerData: options,
    name: `store-${options.holds}-writer`,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: writerYoungMb },
  });
  const opening = await new Promise<Opening>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error) => reject(new GatewayError('store_unavailable', 'store: the writer thread cannot start', error)));
  });
  worker.removeAllListeners('error');
  if (opening.ok) return { worker, opening };
  await worker.terminate();
  throw new (opening.isDamaged ? DamagedStore : GatewayError)(opening.code, opening.message);
}

export function startWalCheckpointer(paths: StorePaths): Worker {
  return new Worker(threadFile('wal-checkpointer'), {
    workerData: paths,
    name: 'store-wal-checkpointer',
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
  });
}

/** Looks the files over in a thread of its own; what it finds is known within its time. */
export function startChecker(paths: StorePaths): { damage(): string | null; stop(): Promise<void> } {
  let damage: string | null = null;
  const thread = new Worker(threadFile('checker'), {
    workerData: { ...paths, withinMs: checkWithinMs } satisfies CheckerOptions,
    name: 'store-checker',
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
  });
  thread.on('message', ({ damage: found }: Checked) => {
    if (found !== null) damage = `${found.path} is damaged: ${found.what} (docs/install.md, "A damaged store")`;
  });
  thread.on('error', () => {}); // it only looks; whoever uses the files meets what is wrong with them
  thread.unref();
  return {
    damage: () => damage,
    stop: async () => void (await thread.terminate()),
  };
}

/** The program of a thread, beside this file: TypeScript in a clone, JavaScript in what is installed. */
function threadFile(name: 'writer' | 'wal-checkpointer' | 'checker'): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
}
