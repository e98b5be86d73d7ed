// JSON Schemas of the log as the API shows it.
import type { LogAnswer, LogExtent, LogLine, LogPageAnswer, LogPartition, LogRole } from '../readmodel/answers.ts';
import { closed, integer, listOf, nullable, text, truth, words, type SchemaOf } from '../readmodel/schema.ts';
import { ref, type Schema } from './schema.ts';

const extent = closed<LogExtent>({ first: integer, end: integer, records: integer });
const role = closed<LogRole>({ here: truth, at: nullable(integer), lag: nullable(integer) });

/** Inputs and facts are told by their type; their members are the log's own, and may grow. */
const record: SchemaOf<LogLine['value']> = {
  type: 'object',
  required: ['type', 'at'],
  properties: { type: text, at: integer },
  additionalProperties: true,
};

export const logComponents: { readonly [name: string]: Schema } = {
  Log: closed<LogAnswer>({
    instance: text,
    roles: listOf(text),
    log: text,
    partitions: listOf(closed<LogPartition>({ partition: integer, inputs: extent, facts: extent, host: role, effects: role })),
    spool: nullable(closed<NonNullable<LogAnswer['spool']>>({ records: integer, bytes: integer, oldestMs: nullable(integer) })),
  }),
  LogLine: closed<LogLine>(
    { topic: words(['inputs', 'facts']), partition: integer, offset: integer, scope: text, value: record, raw: text },
    ['raw'],
  ),
  LogPage: closed<LogPageAnswer>({ records: listOf(ref<LogLine>('LogLine')), next: integer, end: integer }),
};
