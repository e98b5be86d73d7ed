// What is newest of one followed partition, in memory: readers at its end need no request.
//   S1  Holds records without a gap, `first` up to `next`; drops the oldest beyond its bounds.
import type { LogRecord } from '../../src/ports/event-log.ts';

const recordsMax = 4_096;

interface Held {
  readonly record: LogRecord;
  readonly chars: number;
}

export class Strand {
  readonly topic: string;
  readonly partition: number;
  readonly #held: Held[] = [];
  #dropped = 0;
  #chars = 0;
  readonly #charsMax: number;
  /** Offset that the next record here will have; null before it is known where the partition ends. */
  next: number | null = null;
  /** Everything below is durable, as far as we have heard; never less than our own appends. */
  known = 0;
  /** Grows when the partition was cut back: what was read of it before is no more. */
  life = 0;
  readonly watchers = new Set<() => void>();

  constructor(topic: string, partition: number, charsMax: number) {
    this.topic = topic;
    this.partition = partition;
    this.#charsMax = charsMax;
  }

  /** Forgets all and goes on at the offset; `anew` when the partition was cut back, so that what was known is no more. */
  place(next: number, anew: boolean): void {
    this.#held.length = 0;
    this.#dropped = 0;
    this.#chars = 0;
    this.next = next;
    if (anew) this.life += 1;
    this.known = anew ? next : Math.max(this.known, next);
  }

  /** As new: where the partition ends is to be asked. */
  forget(): void {
    this.place(0, true);
    this.next = null;
  }

  /** Takes the record when it is the next one; false otherwise. */
  push(record: LogRecord, chars: number): boolean {
    if (record.offset !== this.next) return false;
    this.#held.push({ record, chars });
    this.#chars += chars;
    this.next = record.offset + 1;
    this.known = Math.max(this.known, this.next);
    while (this.#held.length - this.#dropped > recordsMax || (this.#chars > this.#charsMax && this.#held.length - this.#dropped > 1)) {
      this.#chars -= this.#held[this.#dropped]?.chars ?? 0;
      this.#dropped += 1;
    }
    if (this.#dropped * 2 > this.#held.length) {
      this.#held.splice(0, this.#dropped);
      this.#dropped = 0;
    }
    return true;
  }

  /** Records from the offset on, or null when they have to be asked for. */
  slice(offset: number, max: number): readonly LogRecord[] | null {
    const { next } = this;
    if (next === null) return null;
    if (offset >= next) return offset < this.known ? null : [];
    const first = next - (this.#held.length - this.#dropped);
    if (offset < first) return null;
    const from = this.#dropped + offset - first;
    return this.#held.slice(from, from + max).map(({ record }) => record);
  }

  hear(): void {
    for (const call of this.watchers) call();
  }
}
