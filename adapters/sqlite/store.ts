// The whole store in one SQLite file: takes ownership, starts the writer thread, puts the ports together.
// The writer does everything that can wait for a disk; this thread only reads, through its own read-only connections.
import { closeSync, openSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GatewayError, invariant } from '../../src/core/errors.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeDirectory } from '../kit/directory.ts';
import { ask } from './ask.ts';
import { checkpointsOver } from './checkpoints.ts';
import { cursorsOver } from './cursors.ts';
import { deadLettersOver } from './dead-letters.ts';
import { eventLog } from './log.ts';
import { takeOwnership } from './owner.ts';
import { createPriorityQueues } from './priority-queues.ts';
import type { Checked, CheckerOptions } from './checker.ts';
import { filesOf } from './files.ts';
import { openReader } from './reader.ts';
import { takeUpRescued } from './rescue.ts';
import { partitionsMax, type Opening, type WriterOptions } from './requests.ts';
import { viewsOver } from './views.ts';

/** Bytes are UTF-16 units of the JSON text: exact for ASCII, within a factor of three otherwise. */
export interface SqliteLimits {
  /** Waiting for the disk, each for inputs, facts, state and views; beyond: `overloaded`. */
  readonly queueRecordsMax: number;
  readonly queueBytesMax: number;
  /** Newest records kept in memory as objects, over all topics and partitions. */
  readonly tailRecordsMax: number;
  readonly tailBytesMax: number;
  readonly lettersMax: number;
  readonly letterBytesMax: number;
  /** The file grows no further; then appends fail with `log_unavailable` until retention makes room. Null: the disk decides. */
  readonly fileBytesMax: number | null;
  /** Appends fail with `log_unavailable` while the disk has less, unless they may use the reserve; everything else goes on, retention too. */
  readonly freeBytesMin: number;
  /** Appends that may use the reserve fail only while the disk has less than this. */
  readonly reserveBytesMin: number;
}

export const sqliteLimits: SqliteLimits = {
  queueRecordsMax: 16_384,
  queueBytesMax: 32 * 1_048_576,
  tailRecordsMax: 32_768,
  tailBytesMax: 64 * 1_048_576,
  lettersMax: 10_000,
  letterBytesMax: 256 * 1_048_576,
  fileBytesMax: null,
  freeBytesMin: 64 * 1_048_576,
  reserveBytesMin: 16 * 1_048_576,
};

/** How long a start looks the file over, beside everything else. */
const checkWithinMs = 10_000;

export interface SqliteOptions {
  readonly path: string;
  readonly partitions: number;
  readonly limits: SqliteLimits;
  /** Dates the changes that `views.prune` goes by. */
  readonly clock?: Pick<Clock, 'now'>;
  /** What is to be said of a damaged store whose place this one takes. */
  readonly aside?: string;
}

/**
 * Opens or creates the store; its folder is made when missing, readable by its owner only.
 * Rejects with `invalid_config` for a file of a newer schema or another partition count, and with `store_unavailable`, within two
 * seconds, for one that another process owns or that cannot be opened; DamagedStore when that is because it is damaged.
 */
export async function sqliteStore(options: SqliteOptions): Promise<Store> {
  const { path, partitions } = options;
  invariant(Number.isInteger(partitions) && partitions >= 1 && partitions <= partitionsMax, `partitions are 1 to ${partitionsMax}`);
  const undo: (() => unknown)[] = [];
  try {
    return await openStore(options, undo);
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    throw error instanceof GatewayError ? error : new GatewayError('store_unavailable', `store ${path}: cannot be opened`, error);
  }
}

/** What the writer is handed lives until it is written: a bigger young generation would only be copied more often. */
const writerYoungMb = 16;

/** A file that is damaged so that it cannot be opened, as its message says. */
export class DamagedStore extends GatewayError {}

/** What it took is pushed to `undo`, for the case that a later step fails. */
async function openStore({ path, partitions, limits, clock, aside }: SqliteOptions, undo: (() => unknown)[]): Promise<Store> {
  makeDirectory(dirname(path), 0o700);
  const owner = takeOwnership(path);
  undo.push(() => owner.release());
  const rescued = takeUpRescued(path);
  closeSync(openSync(path, 'a', 0o600));
  const { worker, opening } = await startWriter({ path, partitions, ...limits });
  undo.push(() => worker.terminate());
  const walCheckpointer = new Worker(threadFile('wal-checkpointer'), {
    workerData: { path },
    name: 'store-wal-checkpointer',
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
  });
  undo.push(() => walCheckpointer.terminate());
  const checker = startChecker(path);
  undo.push(checker.stop);
  const files = filesOf(path);
  const logReader = openReader(path, 'log_unavailable');
  undo.push(() => logReader.close());
  const stateReader = openReader(path, 'store_unavailable');
  const queues = createPriorityQueues(worker, limits);

  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => (closed ??= shut());
  const shut = async (): Promise<void> => {
    await queues.drain();
    await walCheckpointer.terminate();
    await checker.stop();
    logReader.close();
    stateReader.close();
    await queues.close();
    owner.release();
  };
  return {
    log: { ...eventLog({ partitions, queues, reader: logReader, ...opening, ...limits }), close },
    checkpoints: checkpointsOver(queues, stateReader),
    views: viewsOver(queues, stateReader, () => clock?.now() ?? Date.now()),
    cursors: cursorsOver(queues, stateReader),
    deadLetters: deadLettersOver(queues, stateReader),
    probe: async () =>
      void (await ask(queues, { priority: 'inputs', request: { type: 'probe' }, records: 1, bytes: 0 }, 'log_unavailable')),
    trouble: () => files.look() ?? checker.damage() ?? aside ?? null,
    found: [rescued, aside].filter((says) => typeof says === 'string'),
    close,
  };
}

/** Looks the file over in a thread of its own; what it finds is known within its time. */
function startChecker(path: string): { damage(): string | null; stop(): Promise<void> } {
  let damage: string | null = null;
  const thread = new Worker(threadFile('checker'), {
    workerData: { path, withinMs: checkWithinMs } satisfies CheckerOptions,
    name: 'store-checker',
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
  });
  thread.on('message', (checked: Checked) => {
    if (checked.damage !== null) damage = `${path} is damaged: ${checked.damage} (docs/install.md, "A damaged store")`;
  });
  thread.on('error', () => {}); // it only looks; whoever uses the file meets what is wrong with it
  thread.unref();
  return {
    damage: () => damage,
    stop: async () => void (await thread.terminate()),
  };
}

/** Ends again by itself when the file cannot be opened. */
async function startWriter(options: WriterOptions): Promise<{ worker: Worker; opening: Extract<Opening, { ok: true }> }> {
  const worker = new Worker(threadFile('writer'), {
    workerData: options,
    name: 'store-writer',
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

/** The program of a thread, beside this file: TypeScript in a clone, JavaScript in what is installed. */
function threadFile(name: 'writer' | 'wal-checkpointer' | 'checker'): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
}
