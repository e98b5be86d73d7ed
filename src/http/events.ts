// The stream of facts for consoles and scripts: server-sent events, resumable without loss or doubling.
// One tail reads the log once for all streams that are up to date; a stream that resumes catches up by itself, then joins.
//   E1  An event's id says where to go on, for every partition (`0:13,1:5`): resuming there neither skips nor repeats a fact.
//   E2  A reader that does not keep up is cut off, never waited for: it resumes by its last id.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../core/errors.ts';
import { second, type Millis } from '../core/time.ts';
import type { LogRecord } from '../ports/event-log.ts';
import type { HttpDeps } from './deps.ts';
import type { Route } from './route.ts';

/** Facts of so long a time are written together; while more are known, the next batch follows sooner. */
const batchMs: Millis = 100;
const nextBatchMs: Millis = 20;
const batchCharsMax = 262_144;
const heartbeatMs: Millis = 15 * second;
const readMax = 500;
/** Bytes waiting in one response: above the first no catching up, above the second the stream is cut. */
const catchUpBytesMax = 65_536;
const waitingBytesMax = 4_194_304;
/** Housekeeping of the desk; nobody looks at it. */
const unseen: ReadonlySet<string> = new Set(['WakeRequested', 'WakeSpent', 'DeskSwept']);

interface Stream {
  readonly res: ServerResponse;
  /** Next offset of each partition; null once they are the tail's. */
  places: number[] | null;
}

export interface Events {
  readonly route: Route;
  /** Ends all streams; new ones are refused. */
  stop(): void;
}

