// A few places for work that would otherwise all begin at once: whoever finds none waits, first come, first served.
export interface Slots {
  /** Resolves with how to give the place back, or with null when `cut` aborted before there was one. */
  take(cut: AbortSignal): Promise<(() => void) | null>;
}

/** So many at a time. */
export function createSlots(max: number): Slots {
  let taken = 0;
  /** In the order of asking. */
  const waiting = new Set<() => void>();

  function release(): void {
    const [next] = waiting;
    if (next === undefined) taken -= 1;
    else next(); // the place goes to who waits
  }

  return {
    take(cut) {
      if (cut.aborted) return Promise.resolve(null);
      if (taken < max) {
        taken += 1;
        return Promise.resolve(release);
      }
      return new Promise((resolve) => {
        const leave = (answer: (() => void) | null): void => {
          waiting.delete(grant);
          cut.removeEventListener('abort', giveUp);
          resolve(answer);
        };
        const grant = (): void => leave(release);
        const giveUp = (): void => leave(null);
        waiting.add(grant);
        cut.addEventListener('abort', giveUp);
      });
    },
  };
}
