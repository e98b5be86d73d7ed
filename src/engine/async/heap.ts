// What is due when: a heap by time. What is due together comes in the order in which it was added. Knows no clock; times are plain numbers.

interface Entry<T> {
  readonly due: number;
  readonly order: number;
  readonly item: T;
}

export interface Heap<T> {
  add(due: number, item: T): void;
  /** When the first is due, or null when the heap is empty. */
  next(): number | null;
  /** Takes the first off; undefined when the heap is empty. */
  take(): T | undefined;
  readonly size: number;
}

export function createHeap<T>(): Heap<T> {
  const entries: Entry<T>[] = [];
  let added = 0;
  return {
    add(due, item) {
      entries.push({ due, order: (added += 1), item });
      rise(entries);
    },
    next: () => entries[0]?.due ?? null,
    take() {
      const [first] = entries;
      const last = entries.pop();
      if (first === undefined || last === undefined) return undefined;
      if (entries.length > 0) {
        entries[0] = last;
        sink(entries);
      }
      return first.item;
    },
    get size() {
      return entries.length;
    },
  };
}

/** Moves the last entry up to its place. */
function rise(entries: Entry<unknown>[]): void {
  for (let child = entries.length - 1; child > 0;) {
    const parent = (child - 1) >> 1;
    if (!swapIfLater(entries, parent, child)) return;
    child = parent;
  }
}

/** Moves the first entry down to its place. */
function sink(entries: Entry<unknown>[]): void {
  for (let parent = 0; ;) {
    const left = 2 * parent + 1;
    const child = isBefore(entries[left + 1], entries[left]) ? left + 1 : left;
    if (!swapIfLater(entries, parent, child)) return;
    parent = child;
  }
}

function swapIfLater(entries: Entry<unknown>[], parent: number, child: number): boolean {
  const above = entries[parent];
  const below = entries[child];
  if (above === undefined || below === undefined || !isBefore(below, above)) return false;
  entries[parent] = below;
  entries[child] = above;
  return true;
}

function isBefore(one: Entry<unknown> | undefined, other: Entry<unknown> | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.due < other.due || (one.due === other.due && one.order < other.order);
}
