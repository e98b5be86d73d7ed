// Chance with a seed: the same seed, the same world. Nothing in test/sim draws from anywhere else.

export interface Random {
  /** 0 ≤ x < 1. */
  next(): number;
  chance(probability: number): boolean;
  /** Both ends included. */
  int(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  /** Another stream, so that one part of the world drawing more does not change another. */
  fork(): Random;
}

/** The sfc32 generator, warmed up. */
export function random(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88 + Math.floor(seed / 2 ** 32);
  let c = 0xb7e15162;
  let d = 1;

  function next(): number {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  }

  for (let round = 0; round < 15; round += 1) next();
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    chance: (probability) => next() < probability,
    int,
    pick(items) {
      const picked = items[int(0, items.length - 1)];
      if (picked === undefined) throw new Error('nothing to pick from');
      return picked;
    },
    fork: () => random(int(0, 2 ** 31)),
  };
}
