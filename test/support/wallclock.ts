// Two clocks for tests of the shell: the machine's, and one whose timers ring only when the test says so.
import type { Clock } from '../../src/ports/clock.ts';

export const wallClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(span, call) {
    const timer = setTimeout(call, span);
    return () => clearTimeout(timer);
  },
};

/** `ring` fires every waiting timer at once; `waiting` counts them. */
export function handClock(now: number): Clock & { ring(): void; readonly waiting: () => number } {
  const timers = new Set<() => void>();
  return {
    now: () => now,
    steady: () => now,
    after(_span, call) {
      timers.add(call);
      return () => timers.delete(call);
    },
    ring() {
      const due = [...timers];
      timers.clear();
      for (const call of due) call();
    },
    waiting: () => timers.size,
  };
}
