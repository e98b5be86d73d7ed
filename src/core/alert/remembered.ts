// What is remembered of an identity whose alert is not on the desk: its episodes that are over. It is written when an alert leaves the desk,
// and when an end is told of an alert that was never seen. A late problem of such an episode opens nothing.
//   M1  Bounded: at most 20,000 identities a scope, those heard of longest ago leave first; after a week it counts no more.
//   M2  An identity has a row here or one among the alerts, never both: whoever becomes an alert takes what is remembered along.
import { emit, type TurnContext } from '../context.ts';
import { day, type Millis } from '../time.ts';
import type { Remembered } from './row.ts';

export const rememberedMax = 20_000;
const rememberedSwept = 5_000;
export const rememberedMs: Millis = 7 * day;

/** What still counts of it. */
export function rememberedOf({ desk, at }: TurnContext, fingerprint: string): Remembered | undefined {
  const row = desk.tables.remembered.rows.get(fingerprint);
  return row === undefined || at - row.at > rememberedMs ? undefined : row;
}

/** M1 */
export function forgetOldest(ctx: TurnContext): void {
  const { rows } = ctx.desk.tables.remembered;
  if (rows.size < rememberedMax) return;
  const oldest = [...rows].sort((a, b) => a[1].at - b[1].at || (a[0] < b[0] ? -1 : 1));
  emit(ctx, { type: 'DeskSwept', table: 'remembered', keys: oldest.slice(0, rememberedSwept).map(([key]) => key) });
}
