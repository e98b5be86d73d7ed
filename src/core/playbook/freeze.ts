// The emergency stop: every freeze that was given, by whom, why and until when. It holds while any of them does; thawing ends them all.
//   Z1  A freeze never takes away another: who gives the same reason again moves its end, everybody else adds one.
//   Z2  Whether one is over is asked at the time of the input, so no timer has to ring for playbooks to act again.
import { clockOf, type Instant } from '../time.ts';

export interface Freeze {
  readonly by: string;
  readonly reason: string;
  /** When it was given; null of one that 0.1.0 wrote down. */
  readonly at: Instant | null;
  /** Its end; null: until somebody thaws. */
  readonly until: Instant | null;
}

/** What was written down: `by` and `reason` are those of the oldest. */
export interface Frozen {
  readonly by: string;
  readonly reason: string;
  /** Missing of what 0.1.0 wrote down. */
  readonly freezes?: readonly Freeze[];
}

/** Those that last longest are kept when there are more. */
export const freezesMax = 20;

/** The freezes that hold at the instant, oldest first. */
export function freezesOf(frozen: Frozen | null, at: Instant): readonly Freeze[] {
  if (frozen === null) return [];
  const all = frozen.freezes ?? [{ by: frozen.by, reason: frozen.reason, at: null, until: null }];
  return all.filter(({ until }) => until === null || until > at);
}

/** What holds at the instant, or null (Z2). */
export function frozenAt(frozen: Frozen | null, at: Instant): Frozen | null {
  return frozenOf(freezesOf(frozen, at));
}

/** With one freeze more (Z1). */
export function frozenWith(frozen: Frozen | null, freeze: Freeze & { readonly at: Instant }): Frozen {
  const { by, reason, at, until } = freeze;
  const known = freezesOf(frozen, at);
  const same = known.findIndex((one) => one.by === by && one.reason === reason);
  const next = same < 0 ? [...known, freeze] : known.with(same, { by, reason, at: known[same]?.at ?? at, until });
  const kept = next.length <= freezesMax ? next : next.filter((one) => one !== soonestOver(next));
  return frozenOf(kept) ?? { by, reason, freezes: [freeze] };
}

/** In words: `by anna: deploy, until 14:00 UTC; by bob: fire`. */
export function saidOf(frozen: Frozen): string {
  const freezes = frozen.freezes ?? [{ by: frozen.by, reason: frozen.reason, at: null, until: null }];
  return freezes.map(({ by, reason, until }) => `by ${by}: ${reason}${until === null ? '' : `, until ${clockOf(until)}`}`).join('; ');
}

function frozenOf(freezes: readonly Freeze[]): Frozen | null {
  const [oldest] = freezes;
  return oldest === undefined ? null : { by: oldest.by, reason: oldest.reason, freezes };
}

function soonestOver(freezes: readonly Freeze[]): Freeze | undefined {
  return freezes.toSorted((a, b) => (a.until ?? Infinity) - (b.until ?? Infinity))[0];
}
