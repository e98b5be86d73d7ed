// Which of the calls that wait may go to the executor process: looks have slots apart from steps, and no playbook takes all of either.
// Pure; who waits longest is asked first (client.ts).
//   L1  Steps, however slow and many, hold up no look; looks hold up no step.
//   L2  A quarter of the slots of each kind is kept for other playbooks than the one that has the most.

/** What a call is for. */
export interface Lane {
  /** It changes nothing: a look before acting, or a proof afterwards. */
  readonly isLook: boolean;
  /** Empty where nobody said. */
  readonly playbook: string;
}

export const anyLane: Lane = { isLook: false, playbook: '' };

/** Slots for looks, where there are so many for steps. */
export function looksMax(stepsMax: number): number {
  return Math.max(1, Math.floor(stepsMax / 2));
}

/** Whether a call may be begun beside those that run; `stepsMax` steps at once. */
export function hasRoom(running: Iterable<Lane>, { isLook, playbook }: Lane, stepsMax: number): boolean {
  const max = isLook ? looksMax(stepsMax) : stepsMax;
  const share = playbook === '' ? max : max - Math.floor(max / 4); // L2
  let all = 0;
  let own = 0;
  for (const lane of running) {
    if (lane.isLook !== isLook) continue; // L1
    all += 1;
    if (lane.playbook === playbook) own += 1;
  }
  return all < max && own < share;
}
