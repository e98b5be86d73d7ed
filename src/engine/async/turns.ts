// The turns of the event loop, shared out among all that do long work in slices: between two slices each gives way here. Deliveries and the
// answer whether the process is alive never wait here: they are what way is given to.
//   T1  In one turn of the event loop one of those who wait goes on, so that what others wait for is as long as one slice, however many there are.
//   T2  They go on in the order in which they gave way.

/** Resolves in a later turn of the event loop, when everybody who gave way before has gone on. */
export type GiveWay = () => Promise<void>;

export function createTurns(): GiveWay {
  const waiting: (() => void)[] = [];

  function turn(): void {
    waiting.shift()?.(); // T2
    if (waiting.length > 0) setImmediate(turn); // T1
  }

  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(turn);
    });
}

/** There is one event loop, so whoever shares it must share this. */
export const giveWay: GiveWay = createTurns();
