// Virtual time for whole worlds: thousands of events a second of real time, in one order for one seed.
//   V1  Between two events every promise has settled: nothing in a simulated world waits for anything but promises and this clock.
//   V2  The steady clock never jumps; the wall clock does when told.
import type { Clock } from '../../src/core/ports.ts';
import type { Instant, Millis } from '../../src/core/time.ts';
import { someday } from '../support/clock.ts';

/** The service looks at its lag ten times a second. Such a look may be late, as timers are: it rings with whatever comes next. */
const pollMs: Millis = 100;
const isPoll = (span: Millis, call: () => void): boolean => span === pollMs && String(call).includes('measureLag');

interface Wait {
  readonly due: Millis;
  readonly order: number;
  readonly owner: { alive: boolean };
  call: (() => void) | null;
}

export interface SimClock extends Clock {
  jump(span: Millis): void;
  /** The clock as one process sees it; the timers of a killed one never ring. */
  mortal(): { readonly clock: Clock; kill(): void };
  /** Lets time pass until the steady clock shows `until`; `settled` is called behind each event. */
  run(until: Millis, settled: () => void): Promise<void>;
}

export function simClock(start: Instant = someday): SimClock {
  let steady = 0;
  let offset = start;
  let order = 0;
  const world = { alive: true };
  const heap: Wait[] = [];
  let polls: Wait[] = [];

  function add(owner: { alive: boolean }, span: Millis, call: () => void): () => void {
    const wait: Wait = { due: steady + Math.max(0, span), order: (order += 1), owner, call };
    if (isPoll(span, call)) polls.push(wait);
    else push(heap, wait);
    return () => {
      wait.call = null;
    };
  }

  function ring(wait: Wait): boolean {
    if (wait.call === null || !wait.owner.alive) return false;
    const { call } = wait;
    wait.call = null;
    call();
    return true;
  }

  function ringPolls(): void {
    const due = polls.filter((poll) => poll.due <= steady);
    if (due.length === 0) return;
    polls = polls.filter((poll) => poll.due > steady);
    for (const poll of due) ring(poll);
  }

  const now = (): Instant => offset + steady;
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve)); // V1: the microtasks run dry first
  return {
    now,
    steady: () => steady,
    after: (span, call) => add(world, span, call),
    jump(span) {
      offset += span;
    },
    mortal() {
      const owner = { alive: true };
      const clock: Clock = { now, steady: () => steady, after: (span, call) => add(owner, span, call) };
      return {
        clock,
        kill() {
          owner.alive = false;
        },
      };
    },
    async run(until, settled) {
      await settle();
      for (let first = heap[0]; first !== undefined && first.due <= until; first = heap[0]) {
        pop(heap);
        if (first.call === null || !first.owner.alive) continue;
        steady = first.due;
        ringPolls();
        ring(first);
        await settle();
        settled();
      }
      steady = until;
      ringPolls();
      await settle();
      settled();
    },
  };
}

function before(a: Wait, b: Wait): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

function push(heap: Wait[], wait: Wait): void {
  let place = heap.length;
  heap.push(wait);
  while (place > 0) {
    const parent = (place - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || before(above, wait)) break;
    heap[place] = above;
    place = parent;
  }
  heap[place] = wait;
}

function pop(heap: Wait[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    const right = heap[child + 1];
    let lesser = heap[child];
    if (right !== undefined && lesser !== undefined && before(right, lesser)) {
      child += 1;
      lesser = right;
    }
    if (lesser === undefined || !before(lesser, last)) break;
    heap[place] = lesser;
    place = child;
  }
  heap[place] = last;
}
