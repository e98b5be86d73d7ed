// Flapping: an alert that comes and goes. Judged by its changes and when they came, never by how often its source repeats a state, so that
// sources that tell changes only and sources that repeat are judged alike.
// Nagios weighs the newest of 20 possible changes 1.25 and the oldest 0.75; here a change weighs the less the older it is, and after half
// an hour nothing. Start and stop thresholds come from policy.
//   F1  Only a change begins it; being steady for the policy's span ends it, firing or not.
import { clockSpan, minute, type Instant, type Millis } from '../time.ts';

/** Changes older than this weigh nothing. */
export const flapWindowMs: Millis = 30 * minute;

/** How long it must be steady when the policy does not say (policies of 0.1.0). */
export const steadyMsDefault: Millis = 5 * minute;

const changesKept = 40;
const fullChanges = 20;
const newestWeight = 1.25;
const oldestWeight = 0.75;

/** The newest state, and when it changed: oldest first, at most forty, none much older than the window; our clock. */
export interface FlapHistory {
  /** 0.1.0: the last changes as bits; nothing reads it. */
  readonly changes: number;
  readonly firing: boolean;
  /** Absent while nothing has changed. */
  readonly times?: readonly Instant[];
}

export function noHistory(firing: boolean): FlapHistory {
  return { changes: 0, firing };
}

/** Adds one observed state. Only hard states and soft recoveries are observed, as in Nagios. */
export function observe(history: FlapHistory, firing: boolean, at: Instant): FlapHistory {
  if (history.firing === firing) return history;
  const kept = (history.times ?? []).filter((time) => at - time <= flapWindowMs);
  return { ...history, firing, times: [...kept, at].slice(-changesKept) };
}

/** Weighted share of changes, 0–100: twenty changes of this moment are more than all. */
export function flapPercent({ times = [] }: FlapHistory, now: Instant): number {
  let sum = 0;
  for (const time of times) {
    const age = Math.max(0, now - time);
    if (age <= flapWindowMs) sum += newestWeight - ((newestWeight - oldestWeight) * age) / flapWindowMs;
  }
  return Math.min(100, (100 * sum) / fullChanges);
}

/** When its state last changed; null when it never did. */
export function lastChange({ times = [] }: FlapHistory): Instant | null {
  return times.at(-1) ?? null;
}

/** `9 times in 4 min, down 50 % of the time`: up to its last change, when it has been steady since. */
export function flapText({ times = [], firing }: FlapHistory, until: Instant): string {
  const first = times[0] ?? until;
  const span = Math.max(1, until - first);
  let down = 0;
  for (const [place, time] of times.entries()) {
    const wasFiring = (times.length - place) % 2 === 1 ? firing : !firing; // the newest change led to the present state
    if (wasFiring) down += Math.max(0, (times[place + 1] ?? until) - time);
  }
  return `${Math.ceil(times.length / 2)} times in ${clockSpan(span)}, down ${Math.round((100 * down) / span)} % of the time`;
}
