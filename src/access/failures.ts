// Failed logins: counted for each address, so that guessing is slow and whoever reads the log sees it, once and not a thousand times a second.
//   L1  What is kept is bounded, however many addresses knock.
//   L2  The first few failures of an address cost nothing: a token that is being rotated is no attack.
//   L3  An answer is delayed by at most `delayMsMax`; a right credential never waits.
import { minute, type Millis } from '../core/time.ts';

const addressesMax = 1_024;
const windowMs: Millis = minute;
const freeFailures = 5;
const firstDelayMs: Millis = 50;
const linesPerWindow = 30;

export interface Failure {
  /** How long the refusal should wait. */
  readonly delayMs: Millis;
  /** Failures of this address within the last minute, when that is worth a line in the log now; else null. */
  readonly tell: number | null;
}

/** Books one failed login of an address; `steady` gives milliseconds that never go back. */
export type FailedLogins = (address: string) => Failure;

export function createFailedLogins(steady: () => Millis, delayMsMax: Millis): FailedLogins {
  const counts = new Map<string, { since: Millis; failures: number }>();
  const lines = { since: 0, told: 0 };

  return (address) => {
    const now = steady();
    const known = counts.get(address);
    const count = known === undefined || now - known.since >= windowMs ? { since: now, failures: 0 } : known;
    count.failures += 1;
    counts.delete(address); // the one that was heard of longest ago comes first
    counts.set(address, count);
    const [oldest] = counts.keys();
    if (counts.size > addressesMax && oldest !== undefined) counts.delete(oldest); // L1
    return answer(count.failures, now);
  };

  function answer(failures: number, now: Millis): Failure {
    const over = failures - freeFailures; // L2
    const delayMs = over <= 0 ? 0 : Math.min(delayMsMax, firstDelayMs * 2 ** Math.min(over - 1, 10)); // L3
    return { delayMs, tell: isMilestone(failures) && mayTell(now) ? failures : null };
  }

  function mayTell(now: Millis): boolean {
    if (now - lines.since >= windowMs) Object.assign(lines, { since: now, told: 0 });
    lines.told += 1;
    return lines.told <= linesPerWindow;
  }
}

/** 1, 10, 100, … */
function isMilestone(failures: number): boolean {
  return Number.isInteger(Math.log10(failures));
}
