// How long things of a run may take: a call beside its own time, and the whole of it, from its document: every call at its limit, every
// repeat used, every wait waited.
// The longest bounds how long a run may hold its resource; nothing else rests on it.
import type { ActionCall, Playbook } from '../playbook/document.ts';
import { minute, second, type Millis } from '../time.ts';

/** How long a call may wait for a worker. */
export const claimWithinMs = 30 * second;
/** How long a call may wait for a slot, from when a worker said that it has to. */
export const slotWithinMs = minute;
/** From the grant: a worker begins within 10 s of its claim (engine/effects), so that by then it has ended whatever it began. */
export const answerGraceMs = 15 * second;
/** What a call may take beside its own time, from being asked for to its end. */
const callMarginMs: Millis = claimWithinMs + slotWithinMs + answerGraceMs;

/** What restarts and hand-overs between gateways may take on top. */
const marginMs: Millis = 10 * minute;

/** How long a run may hold its resource. */
export function longestOf(playbook: Playbook): Millis {
  const { diagnose, steps, verify, guards, mode } = playbook;
  let total = marginMs + lastCallMs(playbook) + (mode === 'approve' ? guards.approveWithinMs : 0);
  for (const item of diagnose) if (item.kind === 'look') total += spanOf(item);
  for (const step of steps) {
    const { times, waitMaxMs } = step.retry;
    total += spanOf(step) * (times + 1) + waitMaxMs * times + (step.undo === null ? 0 : spanOf(step.undo));
  }
  for (const proof of verify.proofs) if (proof.kind === 'probe') total += spanOf(proof);
  return total + verify.withinMs + verify.stableForMs + verify.everyMs;
}

/** How long before the end of its hold a run begins nothing any more: what it begins must have ended by then. */
export function lastCallMs({ steps }: Playbook): Millis {
  return Math.max(callMarginMs, ...steps.flatMap((step) => [spanOf(step), step.undo === null ? 0 : spanOf(step.undo)]));
}

function spanOf({ timeoutMs }: Pick<ActionCall, 'timeoutMs'>): Millis {
  return timeoutMs + callMarginMs;
}
