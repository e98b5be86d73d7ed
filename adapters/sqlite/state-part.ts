// What a group of requests changes in the state's file: checkpoints, cursors, and the read model.
import type { DatabaseSync } from 'node:sqlite';
import { checkpointWriter } from './checkpoint-writer.ts';
import type { LedgerPart } from './ledger.ts';
import { prober } from './probe.ts';
import type { StateRequest } from './requests.ts';
import { giveBack } from './vacuum.ts';
import { viewWriter } from './viewwriter.ts';

export function statePart(db: DatabaseSync): LedgerPart<StateRequest> {
  const checkpoints = checkpointWriter(db);
  const views = viewWriter(db);
  const saveCursor = db.prepare('INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)');
  const probe = prober(db);

  function prune(before: number, docsMax: number): number {
    const gone = views.prune(before, docsMax);
    giveBack(db);
    return gone;
  }

  return {
    begin() {},
    reload() {},
    isOneStatement: () => false,
    perform(request) {
      switch (request.type) {
        case 'checkpoint':
          return checkpoints.save(request);
        case 'views':
          return views.apply(request);
        case 'cursor':
          saveCursor.run(request.name, request.partition, request.offset);
          return 0;
        case 'probe':
          return probe();
        case 'prune':
          return prune(request.before, request.docsMax);
        default:
          return request satisfies never;
      }
    },
  };
}
