// The stream of changes for consoles and scripts: server-sent events, resumable without loss or doubling.
// One tail reads the log once for all streams that are up to date; a stream that resumes catches up by itself, then joins.
// What an event holds is events/frames.ts, its id events/places.ts (E1), a response events/streams.ts (E2 to E4).
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../core/errors.ts';
import { second, type Millis } from '../core/time.ts';
import { giveWay } from '../engine/async/turns.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { Clock } from '../ports/clock.ts';
import { text } from '../readmodel/schema.ts';
import type { HttpDeps } from './deps.ts';
import { bytesOf, readOn } from './events/frames.ts';
import { placeAt, placesIn, type Places } from './events/places.ts';
import { streamTo, type Stream } from './events/streams.ts';
import type { Call, Route } from './route.ts';

/** Facts of so long a time are written together; while more are known, the next batch follows sooner. */
const batchMs: Millis = 100;
const nextBatchMs: Millis = 20;
/** Written to before the event loop is given back. */
const streamsAtOnce = 16;
/** How often it is asked whether the callers of silent streams may still read (E4), and how many times that is a sign of life due. */
const askMs: Millis = second;
const asksPerBeat = 15;

type Caller = Pick<Call, 'scopes' | 'isAdmitted'>;

export interface Events {
  readonly route: Route;
  /** Ends all streams; new ones are refused. */
  stop(): void;
}

export function createEvents(deps: Pick<HttpDeps, 'store' | 'clock' | 'logger'>, streamsMax: number): Events {
  const { log } = deps.store;
  const streams = new Set<Stream>();
  let stopped = false;
  const tail = createTail(log, deps.clock, streams, (error) => deps.logger.warn({ error }, 'event streams wait for the log'));

  async function open(req: IncomingMessage, res: ServerResponse, caller: Caller): Promise<void> {
    if (stopped || streams.size >= streamsMax) throw new GatewayError('overloaded', `at most ${streamsMax} event streams are served`);
    const asked = req.headers['last-event-id'];
    const wanted = typeof asked === 'string' && asked !== '' ? placesIn(asked, log.partitions) : null;
    const stream = streamTo(res, caller);
    const leave = (): void => {
      streams.delete(stream);
      if (streams.size === 0) tail.rest();
    };
    streams.add(stream);
    res.on('close', leave);
    try {
      const at = await tail.place();
      if (stopped) throw new GatewayError('overloaded', 'the gateway is about to stop');
      // An id from beyond the end is of a log that was made anew.
      stream.begin(at.map((end, partition) => earlier(wanted?.[partition] ?? end, end)));
      tail.schedule();
    } catch (error) {
      leave();
      throw error;
    }
  }

  return {
    route: {
      kind: 'raw',
      method: 'get',
      path: '/api/v1/events',
      access: 'read',
      tag: 'events',
      summary: 'Changes as they are decided, as server-sent events; resumes after the header Last-Event-ID',
      scope: 'own',
      answers: {
        200: {
          says: 'An endless text/event-stream: `document` (a patch of one document), `line` (a line of a timeline), `gap` (what retention took).',
          content: { 'text/event-stream': text },
        },
      },
      serve: (req, res, caller) => open(req, res, caller),
    },
    stop() {
      stopped = true;
      for (const stream of streams) stream.end();
    },
  };
}

function earlier(one: Places[number], other: Places[number]): Places[number] {
  return one.next >= other.next ? other : one;
}

interface Tail {
  /** Where it stands; it begins at the end of the log with the first stream. */
  place(): Promise<Places>;
  schedule(span?: Millis): void;
  /** Until the next stream comes. */
  rest(): void;
}

/** Gives the streams what is decided, in batches: those that are up to date together, the others each by itself. */
function createTail(log: EventLog, clock: Clock, streams: ReadonlySet<Stream>, waits: (error: unknown) => void): Tail {
  let life: Promise<Life> | null = null;
  let cancelTick: (() => void) | null = null;
  let ticking = false;
  let again = false;

  function schedule(span: Millis = batchMs): void {
    if (ticking) again = true;
    else if (streams.size > 0) cancelTick ??= clock.after(span, () => void tick());
  }

  /** Never two at a time; whatever asks for one meanwhile gets the next. */
  async function tick(): Promise<void> {
    cancelTick = null;
    if (life === null) return;
    ticking = true;
    again = false;
    let span = batchMs;
    try {
      const began = life;
      if (await toldAll(log, await began, streams, () => life === began)) [again, span] = [true, nextBatchMs];
    } catch (error) {
      waits(error);
      [again, span] = [true, second];
    }
    ticking = false;
    if (again) schedule(span);
  }

  return {
    async place() {
      life ??= begin(log, clock, streams, schedule);
      return (await life).at;
    },
    schedule,
    rest() {
      cancelTick?.();
      cancelTick = null;
      life?.then(
        ({ end }) => end(),
        () => {}, // whoever began it was told
      );
      life = null;
    },
  };
}

/** The tail from its first stream to its last. */
interface Life {
  at: Places;
  end(): void;
}

async function begin(log: EventLog, clock: Clock, streams: ReadonlySet<Stream>, schedule: () => void): Promise<Life> {
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  const unwatch = partitions.map((partition) => log.watch('facts', partition, () => schedule()));
  let asks = 0;
  let cancelAsk = clock.after(askMs, ask);
  let life: Life | null = null;
  function ask(): void {
    cancelAsk = clock.after(askMs, ask);
    asks += 1;
    const isBeat = asks % asksPerBeat === 0;
    for (const stream of streams) {
      if (!stream.isOpen()) continue;
      if (isBeat) stream.beat(life?.at ?? null);
      else stream.ask();
    }
  }
  const end = (): void => {
    for (const stop of unwatch) stop();
    cancelAsk();
  };
  try {
    const ends = await Promise.all(partitions.map((partition) => log.end('facts', partition)));
    life = { at: ends.map(placeAt), end };
    return life;
  } catch (error) {
    end();
    throw error;
  }
}

/** One batch for everybody; true when there is more. Places move when all is read, so that a failure in between loses nothing. */
async function toldAll(log: EventLog, life: Life, streams: ReadonlySet<Stream>, isCurrent: () => boolean): Promise<boolean> {
  const { frames, places, more } = await readOn(log, life.at, null);
  life.at = places;
  let left = more;
  const batch = bytesOf(frames);
  let given = 0;
  for (const stream of streams) {
    if (stream.places !== null || !stream.isOpen()) continue;
    stream.give(batch);
    given += 1;
    if (given % streamsAtOnce === 0) await giveWay();
  }
  for (const stream of streams) {
    if (stream.places === null || !stream.isOpen()) continue;
    const caughtUp = await catchUp(log, stream, stream.places, life.at);
    // When all have left meanwhile, whoever came since follows another tail.
    if (caughtUp && isCurrent()) stream.places = null;
    else left = true;
  }
  return left;
}

/** Moves one stream towards the tail, when it takes more; true once it is there. */
async function catchUp(log: EventLog, stream: Stream, from: Places, tail: Places): Promise<boolean> {
  if (!stream.takesMore()) return false;
  const { frames, places } = await readOn(log, from, tail);
  stream.places = places;
  stream.give(bytesOf(frames));
  return places.every(({ next }, partition) => next === tail[partition]?.next);
}
