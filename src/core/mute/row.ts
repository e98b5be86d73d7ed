// A silence as the desk keeps it.
import type { Silence } from './facts.ts';

export interface SilenceRow {
  readonly silence: Silence;
  /** Alerts it mutes now, and whether it ever muted one. */
  readonly muting: number;
  readonly used: boolean;
}
