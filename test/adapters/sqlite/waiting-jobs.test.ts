// What goes into a group, and what is refused, without a writer thread. The whole store over a disk: store.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lanes } from '../../../adapters/sqlite/lanes.ts';
import { createWaitingJobs, type Job, type QueueLimits, type WaitingJobs } from '../../../adapters/sqlite/waiting-jobs.ts';

type Lane = 'inputs' | 'facts' | 'letters' | 'retention';

const lanes: Lanes<Lane> = {
  urgent: ['inputs', 'facts', 'letters'],
  patient: 'retention',
  patientRecordsPerGroup: 24,
  patientAfterMs: 100,
  restMs: 0,
  fullRecords: 30,
};

const waitingJobs = (limits: QueueLimits): WaitingJobs<Lane, string> => createWaitingJobs(lanes, limits);

function job(priority: Lane, name: string, records = 1, bytes = 1): Job<Lane, string> {
  return { priority, request: name, records, bytes, settle: () => {} };
}

const namesOf = (jobs: readonly Job<Lane, string>[]): readonly string[] => jobs.map(({ request }) => request);

test('G1: urgent jobs go in the order of the lanes, and within a lane in the order of the calls', () => {
  const waiting = waitingJobs({ queueRecordsMax: 100, queueBytesMax: 100 });
  for (const [priority, name] of [
    ['retention', 'r'],
    ['letters', 'l'],
    ['facts', 'f1'],
    ['inputs', 'i'],
    ['facts', 'f2'],
  ] as const) {
    assert.equal(waiting.add(job(priority, name)), null);
  }
  assert.deepEqual(namesOf(waiting.takeUrgent()), ['i', 'f1', 'f2', 'l']);
  assert.equal(waiting.isEmpty(), false);
  assert.deepEqual(namesOf(waiting.takeAll()), ['r']);
  assert.equal(waiting.isEmpty(), true);
});

test('what is patient goes in chunks; one that is larger than a chunk goes whole', () => {
  const waiting = waitingJobs({ queueRecordsMax: 1_000, queueBytesMax: 1_000 });
  for (const [name, records] of [
    ['a', 100],
    ['b', 20],
    ['c', 4],
    ['d', 1],
  ] as const)
    waiting.add(job('retention', name, records));
  assert.deepEqual(namesOf(waiting.takePatient()), ['a']);
  assert.deepEqual(namesOf(waiting.takePatient()), ['b', 'c']);
  assert.deepEqual(namesOf(waiting.takePatient()), ['d']);
});

test('G3: a lane is full by records or bytes until its jobs are settled, in flight or not; other lanes are not, nor an empty one', () => {
  const waiting = waitingJobs({ queueRecordsMax: 10, queueBytesMax: 100 });
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

test('G4: what waits in all lanes together is full or not, whatever is in flight', () => {
  const waiting = waitingJobs({ queueRecordsMax: 1_000, queueBytesMax: 1_000 });
  waiting.add(job('inputs', 'a', 20));
  assert.equal(waiting.isFull(), false);
  waiting.add(job('retention', 'b', 10));
  assert.equal(waiting.isFull(), true);
});
