// The projector of the time series. Its notes and position are the notebook's; points are written before both move, and writing is idempotent.
//   T1  Points are out before the position passes their facts: after whatever end the same facts make the same points again (readmodel/series).
//   T2  While the series are away it waits, less and less often, and is said once; decisions and other projectors feel nothing of it. Facts older than
//       the log keeps are given up, and counted, so that the log does not grow because of who is away.
//   T3  It writes at most about once a second, unless there is much: few large batches in place of many small ones.
import { setImmediate as nextRound } from 'node:timers/promises';
import { GatewayError } from '../../core/errors.ts';
import { minute, second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cursors } from '../../ports/cursors.ts';
import type { Notebook, Series } from '../../ports/series.ts';
import { createNotes, type Notes } from '../../readmodel/series/notes.ts';
import type { Point } from '../../readmodel/series/point.ts';
import { pointsOf } from '../../readmodel/series/points.ts';
import type { PointOptions } from '../../readmodel/series/telling.ts';
import { pause } from '../async/pause.ts';
import type { Projector, ProjectorBatch } from './projector.ts';

export const seriesName = 'series';
const seriesCursor = 'series';
/** Of one stretch of the main thread. */
const factsPerSlice = 64;
/** So many facts in one reading: more are waiting. */
const manyFacts = 512;
const restMs: Millis = second;
const backoff = { firstMs: second, mostMs: 30 * second } as const;
/** Nobody is told the same refusal more often. */
const refusedAgainMs: Millis = minute;

export interface SeriesProjectorDeps {
  readonly series: Pick<Series, 'write'>;
  readonly notebook: Notebook;
  /** Where retention looks; the notebook's position is what counts. */
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly options: PointOptions;
  /** Facts older than that are given up while the series are away. */
  readonly giveUpAfterMs: Millis;
  readonly logger: {
    info(fields: object, text: string): void;
    warn(fields: object, text: string): void;
  };
}

export interface SeriesProjector extends Projector {
  /** Gives up waiting: what is being written is offered again after the next start. */
  stop(): void;
  /** Since when the series do not answer, and points that they did not take or that were given up, since the start. */
  status(): { readonly awaySince: number | null; readonly lost: number };
}

interface Work {
  readonly offset: number;
  readonly points: readonly Point[];
}

export function seriesProjector(deps: SeriesProjectorDeps): SeriesProjector {
  const { notebook, cursors, clock } = deps;
  const notes = new Map<number, Notes>();
  /** What was made of a reading and is not written yet: its facts are noted, and may be offered again. */
  const works = new Map<number, Work>();
  const stopping = new AbortController();
  const writer = patientWriter(deps, stopping.signal);

  async function notesOf(partition: number): Promise<Notes> {
    const known = notes.get(partition) ?? createNotes((await notebook.load(partition)).notes);
    notes.set(partition, known);
    return known;
  }

  async function workOf({ partition, facts, offset }: ProjectorBatch): Promise<Work> {
    const begun = works.get(partition);
    if (begun?.offset === offset) return begun;
    const known = await notesOf(partition);
    const points: Point[] = [];
    for (let from = 0; from < facts.length; from += factsPerSlice) {
      if (from > 0) await nextRound(); // deliveries go first
      for (const fact of facts.slice(from, from + factsPerSlice)) points.push(...pointsOf(known, fact, deps.options));
    }
    const work = { offset, points };
    works.set(partition, work);
    return work;
  }

  return {
    name: seriesName,
    cursor: seriesCursor,
    position: (partition) => notebook.position(partition),
    async placed(partition, offset) {
      notes.set(partition, createNotes());
      works.delete(partition);
      await notebook.save({ partition, offset, notes: [], afresh: true });
    },
    async apply(batch) {
      const began = clock.steady();
      const { partition, facts, offset } = batch;
      const { points } = await workOf(batch);
      await writer.write(points); // T1
      const known = await notesOf(partition);
      const changed = known.changes();
      try {
        await notebook.save({ partition, offset, notes: changed });
      } catch (error) {
        known.keep(changed);
        throw error;
      }
      works.delete(partition);
      await cursors.save(seriesCursor, partition, offset);
      if (facts.length < manyFacts) await pause(clock, restMs - (clock.steady() - began), stopping.signal); // T3
    },
    stop: () => stopping.abort(),
    status: writer.status,
  };
}

/** Tries until they are written or given up (T2). */
function patientWriter({ series, clock, giveUpAfterMs, logger }: SeriesProjectorDeps, stopping: AbortSignal) {
  let awaySince: number | null = null;
  let lost = 0;
  const saidAt = new Map<string, Millis>();

  function refused(reason: string, points: number): void {
    lost += points;
    const before = saidAt.get(reason);
    if (before !== undefined && clock.steady() - before < refusedAgainMs) return;
    if (saidAt.size > 100) saidAt.clear();
    saidAt.set(reason, clock.steady());
    logger.warn({ points, reason }, 'the time series did not take points');
  }

  function isBack(): void {
    if (awaySince !== null) logger.info({ since: awaySince }, 'the time series answer again');
    awaySince = null;
  }

  async function write(points: readonly Point[]): Promise<void> {
    for (let waitMs: Millis = backoff.firstMs; points.length > 0; waitMs = Math.min(backoff.mostMs, 2 * waitMs)) {
      try {
        for (const { points: count, reason } of await series.write(points)) refused(reason, count);
        return isBack();
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        // No later attempt would go better.
        if (error.code === 'internal') return refused(error.message, points.length);
        if (awaySince === null)
          logger.warn({ error: error.message }, 'the time series do not answer: the gateway goes on, and they are written later');
        awaySince ??= clock.now();
      }
      const newest = points.at(-1)?.at ?? 0;
      if (clock.now() - newest > giveUpAfterMs)
        return refused('given up: the series were away for longer than the log keeps facts', points.length);
      await pause(clock, waitMs, stopping);
      if (stopping.aborted)
        throw new GatewayError(
          'store_unavailable',
          'the time series were away when the gateway stopped: they are written after the next start',
        );
    }
  }

  return { write, status: () => ({ awaySince, lost }) };
}
