// Records of a gateway's log, page by page; and what the options of `log` say about where to begin and end.
import type { Topic } from '../ports/event-log.ts';
import type { LogAnswer, LogLine, LogPageAnswer } from '../readmodel/answers.ts';
import type { Call, LogRange } from './command.ts';
import { exits, Stop, usage } from './exit.ts';

export const logPath = '/api/v1/log';
const recordsPerPage = 1_000;
/** Facts of a batch lie scope by scope: the first of an instant may be a little before what halving finds. */
const factsBefore = 5_000;

interface Wanted {
  readonly topic: Topic;
  readonly partition: number;
  readonly from: number;
  readonly raw?: boolean;
}

async function page(call: Call, { topic, partition, from, raw = false }: Wanted, limit: number): Promise<LogPageAnswer> {
  const path = `${logPath}/${topic}/${partition}?from=${from}&limit=${limit}${raw ? '&raw=true' : ''}`;
  return call.api().get<LogPageAnswer>(path, ['records', 'next', 'end']);
}

/** Records up to the end that the log has when the reading begins. */
export async function* recordsFrom(call: Call, wanted: Wanted): AsyncGenerator<LogLine> {
  let end = Number.POSITIVE_INFINITY;
  for (let from = wanted.from; from < end;) {
    const read = await page(call, { ...wanted, from }, recordsPerPage);
    end = Math.min(end, read.end);
    for (const line of read.records) if (line.offset < end) yield line;
    if (read.next <= from) return; // a page may be empty and go on: records of other scopes are passed over
    from = read.next;
  }
}

export async function partitionCount(call: Call): Promise<number> {
  return (await call.api().get<LogAnswer>(logPath, ['partitions'])).partitions.length;
}

interface Place {
  readonly partition: number | null;
  readonly offset: number;
}

export function placeIn(text: string): Place {
  const [, partition, offset] = /^(?:(\d{1,6}):)?(\d{1,15})$/.exec(text) ?? [];
  if (offset === undefined) throw usage(`--from: expected OFFSET or PARTITION:OFFSET, seen "${text}"`);
  return { partition: partition === undefined ? null : Number(partition), offset: Number(offset) };
}

/** The number given, `all`, or null when nothing is said. */
export function partitionIn(text: string | undefined): number | 'all' | null {
  if (text === undefined || text === 'all') return text ?? null;
  if (!/^\d{1,6}$/.test(text)) throw usage(`--partition: expected a number or all, seen "${text}"`);
  return Number(text);
}

/** The range that the options name, on the gateway: offsets in one partition, the same time in the others. */
export async function rangeOf(call: Call): Promise<LogRange> {
  const { given } = call;
  const text = given.text('from');
  if (text === undefined) throw usage('expected --from PARTITION:OFFSET, or --file with an export');
  const from = placeIn(text);
  const asked = partitionIn(given.text('partition'));
  const start = from.partition ?? (typeof asked === 'number' ? asked : 0);
  if (typeof asked === 'number' && asked !== start) throw usage(`--from names partition ${start}, --partition says ${asked}`);
  const until = untilIn(given.text('until'));
  if (until !== null && 'offset' in until && asked === 'all')
    throw usage('--until: with --partition all expected a time, seen an offset: each partition has its own');
  const { records } = await page(call, { topic: 'inputs', partition: start, from: from.offset }, 1);
  const [first] = records;
  if (first === undefined) throw new Stop(exits.missing, `inputs of partition ${start} have no record at ${from.offset} or behind it`);
  const since = first.value.at;
  const count = asked === 'all' ? await partitionCount(call) : 0;
  return {
    partitions: asked === 'all' ? Array.from({ length: count }, (_, partition) => partition) : [start],
    async *inputs(partition) {
      const begin = partition === start ? from.offset : await firstSince(call, 'inputs', partition, since);
      for await (const line of recordsFrom(call, { topic: 'inputs', partition, from: begin })) {
        if (until !== null && ('offset' in until ? line.offset >= until.offset : line.value.at >= until.at)) return;
        yield line;
      }
    },
    async *facts(partition) {
      const begin = (await firstSince(call, 'facts', partition, since)) - factsBefore;
      yield* recordsFrom(call, { topic: 'facts', partition, from: Math.max(0, begin) });
    },
  };
}

function untilIn(text: string | undefined): { readonly offset: number } | { readonly at: number } | null {
  if (text === undefined) return null;
  if (/^\d{1,15}$/.test(text)) return { offset: Number(text) };
  const at = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw usage(`--until: expected an offset or a time like 2026-11-21T04:00Z, seen "${text}"`);
  return { at };
}

/** Offset of the first record not older than the instant, by halving. */
async function firstSince(call: Call, topic: Topic, partition: number, since: number): Promise<number> {
  const whole = await page(call, { topic, partition, from: 0 }, 1);
  let low = whole.records[0]?.offset ?? 0;
  let high = whole.end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [line] = (await page(call, { topic, partition, from: middle }, 1)).records;
    if (line !== undefined && line.value.at < since) low = Math.max(middle, line.offset) + 1;
    else high = middle;
  }
  return low;
}
