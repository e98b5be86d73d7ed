// The escalation ladder as data: who is told, in which order, how long each rung has. ring.ts climbs it.
import type { Millis } from '../time.ts';

export interface Rung {
  /** Names of notifiers in the policy, rung together. Never empty. */
  readonly notify: readonly string[];
  /** How long this rung has before the next one rings. */
  readonly waitMs: Millis;
}

export interface Ladder {
  readonly name: string;
  readonly rungs: readonly Rung[];
  /** Times the whole ladder is climbed again after its end; 0–9. */
  readonly repeat: number;
  /** After an acknowledgement, ring again if the incident is still open; 0 = never. */
  readonly ackTimeoutMs: Millis;
}
