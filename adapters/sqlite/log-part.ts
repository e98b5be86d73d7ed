// What a group of requests changes in the log's file: records, and dead letters.
import type { DatabaseSync } from 'node:sqlite';
import type { LedgerPart } from './ledger.ts';
import { letterWriter } from './letter-writer.ts';
import { logWriter, type LogWriter } from './log-writer.ts';
import type { LogOptions, LogRequest } from './requests.ts';
import { prober } from './probe.ts';

export type LogPart = LedgerPart<LogRequest> & Pick<LogWriter, 'positions' | 'placeAll'>;

export function logPart(db: DatabaseSync, options: LogOptions): LogPart {
  const log = logWriter(db, options);
  const letters = letterWriter(db, options);
  const probe = prober(db);
  return {
    positions: log.positions,
    placeAll: log.placeAll,
    begin: log.begin,
    reload() {
      log.reload();
      letters.reload();
    },
    isOneStatement: ({ type }) => type === 'append' || type === 'keep',
    perform(request) {
      switch (request.type) {
        case 'append':
        case 'keep':
          return log.append(request);
        case 'place':
          return log.place(request.slot, request.batches);
        case 'probe':
          return log.refusal() ?? probe();
        case 'letter':
          return letters.add(request);
        case 'mark':
          return letters.mark(request.id, request.state);
        case 'trim':
          return log.trim(request.slot, request.below, request.batchesMax);
        default:
          return request satisfies never;
      }
    },
  };
}
