// Virtual time for whole worlds: thousands of events a second of real time, in one order for one seed.
//   V1  Between two events every promise has settled: nothing in a simulated world waits for anything but promises and this clock.
//   V2  The steady clock never jumps; the wall clock does when told.
//   V3  A frozen process hears nothing; when it thaws, all that was for it arrives late, in order.
import type { Instant, Millis } from '../../src/core/time.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { someday } from '../support/clock.ts';

/** What a meter measures again and again (engine/meter.ts, `measureAgain`). Such a look may be late, as timers are: it rings with whatever comes next. */
const isPoll = (call: () => void): boolean => /\bmeasureAgain\b/.test(String(call));

interface Owner {
  alive: boolean;
  /** While frozen: the timers that rang meanwhile. */
  held: Wait[] | null;
}

interface Wait {
  due: Millis;
  order: number;
  readonly owner: Owner;
  call: (() => void) | null;
}

/** Time as one process has it. */
export interface Mortal {
  readonly clock: Clock;
  /** Its timers never ring again. */
  kill(): void;
  /** As by SIGSTOP. */
  freeze(): void;
  thaw(): void;
  readonly frozen: boolean;
  /** Makes a call that leaves the process: begins only while it is not frozen, and is answered only then (V3). */
  through<T>(call: () => Promise<T>): Promise<T>;
}

export interface SimClock extends Clock {
  jump(span: Millis): void;
  mortal(): Mortal;
  /** Lets time pass until the steady clock shows `until`; `settled` is called behind each event. */
  run(until: Millis, settled: () => void): Promise<void>;
}

export function simClock(start: Instant = someday): SimClock {
  let steady = 0;
  let offset = start;
  let order = 0;
  const world: Owner = { alive: true, held: null };
  const heap: Wait[] = [];
  let polls: Wait[] = [];

  function add(owner: Owner, span: Millis, call: () => void): () => void {
    const wait: Wait = { due: steady + Math.max(0, span), order: (order += 1), owner, call };
    if (isPoll(call)) polls.push(wait);
    else push(heap, wait);
    return () => {
      wait.call = null;
    };
  }

  function ring(wait: Wait): boolean {
    if (isOff(wait)) return false;
    const { call } = wait;
    if (call === null) return false;
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
    mortal: () =>
      mortal({ now, steady: () => steady }, add, (wait) => {
        Object.assign(wait, { due: steady, order: (order += 1) });
        push(heap, wait);
      }),
    async run(until, settled) {
      await settle();
      for (let first = heap[0]; first !== undefined && first.due <= until; first = heap[0]) {
        pop(heap);
        if (isOff(first)) continue;
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

/** Called off, of a process that died, or kept for one that is frozen. */
function isOff(wait: Wait): boolean {
  if (wait.call === null || !wait.owner.alive) return true;
  wait.owner.held?.push(wait);
  return wait.owner.held !== null;
}

function mortal(
  time: Pick<Clock, 'now' | 'steady'>,
  add: (owner: Owner, span: Millis, call: () => void) => () => void,
  again: (wait: Wait) => void,
): Mortal {
  const owner: Owner = { alive: true, held: null };
  let thawed: Promise<void> = Promise.resolve();
  let wake: () => void = () => {};

  async function awake(): Promise<void> {
    while (owner.held !== null) await thawed;
  }

  return {
    clock: { ...time, after: (span, call) => add(owner, span, call) },
    kill() {
      owner.alive = false;
    },
    freeze() {
      if (owner.held !== null) return;
      owner.held = [];
      thawed = new Promise((resolve) => (wake = resolve));
    },
    thaw() {
      const held = owner.held ?? [];
      owner.held = null;
      wake();
      for (const wait of held) again(wait);
    },
    get frozen() {
      return owner.held !== null;
    },
    async through(call) {
      if (owner.held !== null) await awake();
      try {
        return await call();
      } finally {
        if (owner.held !== null) await awake();
      }
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
