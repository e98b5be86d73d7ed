// Waits of one partition: a heap of tokens, woken on the steady clock, answered by Woke inputs.
// Keeps no truth: desks hold what they wait for, a token nobody awaits is ignored, so cancelling needs no code.
//   W1  A clock that jumps neither hastens nor delays a wait that is running; after a restart no wait is longer than it was asked.
import type { Millis } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';

interface Wait {
  readonly due: number;
  readonly scope: string;
  readonly token: string;
}

export interface Timers {
  arm(scope: string, token: string, afterMs: Millis): void;
  readonly size: number;
  stop(): void;
}

const sleepMaxMs = 60_000;
const firedAtOnce = 512;

/** `fire` gets what is due, at most 512 at a time, and must not throw. */
export function createTimers(clock: Clock, fire: (due: readonly { readonly scope: string; readonly token: string }[]) => void): Timers {
  const heap: Wait[] = [];
  let cancel: (() => void) | null = null;
  let stopped = false;

  function schedule(): void {
    cancel?.();
    cancel = null;
    const first = heap[0];
    if (first === undefined || stopped) return;
    const wait = Math.min(sleepMaxMs, Math.max(0, first.due - clock.steady()));
    cancel = clock.after(wait, ring);
  }

  function ring(): void {
    cancel = null;
    const due: Wait[] = [];
    while (due.length < firedAtOnce && heap[0] !== undefined && heap[0].due <= clock.steady()) due.push(pop(heap));
    if (due.length > 0) fire(due);
    schedule();
  }

  return {
    arm(scope, token, afterMs) {
      const wait = { due: clock.steady() + afterMs, scope, token };
      push(heap, wait);
      if (heap[0] === wait) schedule();
    },
    get size() {
      return heap.length;
    },
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}

function push(heap: Wait[], wait: Wait): void {
  heap.push(wait);
  let child = heap.length - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (!swapIfLater(heap, parent, child)) return;
    child = parent;
  }
}

function pop(heap: Wait[]): Wait {
  const first = heap[0] as Wait; // the caller looked at it
  const last = heap.pop() as Wait;
  if (heap.length === 0) return first;
  heap[0] = last;
  let parent = 0;
  for (;;) {
    const left = 2 * parent + 1;
    const right = left + 1;
    const lesser = right < heap.length && dueAt(heap, right) < dueAt(heap, left) ? right : left;
    if (lesser >= heap.length || !swapIfLater(heap, parent, lesser)) return first;
    parent = lesser;
  }
}

function dueAt(heap: readonly Wait[], index: number): number {
  return heap[index]?.due ?? Number.POSITIVE_INFINITY;
}

function swapIfLater(heap: Wait[], parent: number, child: number): boolean {
  const above = heap[parent];
  const below = heap[child];
  if (above === undefined || below === undefined || above.due <= below.due) return false;
  heap[parent] = below;
  heap[child] = above;
  return true;
}
