// The log for operators: how far it has come and who works on it, and its records in pages. Reads only; every kind of log alike.
//   O1  A page holds at most 1,000 records and 4 MB, and looks at 5,000 at most: whoever asks for `next` until it is `end` gets to the end.
//   O2  A caller gets the records of its scopes; those of no scope (policies, the emergency stop) are for callers of every scope.
import { GatewayError } from '../../core/errors.ts';
import { giveWay } from '../../engine/async/turns.ts';
import { topics, type EventLog, type LogRecord, type Topic } from '../../ports/event-log.ts';
import type { LogAnswer, LogExtent, LogLine, LogPageAnswer, LogRole } from '../../readmodel/answers.ts';
import { sees } from '../../readmodel/query.ts';
import type { HttpDeps, LogStatus } from '../deps.ts';
import { answer, json, refusal, type Call, type Route } from '../route.ts';
import { object } from '../schema.ts';
import { endpointOf, seesEndpoint } from './received.ts';
import { param } from './view.ts';

const tag = 'log';
const recordsMax = 1_000;
const lookedAtMax = 5_000;
const pageCharsMax = 4_000_000;
/** Read at once: a record may be large, and most pages are full before their count is. */
const readAtOnce = 100;

interface PageQuery {
  readonly from: number;
  readonly limit: number;
  readonly raw: boolean;
}

type LogDeps = Pick<HttpDeps, 'store' | 'logStatus' | 'tenantScopes'>;

export function logRoutes(deps: LogDeps): readonly Route[] {
  const { log } = deps.store;
  return [
    json({
      method: 'get',
      path: '/api/v1/log',
      access: 'read',
      line: 'log',
      scope: 'all',
      tag,
      summary: 'How the log stands: extent of each partition, how far each role has come, and what is worked on here',
      answers: { 200: answer('The figures; `at` and `lag` are null where nobody has told yet.', 'Log') },
      handle: async () => ({ status: 200, body: await figuresOf(log, deps.logStatus) }),
    }),
    json<PageQuery, null>({
      method: 'get',
      path: '/api/v1/log/:topic/:partition',
      access: 'admin',
      line: 'log',
      scope: 'own',
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
        200: answer('Records; `next` is the offset to go on at, `end` the one that the next record will get.', 'LogPage'),
        404: refusal('No such topic or partition.'),
      },
      handle: async (call) => ({ status: 200, body: await pageOf(deps, placeOf(call, log), call) }),
    }),
  ];
}

// ---------------------------------------------------------------- figures

async function figuresOf(log: EventLog, logStatus: LogStatus): Promise<LogAnswer> {
  const [host, effects] = await Promise.all([logStatus.role('host'), logStatus.role('effects')]);
  const partitions = await Promise.all(
    Array.from({ length: log.partitions }, async (_, partition) => {
      const [inputs, facts] = await Promise.all([extentOf(log, 'inputs', partition), extentOf(log, 'facts', partition)]);
      return { partition, inputs, facts, host: roleIn(host, partition, inputs.end), effects: roleIn(effects, partition, facts.end) };
    }),
  );
  const { instance, roles, kind } = logStatus;
  return { instance, roles, log: kind, partitions, spool: spoolOf(logStatus) };
}

function spoolOf({ spool }: LogStatus): LogAnswer['spool'] {
  if (spool === undefined) return null;
  const { records, bytes, oldestMs } = spool();
  return { records, bytes, oldestMs };
}

async function extentOf(log: EventLog, topic: Topic, partition: number): Promise<LogExtent> {
  const end = await log.end(topic, partition);
  const [oldest] = await log.read(topic, partition, 0, 1);
  const first = Math.min(oldest?.offset ?? end, end);
  return { first, end, records: end - first };
}

function roleIn(role: Awaited<ReturnType<LogStatus['role']>>, partition: number, end: number): LogRole {
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

async function pageOf(
  deps: LogDeps,
  { topic, partition }: Place,
  { query, scopes }: Pick<Call<PageQuery>, 'query' | 'scopes'>,
): Promise<LogPageAnswer> {
  const { log } = deps.store;
  const { from, limit, raw } = query;
  const records: LogLine[] = [];
  const end = await log.end(topic, partition);
  let chars = 0;
  let looked = 0;
  let next = from;
  let before: string | null = null;
  const answered = (): LogPageAnswer => ({ records, next, end: looked === 0 ? end : Math.max(end, next) });
  while (records.length < limit && looked < lookedAtMax) {
    // Of a caller of few scopes nobody knows how many of the next are its own.
    const most = scopes === 'all' ? Math.min(readAtOnce, limit - records.length) : readAtOnce;
    const found = await log.read(topic, partition, next, most);
    if (found.length === 0) break;
    for (const record of found) {
      if (records.length === limit) return answered();
      looked += 1;
      if (sees(scopes, record.scope)) {
        const body: string | null = raw && topic === 'inputs' ? await bodyOf(deps, record, scopes) : null;
        const line = lineOf(topic, record, body === before ? null : body);
        chars += JSON.stringify(line).length;
        if (chars > pageCharsMax && records.length > 0) return answered(); // O1
        before = body;
        records.push(line);
      }
      next = record.offset + 1;
    }
    await giveWay();
  }
  return answered();
}

async function bodyOf(deps: LogDeps, { partition, offset, value }: LogRecord, scopes: Call['scopes']): Promise<string | null> {
  const endpoint = endpointOf(value);
  if (scopes !== 'all' && (endpoint === null || !seesEndpoint(deps, endpoint, scopes))) return null;
  return deps.store.log.raw('inputs', partition, offset);
}

/** Written by intake or the host, so the value is an input or a fact. */
function lineOf(topic: Topic, { partition, offset, scope, value }: LogRecord, raw: string | null): LogLine {
  return { topic, partition, offset, scope, value: value as LogLine['value'], ...(raw === null ? {} : { raw }) };
}
