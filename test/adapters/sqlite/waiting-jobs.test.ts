// What goes into a group, and what is refused, without a writer thread. The whole store over a disk: store.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWaitingJobs, type Job, type Priority } from '../../../adapters/sqlite/waiting-jobs.ts';

function job(priority: Priority, name: string, records = 1, bytes = 1): Job {
  return { priority, request: { type: 'cursor', name, partition: 0, offset: 0 }, records, bytes, settle: () => {} };
}

const namesOf = (jobs: readonly Job[]): readonly string[] => jobs.map(({ request }) => (request.type === 'cursor' ? request.name : '?'));

test('G1: urgent jobs go in the order of the queues, and within a priority in the order of the calls', () => {
  const waiting = createWaitingJobs({ queueRecordsMax: 100, queueBytesMax: 100 });
  for (const [priority, name] of [
    ['views', 'v'],
    ['state', 's'],
    ['facts', 'f1'],
    ['inputs', 'i'],
    ['facts', 'f2'],
  ] as const) {
    assert.equal(waiting.add(job(priority, name)), null);
  }
  assert.deepEqual(namesOf(waiting.takeUrgent()), ['i', 'f1', 'f2', 's']);
  assert.equal(waiting.isEmpty(), false);
  assert.deepEqual(namesOf(waiting.takeAll()), ['v']);
  assert.equal(waiting.isEmpty(), true);
});

test('views go in chunks; one that is larger than a chunk goes whole', () => {
  const waiting = createWaitingJobs({ queueRecordsMax: 1_000, queueBytesMax: 1_000 });
  for (const [name, records] of [
    ['a', 100],
    ['b', 20],
    ['c', 4],
    ['d', 1],
  ] as const)
    waiting.add(job('views', name, records));
  assert.deepEqual(namesOf(waiting.takeViews()), ['a']);
  assert.deepEqual(namesOf(waiting.takeViews()), ['b', 'c']);
  assert.deepEqual(namesOf(waiting.takeViews()), ['d']);
});

test('G3: a priority is full by records or bytes until its jobs are settled, in flight or not; other queues are not, nor an empty one', () => {
  const waiting = createWaitingJobs({ queueRecordsMax: 10, queueBytesMax: 100 });
  assert.equal(waiting.add(job('inputs', 'large', 50, 500)), null);
  assert.equal(waiting.add(job('inputs', 'more'))?.why, 'overloaded');
  assert.equal(waiting.add(job('facts', 'other', 9, 99)), null);
  assert.equal(waiting.add(job('facts', 'records', 2, 1))?.why, 'overloaded');
  assert.equal(waiting.add(job('facts', 'bytes', 1, 2))?.why, 'overloaded');
  const taken = waiting.takeUrgent();
  assert.equal(waiting.add(job('inputs', 'more'))?.why, 'overloaded', 'in flight');
  waiting.settle(taken, () => 0);
  assert.equal(waiting.add(job('inputs', 'more')), null);
});
