// What is to happen in virtual time: a heap by instant. What is due together comes in the order in which it was added.
import type { Instant } from '../../core/time.ts';

interface Entry<T> {
  readonly due: Instant;
  readonly order: number;
  readonly item: T;
}

export interface Queue<T> {
  add(due: Instant, item: T): void;
  /** When the first is due, or null when nothing waits. */
  next(): Instant | null;
  /** Takes the first; undefined when nothing waits. */
  take(): T | undefined;
  readonly size: number;
}

export function createQueue<T>(): Queue<T> {
  const heap: Entry<T>[] = [];
  let added = 0;

  function before(a: number, b: number): boolean {
    const one = heap[a];
    const other = heap[b];
    if (one === undefined || other === undefined) return other === undefined;
    return one.due < other.due || (one.due === other.due && one.order < other.order);
  }

  function swap(a: number, b: number): void {
    const held = heap[a] as Entry<T>; // both places are in the heap
    heap[a] = heap[b] as Entry<T>;
    heap[b] = held;
  }

  function rise(from: number): void {
    for (let child = from; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!before(child, parent)) return;
      swap(child, parent);
      child = parent;
    }
  }

  function sink(): void {
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      if (left >= heap.length) return;
      const child = left + 1 < heap.length && before(left + 1, left) ? left + 1 : left;
      if (!before(child, parent)) return;
      swap(child, parent);
      parent = child;
    }
  }

  return {
    add(due, item) {
      heap.push({ due, order: (added += 1), item });
      rise(heap.length - 1);
    },
    next: () => heap[0]?.due ?? null,
    take() {
      const [first] = heap;
      const last = heap.pop();
      if (first === undefined || last === undefined) return undefined;
      if (heap.length > 0) {
        heap[0] = last;
        sink();
      }
      return first.item;
    },
    get size() {
      return heap.length;
    },
  };
}
