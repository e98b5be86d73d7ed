// The embedded store as the registry knows it: one SQLite file for the gateway, and one for what it takes in while a shared log is away.
import { join } from 'node:path';
import type { StoreKind } from '../kit/kinds.ts';
import { sqliteLimits, sqliteStore } from './store.ts';

/** Nobody shares the log of this store. */
const partitions = 1;
const spoolTail = { tailRecordsMax: 1_024, tailBytesMax: 8 * 1_048_576 } as const;

export const sqliteStores: StoreKind = {
  name: 'sqlite',
  open: async ({ clock, dir, use, limits }) =>
    use === 'gateway'
      ? sqliteStore({ path: storeFileIn(dir), partitions, limits: { ...sqliteLimits, ...limits }, clock })
      : sqliteStore({ path: join(dir, 'spool.db'), partitions, limits: { ...sqliteLimits, ...limits, ...spoolTail }, clock }),
};

/** The gateway's file in a data directory. */
export function storeFileIn(dir: string): string {
  return join(dir, 'quench.db');
}
