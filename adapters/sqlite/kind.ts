// The embedded store as the registry knows it: one for the gateway, and one for what it takes in while a shared log is away.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../src/ports/clock.ts';
import type { Store } from '../../src/ports/store.ts';
import type { StoreKind } from '../kit/kinds.ts';
import { stateFileOf } from './paths.ts';
import { setAside } from './rescue.ts';
import { sqliteLimits, sqliteStore, type SqliteOptions } from './store.ts';
import { DamagedStore } from './threads.ts';

/** Nobody shares the log of this store. */
const partitions = 1;
/** Little enough that nobody sees it; ten syncs a second in place of hundreds, and pages that change often are written less often. */
const stateRestMs = 100;
const spoolTail = { tailRecordsMax: 1_024, tailBytesMax: 8 * 1_048_576 } as const;

export const sqliteStores: StoreKind = {
  name: 'sqlite',
  open: async ({ clock, dir, use, limits }) =>
    use === 'gateway'
      ? openOrBegin({ path: storeFileIn(dir), partitions, limits: { ...sqliteLimits, stateRestMs, ...limits }, clock })
      : openOrBegin({ path: join(dir, 'spool.db'), partitions, limits: { ...sqliteLimits, stateRestMs, ...limits, ...spoolTail }, clock }),
};

/** A store that is damaged beyond opening is set aside, both files of it: a door that is shut calls nobody. */
async function openOrBegin(options: SqliteOptions & { readonly clock: Pick<Clock, 'now'> }): Promise<Store> {
  try {
    return await sqliteStore(options);
  } catch (error) {
    if (!(error instanceof DamagedStore)) throw error;
    const at = options.clock.now();
    const name = setAside(options.path, at, 'damaged');
    const state = stateFileOf(options.path);
    const besides = existsSync(state) ? ` and ${setAside(state, at, 'damaged')}` : '';
    const aside = `${options.path} was damaged (${error.message}) and is now ${name}${besides}; the gateway began anew without what it held`;
    return sqliteStore({ ...options, aside });
  }
}

/** The gateway's log in a data directory; its state lies beside it (paths.ts). */
export function storeFileIn(dir: string): string {
  return join(dir, 'quench.db');
}
