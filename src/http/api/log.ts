// The log for operators: how far it has come and who works on it, and its records in pages. Reads only; every kind of log alike.
//   O1  A page holds at most 1,000 records and 4 MB, and at least one record where there is one: whoever asks for `next` gets to the end.
import { GatewayError } from '../../core/errors.ts';
import type { EventLog, LogRecord, Topic } from '../../ports/event-log.ts';
import type { HttpDeps, Standing } from '../deps.ts';
import { json, object, type Call, type Route } from '../route.ts';
import { param } from './view.ts';

const tag = 'log';
const recordsMax = 1_000;
const pageCharsMax = 4_000_000;
/** Read at once: a record may be large, and most pages are full before their count is. */
const readAtOnce = 100;
const topics: readonly Topic[] = ['inputs', 'facts'];

interface PageQuery {
  readonly from: number;
  readonly limit: number;
  readonly raw: boolean;
}

export function logRoutes({ store: { log }, standing }: Pick<HttpDeps, 'store' | 'standing'>): readonly Route[] {
  return [
    json({
      method: 'get',
      path: '/api/v1/log',
      access: 'read',
      tag,
      summary: 'How the log stands: extent of each partition, how far each role has come, and what is worked on here',
      answers: { 200: 'The figures; `at` and `lag` are null where nobody has told yet.' },
      handle: async () => ({ status: 200, body: await statsOf(log, standing) }),
    }),
    json<PageQuery, null>({
      method: 'get',
      path: '/api/v1/log/:topic/:partition',
      access: 'admin',
      tag,
      summary: 'Records of one partition, oldest first; deliveries and facts may hold what is not for everybody',
      query: object({
        from: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0, description: 'The offset to begin at' },
        limit: { type: 'integer', minimum: 1, maximum: recordsMax, default: 100 },
        raw: {
          type: 'boolean',
          default: false,
          description: 'With the delivery behind an input, where it is another than that of the record before',
        },
      }),
      answers: {
        200: 'Records; `next` is the offset to go on at, `end` the one that the next record will get.',
        404: 'No such topic or partition.',
      },
      handle: async (call) => ({ status: 200, body: await pageOf(log, placeOf(call, log), call.query) }),
    }),
  ];
}

// ---------------------------------------------------------------- figures

async function statsOf(log: EventLog, standing: Standing): Promise<object> {
  const [host, effects] = await Promise.all([standing.role('host'), standing.role('effects')]);
  const partitions = await Promise.all(
    Array.from({ length: log.partitions }, async (_, partition) => {
      const [inputs, facts] = await Promise.all([extentOf(log, 'inputs', partition), extentOf(log, 'facts', partition)]);
      return { partition, inputs, facts, host: roleIn(host, partition, inputs.end), effects: roleIn(effects, partition, facts.end) };
    }),
  );
  const { instance, roles, kind } = standing;
  return { instance, roles, log: kind, partitions, spool: standing.spool?.() ?? null };
}

async function extentOf(log: EventLog, topic: Topic, partition: number): Promise<{ first: number; end: number; records: number }> {
  const end = await log.end(topic, partition);
  const [oldest] = await log.read(topic, partition, 0, 1);
  const first = Math.min(oldest?.offset ?? end, end);
  return { first, end, records: end - first };
}

function roleIn(
  role: Awaited<ReturnType<Standing['role']>>,
  partition: number,
  end: number,
): { readonly here: boolean; readonly at: number | null; readonly lag: number | null } {
  const at = role.reached.get(partition) ?? null;
  const lag = role.lags.get(partition) ?? (at === null ? null : Math.max(0, end - at));
  return { here: role.here.has(partition), at, lag };
}

// ---------------------------------------------------------------- records

interface Place {
  readonly topic: Topic;
  readonly partition: number;
}

function placeOf(call: Pick<Call, 'params'>, log: EventLog): Place {
  const name = param(call, 'topic');
  const topic = topics.find((one) => one === name);
  if (topic === undefined) throw new GatewayError('not_found', `expected the topic inputs or facts, seen "${name.slice(0, 40)}"`);
  const text = param(call, 'partition');
  const partition = /^\d{1,6}$/.test(text) ? Number(text) : -1;
  if (partition < 0 || partition >= log.partitions)
    throw new GatewayError('not_found', `expected a partition from 0 to ${log.partitions - 1}, seen "${text.slice(0, 40)}"`);
  return { topic, partition };
}

async function pageOf(log: EventLog, { topic, partition }: Place, { from, limit, raw }: PageQuery): Promise<object> {
  const records: object[] = [];
  const end = await log.end(topic, partition);
  let chars = 0;
  let next = from;
  let before: string | null = null;
  while (records.length < limit) {
    const found = await log.read(topic, partition, next, Math.min(readAtOnce, limit - records.length));
    if (found.length === 0) break;
    for (const record of found) {
      const body: string | null = raw && topic === 'inputs' ? await log.raw(topic, partition, record.offset) : null;
      const shown = shownOf(topic, record, body === before ? null : body);
      chars += JSON.stringify(shown).length;
      if (chars > pageCharsMax && records.length > 0) return { records, next, end: Math.max(end, next) }; // O1
      before = body;
      records.push(shown);
      next = record.offset + 1;
    }
  }
  return { records, next, end: records.length === 0 ? end : Math.max(end, next) };
}

function shownOf(topic: Topic, { partition, offset, scope, value }: LogRecord, raw: string | null): object {
  return { topic, partition, offset, scope, value, ...(raw === null ? {} : { raw }) };
}
