// The whole store in two SQLite files: takes ownership, starts the threads, puts the ports together. One file holds what must be durable before
// anybody is answered (log, dead letters), the other what is saved behind it (checkpoints, cursors, read model), so that neither waits for the
// other's disk. Their writers do everything that can wait for one; this thread only reads, through its own read-only connections.
import { dirname } from 'node:path';
import { GatewayError, invariant } from '../../src/core/errors.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeDirectory } from '../kit/directory.ts';
import { ask } from './ask.ts';
import { checkpointsOver } from './checkpoints.ts';
import { cursorsOver } from './cursors.ts';
import { deadLettersOver } from './dead-letters.ts';
import { filesOf, type StoreFiles } from './files.ts';
import { logLanes, stateLanes, type LogQueues, type StateQueues } from './lanes.ts';
import { eventLog } from './log.ts';
import { openFiles } from './opening.ts';
import { takeOwnership } from './owner.ts';
import { stateFileOf } from './paths.ts';
import { createPriorityQueues } from './priority-queues.ts';
import { openReader, type Reader } from './reader.ts';
import { partitionsMax } from './requests.ts';
import { pageBytes } from './schema.ts';
import { startChecker, startWalCheckpointer, type StorePaths } from './threads.ts';
import { viewsOver } from './views.ts';

/** Bytes are UTF-16 units of the JSON text: exact for ASCII, within a factor of three otherwise. */
export interface SqliteLimits {
  /** Waiting for the disk, in each lane (lanes.ts); beyond: `overloaded`. */
  readonly queueRecordsMax: number;
  readonly queueBytesMax: number;
  /** How long the state's file rests between two commits while there is little to write (lanes.ts). */
  readonly stateRestMs: number;
  /** Newest records kept in memory as objects, over all topics and partitions. */
  readonly tailRecordsMax: number;
  readonly tailBytesMax: number;
  readonly lettersMax: number;
  readonly letterBytesMax: number;
  /** Neither file grows any further; then appends fail with `log_unavailable` until retention makes room. Null: the disk decides. */
  readonly fileBytesMax: number | null;
  /** Appends fail with `log_unavailable` while the disk has less, unless they may use the reserve; everything else goes on, retention too. */
  readonly freeBytesMin: number;
  /** Appends that may use the reserve fail only while the disk has less than this. */
  readonly reserveBytesMin: number;
}

export const sqliteLimits: SqliteLimits = {
  queueRecordsMax: 16_384,
  queueBytesMax: 32 * 1_048_576,
  stateRestMs: 0,
  tailRecordsMax: 32_768,
  tailBytesMax: 64 * 1_048_576,
  lettersMax: 10_000,
  letterBytesMax: 256 * 1_048_576,
  fileBytesMax: null,
  freeBytesMin: 64 * 1_048_576,
  reserveBytesMin: 16 * 1_048_576,
};

export interface SqliteOptions {
  /** Of the log; the state lies beside it (paths.ts). */
  readonly path: string;
  readonly partitions: number;
  readonly limits: SqliteLimits;
  /** Dates the changes that `views.prune` goes by. */
  readonly clock?: Pick<Clock, 'now'>;
  /** What is to be said of a damaged store whose place this one takes. */
  readonly aside?: string;
}

/**
 * Opens or creates the store, both files; their folder is made when missing, readable by its owner only.
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

/** What it took is pushed to `undo`, for the case that a later step fails. */
async function openStore({ path, partitions, limits, clock, aside }: SqliteOptions, undo: (() => unknown)[]): Promise<Store> {
  const paths: StorePaths = { log: path, state: stateFileOf(path) };
  const now = (): number => clock?.now() ?? Date.now();
  makeDirectory(dirname(path), 0o700);
  const owner = takeOwnership(path);
  undo.push(() => owner.release());
  const writers = await openFiles(paths, { partitions, ...limits }, now, undo);
  const walCheckpointer = startWalCheckpointer(paths);
  undo.push(() => walCheckpointer.terminate());
  const checker = startChecker(paths);
  undo.push(checker.stop);
  const files = bothOf(filesOf(paths.log), filesOf(paths.state));
  const logReader = openReader(path, 'log_unavailable');
  undo.push(() => logReader.close());
  const letterReader = openReader(path, 'store_unavailable');
  undo.push(() => letterReader.close());
  const stateReader = openReader(paths.state, 'store_unavailable');
  const logQueues: LogQueues = createPriorityQueues(writers.log.worker, logLanes, limits);
  const stateQueues: StateQueues = createPriorityQueues(writers.state.worker, stateLanes(limits.stateRestMs), limits);
  const probe = probeOf(logQueues, stateQueues);
  const { settled, ...log } = eventLog({ partitions, queues: logQueues, reader: logReader, ...writers.log.opening, ...limits });

  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => (closed ??= shut());
  const shut = async (): Promise<void> => {
    // Nobody comes after this who would rescue what a deleted file holds.
    if (files.look() !== null) await probe().catch(() => {});
    await Promise.all([logQueues.drain(), stateQueues.drain()]);
    await walCheckpointer.terminate();
    await checker.stop();
    for (const reader of [logReader, letterReader, stateReader]) reader.close();
    await Promise.all([logQueues.close(), stateQueues.close()]);
    owner.release();
  };
  return {
    log: { ...log, close },
    checkpoints: checkpointsOver(stateQueues, stateReader, { end: log.end, settled }),
    views: viewsOver(stateQueues, stateReader, now),
    cursors: cursorsOver(stateQueues, stateReader),
    deadLetters: deadLettersOver(logQueues, letterReader),
    probe,
    trouble: () => files.look() ?? checker.damage() ?? aside ?? null,
    bytes: () => [logReader, stateReader].reduce((sum, reader) => sum + sizeOf(reader), 0),
    found: [...writers.found, ...(aside === undefined ? [] : [aside])],
    close,
  };
}

/** Asks both writers, so that each rescues its file where that is gone; rejects when one refuses. */
function probeOf(logQueues: LogQueues, stateQueues: StateQueues): Store['probe'] {
  const request = { type: 'probe' } as const;
  return async () => {
    const asked = [
      ask(logQueues, { priority: 'inputs', request, records: 1, bytes: 0 }, 'log_unavailable'),
      ask(stateQueues, { priority: 'state', request, records: 1, bytes: 0 }),
    ];
    for (const answer of await Promise.allSettled(asked)) if (answer.status === 'rejected') throw answer.reason;
  };
}

/** What the file takes once everything of its `-wal` is folded into it. */
function sizeOf(reader: Reader): number {
  return Number(reader.get('PRAGMA page_count')?.['page_count'] ?? 0) * pageBytes;
}

function bothOf(log: StoreFiles, state: StoreFiles): Pick<StoreFiles, 'look'> {
  return { look: () => log.look() ?? state.look() };
}
