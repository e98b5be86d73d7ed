// The newest records of one followed partition, in memory: a reader at the partition's end needs no request.
//   S1  Holds records without a gap, from some offset up to `next`; beyond its bounds the oldest are dropped.
import type { LogRecord } from '../../src/ports/event-log.ts';

interface BufferedRecord {
  readonly record: LogRecord;
  readonly chars: number;
}

export interface BufferLimits {
  readonly recordsMax: number;
  /** Of their text; the newest record stays, however large. */
  readonly charsMax: number;
}

export class PartitionBuffer {
  readonly topic: string;
  readonly partition: number;
  readonly #records: BufferedRecord[] = [];
  /** How many at the head of `#records` are dropped and not yet removed. */
  #dropped = 0;
  #chars = 0;
  readonly #recordsMax: number;
  readonly #charsMax: number;
  /** Offset that the next record here will have; null before it is known where the partition ends. */
  next: number | null = null;
  /** Every offset below it is durable, as far as this process knows; never less than what it appended itself. */
  durableEnd = 0;
  /** Grows when the partition was cut back: what was read in an earlier generation may be gone, and its offsets used again. */
  generation = 0;
  readonly watchers = new Set<() => void>();

  constructor(topic: string, partition: number, { recordsMax, charsMax }: BufferLimits) {
    this.topic = topic;
    this.partition = partition;
    this.#recordsMax = recordsMax;
    this.#charsMax = charsMax;
  }

  /** Empties the buffer, which goes on at the offset; `isCutBack` when the partition was, so that `durableEnd` no longer holds. */
  place(next: number, isCutBack: boolean): void {
    this.#records.length = 0;
    this.#dropped = 0;
    this.#chars = 0;
    this.next = next;
    if (isCutBack) this.generation += 1;
    this.durableEnd = isCutBack ? next : Math.max(this.durableEnd, next);
  }

  /** As new: the broker has to be asked where the partition ends. */
  forget(): void {
    this.place(0, true);
    this.next = null;
  }

  /** Takes the record when it is the next one; false otherwise. */
  push(record: LogRecord, chars: number): boolean {
    if (record.offset !== this.next) return false;
    this.#records.push({ record, chars });
    this.#chars += chars;
    this.next = record.offset + 1;
    this.durableEnd = Math.max(this.durableEnd, this.next);
    this.#dropOldest();
    return true;
  }

  /** Records from the offset on, or null when they have to be asked for. */
  slice(offset: number, max: number): readonly LogRecord[] | null {
    const { next } = this;
    if (next === null) return null;
    if (offset >= next) return offset < this.durableEnd ? null : [];
    const first = next - this.#count();
    if (offset < first) return null;
    const from = this.#dropped + offset - first;
    return this.#records.slice(from, from + max).map(({ record }) => record);
  }

  /** Tells every watcher that there may be something new. */
  notify(): void {
    for (const call of this.watchers) call();
  }

  #count(): number {
    return this.#records.length - this.#dropped;
  }

  /** S1; the newest record stays, however large. The array is shortened only when half of it is dropped, so that a push stays cheap. */
  #dropOldest(): void {
    while (this.#count() > this.#recordsMax || (this.#chars > this.#charsMax && this.#count() > 1)) {
      this.#chars -= this.#records[this.#dropped]?.chars ?? 0;
      this.#dropped += 1;
    }
    if (this.#dropped * 2 > this.#records.length) {
      this.#records.splice(0, this.#dropped);
      this.#dropped = 0;
    }
  }
}
