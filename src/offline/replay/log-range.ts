// A range of the log as a stream: inputs and facts of all partitions in order of time, from a gateway or out of a file of `quench log export`.
import { statSync } from 'node:fs';
import type { LogRange } from '../../cli/command.ts';
import type { LogLine } from '../../readmodel/answers.ts';
import { memberOf } from '../../config/yaml/pointer.ts';
import { GatewayError } from '../../core/errors.ts';
import { minute, type Instant, type Millis } from '../../core/time.ts';
import { linesOf } from './lines.ts';

/** A desk's time may be ahead of the clock that stamped its last inputs. */
const factsAfterMs: Millis = minute;
/** Of a date, to either side of 1970. */
const instantMax: Instant = 8_640_000_000_000_000;

export interface Merged {
  readonly startAt: Instant;
  /** Offset of a partition's first input, where it has one. */
  readonly firsts: ReadonlyMap<number, number>;
  /** When the next fact of a partition was decided; never, where no more come. */
  nextFactAt(partition: number): Instant;
  readonly lines: AsyncGenerator<LogLine>;
}

/** Inputs and facts in order of time, facts first. Behind the last input there come only decisions, and only for a little. */
export async function merge(range: LogRange, until: () => Instant): Promise<Merged> {
  const streams = range.partitions.flatMap((partition) => [range.facts(partition), range.inputs(partition)]);
  const heads = await Promise.all(streams.map((stream) => stream.next()));
  const inputsLeft = (): boolean => heads.some((head) => head.done !== true && head.value.topic === 'inputs');
  const begins = heads.flatMap((head) => (head.done === true ? [] : [head.value]));
  const inputs = begins.filter(({ topic }) => topic === 'inputs');

  function nextPlace(): number {
    let best = -1;
    let bestAt = Infinity;
    for (const [place, head] of heads.entries())
      if (head.done !== true && head.value.value.at < bestAt) [best, bestAt] = [place, head.value.value.at];
    return best;
  }

  async function* lines(): AsyncGenerator<LogLine> {
    try {
      for (;;) {
        const place = nextPlace();
        const head = heads[place];
        const stream = streams[place];
        if (head === undefined || head.done === true || stream === undefined) return;
        const { type, at } = head.value.value;
        const isOver = !inputsLeft() && at > until();
        if (isOver && at > until() + factsAfterMs) return;
        if (!isOver || type === 'AlertDecided') yield head.value;
        heads[place] = await stream.next();
      }
    } finally {
      await Promise.all(streams.map((stream) => stream.return(undefined)));
    }
  }
  return {
    startAt: Math.min(...inputs.map(({ value }) => value.at)),
    firsts: new Map(inputs.map(({ partition, offset }) => [partition, offset])),
    nextFactAt(partition) {
      const head = heads[2 * range.partitions.indexOf(partition)];
      return head === undefined || head.done === true ? Infinity : head.value.value.at;
    },
    lines: lines(),
  };
}

/** A file of `quench log export`, or several one after the other: inputs, and facts for the comparison. */
export async function rangeIn(file: string): Promise<LogRange> {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
    throw new GatewayError('invalid_request', `${file}: expected a regular file, for it is read several times, seen something else`);
  const partitions = new Set<number>();
  for await (const line of exported(file)) if (line.topic === 'inputs') partitions.add(line.partition);
  if (partitions.size === 0) throw new GatewayError('invalid_request', `${file}: expected records of inputs, seen none`);
  async function* of(topic: LogLine['topic'], partition: number): AsyncGenerator<LogLine> {
    for await (const line of exported(file)) if (line.topic === topic && line.partition === partition) yield line;
  }
  return {
    partitions: [...partitions].sort((a, b) => a - b),
    inputs: (partition) => of('inputs', partition),
    facts: (partition) => of('facts', partition),
  };
}

async function* exported(file: string): AsyncGenerator<LogLine> {
  let number = 0;
  for await (const text of linesOf(file)) {
    number += 1;
    const line = lineIn(text);
    if (line === null)
      throw new GatewayError(
        'invalid_request',
        `${file}: line ${number}: expected a record as quench log export writes it, seen something else`,
      );
    yield line;
  }
}

function lineIn(text: string): LogLine | null {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return null;
  }
  const topic = memberOf(line, 'topic');
  const value = memberOf(line, 'value');
  const isRecord =
    (topic === 'inputs' || topic === 'facts') &&
    Number.isSafeInteger(memberOf(line, 'partition')) &&
    Number.isSafeInteger(memberOf(line, 'offset')) &&
    typeof memberOf(line, 'scope') === 'string' &&
    typeof memberOf(value, 'scope') === 'string' &&
    isInstant(memberOf(value, 'at')) &&
    typeof memberOf(value, 'type') === 'string' &&
    (memberOf(value, 'type') !== 'AlertSeen' || isAlert(memberOf(value, 'event')));
  return isRecord ? (line as LogLine) : null; // seen above, as far as more than the rules rest on it
}

function isInstant(at: unknown): boolean {
  return Number.isSafeInteger(at) && Math.abs(at as number) <= instantMax; // a number, as was just seen
}

function isAlert(event: unknown): boolean {
  const texts = ['fingerprint', 'name', 'summary'].map((name) => memberOf(event, name));
  const times = ['startedAt', 'observedAt'].map((name) => memberOf(event, name));
  const tables = ['labels', 'annotations', 'entity'].map((name) => memberOf(event, name));
  return (
    texts.every((text) => typeof text === 'string') &&
    times.every(isInstant) &&
    tables.every((table) => typeof table === 'object' && table !== null)
  );
}
