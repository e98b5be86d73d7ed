// A bell: something happened, look again. For loops that have nothing to do until somebody says so.
// Carries no news and counts no rings: whoever hears it looks for himself, so a ring too many costs one look.
//   B1  `next` asked before looking is heard for whatever happens after the look: no ring between the two is lost.

export interface Bell {
  ring(): void;
  /** Resolves at the first ring after this call; everybody who waits hears the same ring. */
  next(): Promise<void>;
}

export function createBell(): Bell {
  let waiting: PromiseWithResolvers<void> | null = null;
  return {
    ring() {
      waiting?.resolve();
      waiting = null;
    },
    next() {
      waiting ??= Promise.withResolvers<void>();
      return waiting.promise; // B1
    },
  };
}
