// The time series of a gateway that keeps them itself: a file of their own beside the store, with a thread of its own.
// Also the notebook of a gateway that keeps its series elsewhere. Everything in it comes of the log: a file that is damaged is set aside, and another
// is filled from the log as far as that goes back.
import { dirname, extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Notebook, OpenedSeries } from '../../src/ports/series.ts';
import { makeDirectory } from '../kit/directory.ts';
import { setAside } from './rescue.ts';
import type { SeriesAnswers, SeriesOpening, SeriesOptions, SeriesReply, SeriesRequest } from './series-requests.ts';

/** Some 200 bytes each. */
export const pointsMaxDefault = 2_000_000;
const youngMb = 8;

interface Waiting {
  readonly resolve: (answer: SeriesAnswers[SeriesRequest['type']]) => void;
  readonly reject: (error: GatewayError) => void;
}

/** Rejects with `invalid_config` for a file of a newer version, `store_unavailable` for one that cannot be opened. */
export async function sqliteSeries(
  options: SeriesOptions & { readonly clock: { now(): Instant } },
): Promise<OpenedSeries & { readonly notebook: Notebook }> {
  const { clock, ...rest } = options;
  makeDirectory(dirname(rest.path), 0o700);
  const found: string[] = [];
  const worker = await openThread(rest, clock, found);
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let ended: string | null = null;

  worker.on('message', (reply: SeriesReply) => {
    const one = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) one?.resolve(reply.answer);
    else one?.reject(new GatewayError(reply.code, `series: ${reply.message}`));
  });
  const end = (why: string): void => {
    ended ??= why;
    for (const one of waiting.values()) one.reject(new GatewayError('store_unavailable', `series: ${why}`));
    waiting.clear();
  };
  worker.on('error', (error) => end(`their thread has ended: ${error.message}`));
  worker.on('exit', () => end('their thread has ended'));

  function ask<Type extends SeriesRequest['type']>(request: Extract<SeriesRequest, { type: Type }>): Promise<SeriesAnswers[Type]> {
    if (ended !== null) return Promise.reject(new GatewayError('store_unavailable', `series: ${ended}`));
    return new Promise((resolve, reject) => {
      asked += 1;
      // The thread answers each request with what belongs to its type.
      waiting.set(asked, { resolve: (answer) => resolve(answer as SeriesAnswers[Type]), reject });
      worker.postMessage({ id: asked, request });
    });
  }

  async function close(): Promise<void> {
    if (ended !== null) return;
    ended = 'closed';
    const exit = new Promise<void>((resolve) => void worker.once('exit', () => resolve()));
    worker.postMessage('close');
    await exit;
  }

  return {
    series: {
      write: (points) => (points.length === 0 ? Promise.resolve([]) : ask<'write'>({ type: 'write', points, now: clock.now() })),
      measure: (question) => ask<'measure'>({ type: 'measure', question, now: clock.now() }),
      points: (question) => ask<'points'>({ type: 'points', question, now: clock.now() }),
      close,
    },
    notebook: {
      load: (partition) => ask<'load'>({ type: 'load', partition }),
      position: (partition) => ask<'position'>({ type: 'position', partition }),
      save: async ({ afresh = false, ...page }) => void (await ask<'save'>({ type: 'save', afresh, ...page })),
    },
    found,
    close,
  };
}

async function openThread(options: SeriesOptions, clock: { now(): Instant }, found: string[]): Promise<Worker> {
  const first = await startThread(options);
  if (first.opening.ok) return first.worker;
  const { message, isDamaged, isNewer } = first.opening;
  if (isNewer)
    throw new GatewayError(
      'invalid_config',
      `series: ${message}; start the newer one, or move the file away: another is filled from the log`,
    );
  if (!isDamaged) throw new GatewayError('store_unavailable', `series ${options.path}: cannot be opened: ${message}`);
  const name = setAside(options.path, clock.now(), 'damaged');
  found.push(`${options.path} was damaged (${message}) and is now ${name}; another is filled from the log`);
  const second = await startThread(options);
  if (second.opening.ok) return second.worker;
  throw new GatewayError('store_unavailable', `series ${options.path}: cannot be opened: ${second.opening.message}`);
}

async function startThread(options: SeriesOptions): Promise<{ readonly worker: Worker; readonly opening: SeriesOpening }> {
  const worker = new Worker(new URL(`./series-thread${extname(import.meta.url)}`, import.meta.url), {
    workerData: options,
    name: 'store-series',
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: youngMb },
  });
  const opening = await new Promise<SeriesOpening>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error) => reject(new GatewayError('store_unavailable', 'series: their thread cannot start', error)));
  });
  worker.removeAllListeners('error');
  if (!opening.ok) await worker.terminate();
  return { worker, opening };
}
