// What one batch is in the spool: the batch, when it came, and its size; and what becomes of it outside. Pure, but for hashing.
import { hash } from 'node:crypto';
import type { Input } from '../../core/records.ts';
import { everyScope } from '../../core/stamp.ts';
import type { Instant } from '../../core/time.ts';
import type { DeadLetter } from '../../ports/dead-letters.ts';
import type { LogBatch, LogRecord } from '../../ports/event-log.ts';
import { partitionOf } from '../intake/scope.ts';

export interface Entry extends LogBatch {
  readonly at: Instant;
  readonly bytes: number;
}

/** Its place rises from batch to batch, over restarts too. */
export interface SpooledBatch extends LogBatch {
  readonly place: number;
}

export function entryFor({ partition, scope, values, raw }: LogBatch, at: Instant): Entry {
  const bytes = Buffer.byteLength(JSON.stringify(values)) + Buffer.byteLength(raw ?? '');
  return { partition, scope, values, ...(raw === undefined ? {} : { raw }), at, bytes };
}

/** The spool's log is written by the spool only. */
export function entryIn(record: LogRecord): Entry {
  return record.value as Entry;
}

/** The batch as it goes to the shared log, whose number of partitions may have changed since. */
export function batchFor({ partition, scope, values, raw }: Entry, partitions: number): LogBatch {
  const place = scope === everyScope ? partition : partitionOf(scope, partitions);
  return { partition: place, scope, values, ...(raw === undefined ? {} : { raw }) };
}

/**
 * The records that may be with the shared log at once (S2 in spool.ts): up to the first that tells of an alert which another of them tells of;
 * what is not an alert goes alone.
 */
export function windowOf(records: readonly LogRecord[]): readonly LogRecord[] {
  const alerts = new Set<string>();
  for (const [place, record] of records.entries()) {
    const { scope, values } = entryIn(record);
    const keys = (values as readonly Input[]).map((input) => (input.type === 'AlertSeen' ? `${scope}|${input.event.fingerprint}` : null));
    if (keys.includes(null)) return records.slice(0, Math.max(1, place));
    if (keys.some((key) => key !== null && alerts.has(key))) return records.slice(0, place);
    for (const key of keys) if (key !== null) alerts.add(key);
  }
  return records;
}

/** The dead letter of an entry that the shared log never takes. */
export function letterOf({ scope, values, raw, at }: Entry, error: unknown): DeadLetter {
  const [first] = values as readonly Input[];
  return {
    id: `d${hash('sha256', JSON.stringify([scope, values]), 'hex').slice(0, 20)}`,
    at,
    endpoint: first !== undefined && 'endpoint' in first ? first.endpoint : '-',
    source: first?.type === 'AlertSeen' ? first.event.source : 'quench',
    reason: 'too_large',
    message: `accepted while the shared log was away, which does not take it: ${error instanceof Error ? error.message : String(error)}`,
    headers: {},
    body: raw ?? JSON.stringify(values),
    path: '',
    state: 'waiting',
  };
}
