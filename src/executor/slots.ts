// Who may begin a call, and who waits: looks have slots apart from steps, and no playbook takes all of either.
// Knows nothing of calls: a slot is taken before a call is claimed, so that waiting is over before any permission to act begins.
//   L1  Steps, however slow and many, hold up no look; looks hold up no step.
//   L2  A quarter of the slots of each kind is kept for other playbooks than the one that has the most.
//   L3  Who waits longest is given the next slot that it may have; how many wait is bounded.

/** What a call is for. */
export interface Lane {
  /** It changes nothing: a look before acting, or a proof afterwards. */
  readonly isLook: boolean;
  /** Empty where nobody said. */
  readonly playbook: string;
}

export const anyLane: Lane = { isLook: false, playbook: '' };

export interface Slot {
  readonly lane: Lane;
  /** Once is enough; again does nothing. */
  free(): void;
}

interface Waiting {
  readonly lane: Lane;
  readonly give: (slot: Slot | null) => void;
}

/** Slots for looks, where there are so many for steps. */
export function looksMax(stepsMax: number): number {
  return Math.max(1, Math.floor(stepsMax / 2));
}

/** What takes the slots that a call of the lane may have, beside those that are taken, in words; null when there is one. */
export function crowdOf(taken: Iterable<Lane>, { isLook, playbook }: Lane, stepsMax: number): string | null {
  const max = isLook ? looksMax(stepsMax) : stepsMax;
  const share = playbook === '' ? max : max - Math.floor(max / 4); // L2
  let all = 0;
  let own = 0;
  for (const lane of taken) {
    if (lane.isLook !== isLook) continue; // L1
    all += 1;
    if (lane.playbook === playbook) own += 1;
  }
  const kind = isLook ? 'looks' : 'steps';
  if (all >= max) return `${all} ${kind} are under way, the most at once`;
  return own >= share ? `${own} ${kind} of ${playbook} are under way, the most of one playbook` : null;
}

/** `stepsMax` steps at once; none is given while closed, which is how it begins. */
export class Slots {
  readonly #stepsMax: number;
  readonly #waitingMax: number;
  readonly #taken = new Set<Slot>();
  readonly #waiting = new Set<Waiting>();
  #closedBecause: string | null = 'the executor process starts';

  constructor(stepsMax: number, waitingMax: number) {
    this.#stepsMax = stepsMax;
    this.#waitingMax = waitingMax;
  }

  open(): void {
    this.#closedBecause = null;
    this.#next();
  }

  /** What is taken stays taken. */
  close(why: string): void {
    this.#closedBecause = why;
  }

  /** Nobody is given one any more. */
  end(): void {
    this.close('the executor is closed');
    for (const { give } of this.#waiting) give(null);
    this.#waiting.clear();
  }

  take(lane: Lane, calledOff: AbortSignal, onWaits: (why: string) => void): Promise<Slot | null> {
    if (calledOff.aborted) return Promise.resolve(null);
    const why = this.#closedBecause ?? crowdOf(this.#lanes(), lane, this.#stepsMax);
    if (why === null) return Promise.resolve(this.#give(lane));
    if (this.#waiting.size >= this.#waitingMax) {
      onWaits(`${why}, and ${this.#waiting.size} calls wait, the most that may`); // L3
      return Promise.resolve(null);
    }
    onWaits(why);
    return new Promise((resolve) => {
      const leave = (): void => waiting.give(null);
      const waiting: Waiting = {
        lane,
        give: (slot) => {
          calledOff.removeEventListener('abort', leave);
          this.#waiting.delete(waiting);
          resolve(slot);
        },
      };
      this.#waiting.add(waiting);
      calledOff.addEventListener('abort', leave, { once: true });
    });
  }

  #lanes(): Iterable<Lane> {
    return this.#taken.values().map(({ lane }) => lane);
  }

  #give(lane: Lane): Slot {
    const slot: Slot = {
      lane,
      free: () => {
        if (this.#taken.delete(slot)) this.#next();
      },
    };
    this.#taken.add(slot);
    return slot;
  }

  /** Each that may have one, oldest first. */
  #next(): void {
    for (const { lane, give } of this.#waiting) {
      if (this.#closedBecause !== null) return;
      if (crowdOf(this.#lanes(), lane, this.#stepsMax) === null) give(this.#give(lane));
    }
  }
}
