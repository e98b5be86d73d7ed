// New alerts of a scope are counted in two half windows, for storms. Decides nothing.
import { metaOf, type Desk } from '../desk.ts';
import { put } from '../table.ts';

/** Counts one new alert in the half window with this number; a fact carries the number, so that folding needs no policy. */
export function countNew(desk: Desk, half: number): void {
  const meta = metaOf(desk);
  const next =
    half === meta.half
      ? { halfCount: meta.halfCount + 1 }
      : { half, halfCount: 1, lastHalfCount: half === meta.half + 1 ? meta.halfCount : 0 };
  put(desk.tables.meta, 'desk', { ...meta, ...next });
}