export function createEvents(deps: Pick<HttpDeps, 'store' | 'clock' | 'log'>, streamsMax: number): Events {
  const { clock } = deps;
  const { log } = deps.store;
  const streams = new Set<Stream>();
  let stopped = false;
  /** Where the tail stands, while there are streams. */
  let tail: Promise<number[]> | null = null;
  let unwatch: (() => void)[] = [];
  let cancelTick: (() => void) | null = null;
  let cancelBeat: (() => void) | null = null;
  let ticking = false;
  let again = false;

  async function open(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (stopped || streams.size >= streamsMax) throw new GatewayError('overloaded', `at most ${streamsMax} event streams are served`);
    const asked = req.headers['last-event-id'];
    const wanted = typeof asked === 'string' && asked !== '' ? placesIn(asked, log.partitions) : null;
    const stream: Stream = { res, places: [] };
    streams.add(stream);
    res.on('close', () => leave(stream));
    try {
      const at = await (tail ??= start());
      if (stopped) throw new GatewayError('overloaded', 'the gateway is about to stop');
      const places = at.map((end, partition) => Math.min(wanted?.[partition] ?? end, end));
      stream.places = places;
      res.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      // An event without data is not shown to the page, but its id is kept: a stream that saw no fact can resume, too.
      res.write(`retry: 2000\nid: ${idOf(places)}\n\n`);
      schedule();
    } catch (error) {
      leave(stream);
      throw error;
    }
  }

  async function start(): Promise<number[]> {
    cancelBeat = clock.after(heartbeatMs, beat);
    unwatch = partitions().map((partition) => log.watch('facts', partition, () => schedule()));
    return Promise.all(partitions().map((partition) => log.end('facts', partition)));
  }

  function leave(stream: Stream): void {
    streams.delete(stream);
    if (streams.size > 0) return;
    for (const stop of unwatch) stop();
    unwatch = [];
    cancelBeat?.();
    cancelTick?.();
    cancelTick = null;
    tail = null;
  }

  function schedule(span: Millis = batchMs): void {
    if (ticking) again = true;
    else if (streams.size > 0) cancelTick ??= clock.after(span, () => void tick());
  }

  /** Never two at a time; whatever asks for one meanwhile gets the next. */
  async function tick(): Promise<void> {
    cancelTick = null;
    if (tail === null) return;
    ticking = true;
    again = false;
    let span = batchMs;
    try {
      const began = tail;
      const at = await began;
      let more = await advance(at);
      for (const stream of streams) {
        if (stream.places === null || !stream.res.headersSent) continue;
        const caughtUp = await catchUp(stream, stream.places, at);
        // When all have left meanwhile, whoever came since follows another tail.
        if (caughtUp && tail === began) stream.places = null;
        else more = true;
      }
      if (more) [again, span] = [true, nextBatchMs];
    } catch (error) {
      deps.log.warn({ error }, 'event streams wait for the log');
      [again, span] = [true, second];
    }
    ticking = false;
    if (again) schedule(span);
  }

  /** Moves the tail and tells the streams that are up to date; true when there is more. */
  async function advance(at: number[]): Promise<boolean> {
    const { text, more } = await follow(at, () => true);
    if (text !== '') for (const stream of streams) if (stream.places === null && stream.res.headersSent) give(stream, text);
    return more;
  }

  /** Moves one stream towards the tail, when it takes more; true once it is there. */
  async function catchUp(stream: Stream, places: number[], at: readonly number[]): Promise<boolean> {
    if (stream.res.writableLength >= catchUpBytesMax) return false;
    const { text } = await follow(places, (partition, offset) => offset < (at[partition] ?? 0));
    if (text !== '') give(stream, text);
    return places.every((place, partition) => place === at[partition]);
  }

  /** Reads on from the places, as far as `within` allows; moves them when all is read, so that a failure in between loses nothing. */
  async function follow(
    places: number[],
    within: (partition: number, offset: number) => boolean,
  ): Promise<{ text: string; more: boolean }> {
    const moved = [...places];
    let text = '';
    let more = false;
    for (const partition of partitions()) {
      if (text.length > batchCharsMax) break;
      const from = moved[partition] ?? 0;
      const records = await log.read('facts', partition, from, readMax);
      const first = records[0];
      if (first !== undefined && first.offset > from)
        text += `event: gap\ndata: ${JSON.stringify({ partition, from, to: first.offset })}\n\n`;
      for (const record of records) {
        if (!within(partition, record.offset)) break;
        moved[partition] = record.offset + 1;
        text += frameOf(record, moved);
        if (text.length > batchCharsMax) break;
      }
      more ||= records.length === readMax || text.length > batchCharsMax;
    }
    places.splice(0, moved.length, ...moved);
    return { text, more };
  }

  function give(stream: Stream, text: string): void {
    if (stream.res.destroyed || stream.res.writableEnded) return;
    if (stream.res.writableLength > waitingBytesMax) stream.res.destroy(); // E2
    else stream.res.write(text);
  }

  function beat(): void {
    cancelBeat = clock.after(heartbeatMs, beat);
    for (const stream of streams) if (stream.res.headersSent) give(stream, ':\n\n');
  }

  function partitions(): readonly number[] {
    return Array.from({ length: log.partitions }, (_, partition) => partition);
  }

  return {
    route: {
      kind: 'raw',
      method: 'get',
      path: '/api/v1/events',
      access: 'read',
      tag: 'events',
      summary: 'Facts as they are decided, as server-sent events; resumes after the header Last-Event-ID',
      scope: 'all',
      answers: {
        200: {
          says: 'An endless text/event-stream; `event` is the type of the fact, `data` the fact.',
          content: { 'text/event-stream': { type: 'string' } },
        },
      },
      serve: (req, res) => open(req, res),
    },
    stop() {
      stopped = true;
      for (const stream of streams) stream.res.end();
    },
  };
}

/** Records of one line each: JSON has no raw line breaks. */
function frameOf(record: LogRecord, places: readonly number[]): string {
  const type = (record.value as { readonly type?: unknown }).type;
  if (typeof type !== 'string' || unseen.has(type)) return '';
  return `id: ${idOf(places)}\nevent: ${type}\ndata: ${JSON.stringify(record.value)}\n\n`;
}

function idOf(places: readonly number[]): string {
  return places.map((place, partition) => `${partition}:${place}`).join(',');
}

/** Every partition exactly once, in any order. */
function placesIn(id: string, partitions: number): number[] {
  const places = new Map<number, number>();
  const parts = id.length > 32 * partitions ? [] : id.split(',');
  for (const part of parts) {
    const match = /^(\d{1,6}):(\d{1,15})$/.exec(part);
    if (match !== null && Number(match[1]) < partitions) places.set(Number(match[1]), Number(match[2]));
  }
  if (places.size !== partitions || parts.length !== partitions) {
    throw new GatewayError('invalid_request', 'Last-Event-ID must be an id of this stream: `0:13,1:5`');
  }
  return Array.from({ length: partitions }, (_, partition) => places.get(partition) ?? 0);
}
