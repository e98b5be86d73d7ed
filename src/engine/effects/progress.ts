// How far the cursor of effects may go: behind every batch of facts whose work has ended. Pure bookkeeping; saving the cursor is effects.ts.
//   X5  The cursor stays before whatever was left undone, for whoever is next (F2 in tail.ts).

export interface Progress {
  /** Work on the newest fact has begun; its ticket. */
  begin(): number;
  end(ticket: number): void;
  /** Every fact up to `end` was taken; what they ask for has begun, or was done. */
  taken(end: number): void;
  /** Something was not done, and is another worker's to do: from here on nothing passes. */
  leaveUndone(): void;
  place(offset: number): void;
  /** Offset behind the last batch that is done with. */
  passed(): number;
}

export function createProgress(): Progress {
  const open = new Set<number>();
  const barriers: { readonly before: number; readonly end: number }[] = [];
  let ticket = 0;
  let passed = 0;
  let isLeftUndone = false;
  return {
    begin() {
      const mine = ticket;
      ticket += 1;
      open.add(mine);
      return mine;
    },
    end: (mine) => void open.delete(mine),
    taken: (end) => void barriers.push({ before: ticket, end }),
    leaveUndone: () => void (isLeftUndone = true),
    place: (offset) => void (passed = offset),
    passed() {
      if (isLeftUndone) return passed; // X5
      const oldest = open.values().next().value ?? ticket;
      while (barriers[0] !== undefined && barriers[0].before <= oldest) passed = barriers.shift()?.end ?? passed;
      return passed;
    },
  };
}
