// Promise F2 from the outside: the cursor of the effects never passes a call that nobody claimed or a notification that nobody answered for,
// whoever saves it: the next one would skip them.
import { cursorKey } from '../../adapters/memory/cursors.ts';
import { recordsOf } from '../../adapters/memory/log.ts';
import type { Fact, Input } from '../../src/core/records.ts';
import type { CheckParts } from './checker.ts';

interface Request {
  readonly offset: number;
  readonly key: string;
}

export function checkCursors({ ledger, disk, partitions }: CheckParts): void {
  const places = Array.from({ length: partitions }, (_, partition) => ({ partition, cursor: 0, batches: 0, waiting: [] as Request[] }));
  const done = new Set<string>();
  /** By attempt of a notification: claims and grants so far. */
  const claims = new Map<string, number>();
  const grants = new Map<string, number>();

  ledger.watch({
    fact({ fact, partition, offset }) {
      const key = requestOf(fact);
      if (key !== null) places[partition]?.waiting.push({ offset, key });
      if (fact.type === 'NotifyFinished' || fact.type === 'NotifyDropped') done.add(`${fact.notification}#${fact.attempt}`);
      if (fact.type === 'StepFinished') done.add(`${fact.run}/${fact.call}`);
    },
    settled() {
      for (const place of places) {
        const cursor = disk.content.cursors.get(cursorKey('effects', place.partition)) ?? 0;
        if (cursor > place.cursor) passed(place, cursor);
      }
    },
  });

  function passed(place: (typeof places)[number], cursor: number): void {
    place.cursor = cursor;
    const batches = disk.content.slots.get(`inputs/${place.partition}`)?.batches ?? [];
    for (const batch of batches.slice(place.batches)) for (const input of recordsOf(batch)) answered(input as Input); // as records.ts has them
    place.batches = batches.length;
    for (let first = place.waiting[0]; first !== undefined && first.offset < cursor; first = place.waiting[0]) {
      place.waiting.shift();
      if (!isDone(first.key)) ledger.breach(`F2: the cursor of partition ${place.partition} is at ${cursor} and ${first.key} is undone`);
    }
  }

  function answered(input: Input): void {
    if (input.type === 'StepClaimed') done.add(`${input.run}/${input.call}`);
    if (input.type === 'NotifyAnswered') done.add(`${input.notification}#${input.attempt}`);
    if (input.type !== 'NotifyClaimed') return;
    // A request is done with when it is claimed, a grant when it is answered or claimed again.
    const attempt = `${input.notification}#${input.attempt}`;
    const count = (claims.get(attempt) ?? 0) + 1;
    claims.set(attempt, count);
    done.add(`${attempt}@${count - 1}`);
  }

  function requestOf(fact: Fact): string | null {
    if (fact.type === 'StepRequested') return `${fact.run}/${fact.call}`;
    if (fact.type === 'NotifyRequested') return `${fact.notification.id}#${fact.attempt}@0`;
    if (fact.type !== 'NotifyGranted') return null;
    const attempt = `${fact.outgoing}#${fact.attempt}`;
    const count = (grants.get(attempt) ?? 0) + 1;
    grants.set(attempt, count);
    return `${attempt}@${count}`;
  }

  function isDone(key: string): boolean {
    return done.has(key) || done.has(key.slice(0, key.lastIndexOf('@')));
  }
}
