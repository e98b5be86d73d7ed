// Entry of the thread that keeps the time series: opens the file, then answers one request after the other. Nothing that a gateway accepts or
// decides waits for it.
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError, invariant } from '../../src/core/errors.ts';
import { isDamage, isMediumFailure } from './failures.ts';
import { NewerSeries, notesIn, openSeriesFile, positionIn, seriesWriter, type SeriesWriter } from './series-file.ts';
import { measureIn, pointsIn } from './series-questions.ts';
import type { SeriesAnswers, SeriesOpening, SeriesOptions, SeriesReply, SeriesRequest } from './series-requests.ts';

invariant(parentPort, 'series-thread.ts runs as a worker thread');
serve(parentPort, workerData as SeriesOptions); // given by series.ts

type Port = NonNullable<typeof parentPort>;

function serve(port: Port, options: SeriesOptions): void {
  try {
    const db = openSeriesFile(options.path);
    const writer = seriesWriter(db, options);
    port.postMessage({ ok: true } satisfies SeriesOpening);
    port.on('message', (message: { readonly id: number; readonly request: SeriesRequest } | 'close') => {
      if (message !== 'close') {
        port.postMessage(replyTo(message.id, () => perform(db, writer, options, message.request)));
        return;
      }
      port.close();
      db.close();
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    port.postMessage({ ok: false, message, isDamaged: isDamage(error), isNewer: error instanceof NewerSeries } satisfies SeriesOpening);
  }
}

function perform(
  db: DatabaseSync,
  writer: SeriesWriter,
  { keep }: SeriesOptions,
  request: SeriesRequest,
): SeriesAnswers[SeriesRequest['type']] {
  switch (request.type) {
    case 'write':
      return writer.write(request.points, request.now);
    case 'save':
      writer.save(request);
      return null;
    case 'measure':
      return measureIn(db, request.question, keep, request.now);
    case 'points':
      return pointsIn(db, request.question, keep, request.now);
    case 'load':
      return { offset: positionIn(db, request.partition), notes: notesIn(db, request.partition) };
    case 'position':
      return positionIn(db, request.partition);
    default:
      return request satisfies never;
  }
}

function replyTo(id: number, answer: () => SeriesAnswers[SeriesRequest['type']]): SeriesReply {
  try {
    return { id, ok: true, answer: answer() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof GatewayError && error.code === 'invalid_request') return { id, ok: false, code: 'invalid_request', message };
    return { id, ok: false, code: isMediumFailure(error) ? 'store_unavailable' : 'internal', message };
  }
}
