// Flapping as Nagios computes it: 21 states, 20 possible changes, newer changes weigh more.
// Weights rise linearly from 0.75 (oldest) to 1.25 (newest) and sum to 20, so the value is a percentage.
// Source: Nagios Core 4 base/flapping.c; start and stop thresholds come from policy.

const changesKept = 20;
const oldestWeight = 0.75;
const weightStep = 0.5 / (changesKept - 1);

/** The last changes of one alert, newest in bit 0, plus what the newest state was. */
export interface FlapHistory {
  readonly changes: number;
  readonly firing: boolean;
}

export function noHistory(firing: boolean): FlapHistory {
  return { changes: 0, firing };
}

/** Adds one observed state. Only hard states and soft recoveries are observed, as in Nagios. */
export function observe(history: FlapHistory, firing: boolean): FlapHistory {
  const changed = history.firing === firing ? 0 : 1;
  return { changes: ((history.changes << 1) | changed) & ((1 << changesKept) - 1), firing };
}

/** Weighted share of state changes among the last 20 possible ones, 0–100. */
export function flapPercent(history: FlapHistory): number {
  let sum = 0;
  for (let age = 0; age < changesKept; age += 1) {
    if ((history.changes & (1 << age)) !== 0) sum += oldestWeight + (changesKept - 1 - age) * weightStep;
  }
  return (100 * sum) / changesKept;
}

/** Hysteresis: starts at or above `start`, stops at or below `stop`, and stays as it was between. */
export function isFlapping(was: boolean, percent: number, rule: { readonly startPercent: number; readonly stopPercent: number }): boolean {
  if (percent >= rule.startPercent) return true;
  if (percent <= rule.stopPercent) return false;
  return was;
}
