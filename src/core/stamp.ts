// What every record of the log carries: its scope and its time, and a fact also its number within the scope.
import type { Instant } from './time.ts';

export interface InputBase {
  readonly scope: string;
  /** Stamped once, by intake. */
  readonly at: Instant;
}

/** Scope of inputs that concern the whole partition (policy, freeze), not one desk. */
export const everyScope = '*';

export interface FactBase {
  readonly scope: string;
  readonly seq: number;
  readonly at: Instant;
}
