// Large deliveries are parsed on a thread of their own: parsing 16 MB takes a good part of a second, in which nothing else would be answered.
// What is then taken in part by part, and how, is engine/intake/large-delivery.ts; what the thread runs is parser-thread.ts.
//   P1  There is one thread, one delivery at a time: it starts with the first large delivery and ends when there was none for a while.
//   P2  A thread that ends, or does not answer in time, is put off to the sender (`overloaded`), never accepted; the next delivery gets a new one.
//   P3  Nothing long is done here: the body goes there in pieces, and events are asked for a few at a time.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { AlertEvent } from '../core/alert/event.ts';
import { fail, GatewayError, invariant, ok } from '../core/errors.ts';
import { minute, second, type Millis } from '../core/time.ts';
import { giveWay } from '../engine/async/turns.ts';
import type { LargeParser, PartedDelivery } from '../engine/intake/large-delivery.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { FromThread, ParsedEndpoint, ThreadData, ToThread } from './parser-protocol.ts';

const pieceChars = 1_048_576;
const answerWithinMs: Millis = 20 * second;
const idleMs: Millis = minute;
/** Parsed, a body is several times as large as it was sent; in MB for each MB of the largest, and at least. */
const memoryFactor = 16;
const memoryMbMin = 256;

export interface ParserOptions {
  readonly endpoints: readonly ParsedEndpoint[];
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'error'>;
  /** Characters of a body that make a delivery large. */
  readonly fromChars: number;
  /** Of the largest body that the door takes. */
  readonly bytesMax: number;
}

export interface Parser extends LargeParser {
  stop(): Promise<void>;
}

export function createParser({ endpoints, clock, logger, fromChars, bytesMax }: ParserOptions): Parser {
  const memoryMb = Math.max(memoryMbMin, Math.ceil((memoryFactor * bytesMax) / 1_048_576));
  const known = new Set(endpoints.map(({ name }) => name));
  let thread: Thread | null = null;
  let before: Promise<unknown> = Promise.resolve();
  let cancelIdle = (): void => {};
  let isStopped = false;

  function started(): Thread {
    if (isStopped) throw new GatewayError('overloaded', 'the gateway is about to stop');
    if (thread !== null) return thread;
    const made = startThread({ endpoints }, { clock, memoryMb }, (why) => {
      if (thread === made) thread = null; // P2
      if (!isStopped) logger.error({ why }, 'the thread that parses large deliveries has ended; the sender is told to come again');
    });
    thread = made;
    return made;
  }

  async function stop(): Promise<void> {
    cancelIdle();
    const ending = thread;
    thread = null;
    await ending?.end();
  }

  function endWhenIdle(): void {
    cancelIdle();
    if (!isStopped) cancelIdle = clock.after(idleMs, () => void stop());
  }

  async function parse<Taken>(...[endpoint, { body, ...delivery }, take]: Parameters<typeof parser.parse<Taken>>) {
    cancelIdle();
    const own = started();
    for (let from = 0; from < body.length; from += pieceChars) {
      own.tell({ type: 'text', text: body.slice(from, from + pieceChars) }); // P3
      await giveWay();
    }
    const answer = await own.ask({ type: 'parse', endpoint, delivery });
    if (answer.type === 'failed') return fail(answer.failure);
    invariant(answer.type === 'parsed', 'a delivery is parsed or it failed');
    const { type: _, ...said } = answer;
    const parts = partsOf(own);
    try {
      return ok(await take({ ...said, next: parts.next }));
    } finally {
      await parts.end();
    }
  }

  const parser: Parser = {
    takes: (endpoint, { body }) => body.length >= fromChars && known.has(endpoint),
    async parse(endpoint, delivery, take) {
      const mine = before.then(() => parse(endpoint, delivery, take)); // P1
      before = mine.catch(() => {}).finally(endWhenIdle);
      return mine;
    },
    async stop() {
      isStopped = true;
      await stop();
      cancelIdle();
    },
  };
  return parser;
}

/** The events of what was parsed; while some are taken the thread makes the next. */
function partsOf(thread: Thread): Pick<PartedDelivery, 'next'> & { end(): Promise<unknown> } {
  const come: string[] = [];
  let coming = asked();

  function asked(): Promise<FromThread> {
    const answer = thread.ask({ type: 'next' });
    answer.catch(() => {}); // told to whoever waits for it
    return answer;
  }

  return {
    async next() {
      if (come.length === 0) {
        const answer = await coming;
        invariant(answer.type === 'parts', 'whoever asks for the next parts gets them');
        if (answer.parts.length === 0) return null;
        come.push(...answer.parts);
        coming = asked();
      }
      return JSON.parse(come.shift() ?? '[]') as readonly AlertEvent[]; // as the thread wrote them
    },
    end: () => coming.catch(() => {}),
  };
}

interface Thread {
  tell(message: ToThread): void;
  /** Rejects with `overloaded` once the thread has ended, and ends it when it does not answer in time. */
  ask(message: ToThread): Promise<FromThread>;
  end(): Promise<unknown>;
}

function startThread(
  data: ThreadData,
  { clock, memoryMb }: { readonly clock: Pick<Clock, 'after'>; readonly memoryMb: number },
  ended: (why: string) => void,
): Thread {
  const worker = new Worker(new URL(`./parser-thread${extname(import.meta.url)}`, import.meta.url), {
    workerData: data,
    name: 'parser',
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  let waiting: PromiseWithResolvers<FromThread> | null = null;
  let gone: string | null = null;

  function lost(why: string): void {
    if (gone !== null) return;
    gone = why;
    waiting?.reject(new GatewayError('overloaded', `a large delivery could not be parsed: ${why}`));
    ended(why);
  }
  worker.on('message', (answer: FromThread) => waiting?.resolve(answer));
  worker.on('error', (error) => lost(error instanceof Error ? error.message : String(error)));
  worker.on('exit', () => lost('its thread has ended'));

  return {
    tell: (message) => worker.postMessage(message),
    async ask(message) {
      if (gone !== null) throw new GatewayError('overloaded', `a large delivery could not be parsed: ${gone}`);
      const asked = Promise.withResolvers<FromThread>();
      waiting = asked;
      const cancel = clock.after(answerWithinMs, () => {
        lost('it took too long');
        void worker.terminate();
      });
      worker.postMessage(message);
      try {
        return await asked.promise;
      } finally {
        cancel();
        waiting = null;
      }
    },
    end() {
      gone ??= 'its thread has ended';
      waiting?.reject(new GatewayError('overloaded', 'the gateway is about to stop'));
      return worker.terminate();
    },
  };
}
