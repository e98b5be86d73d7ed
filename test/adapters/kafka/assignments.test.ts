// What is begun and ended as assignments come, with work that takes as long as a test wants; the rest of H2 is in test/services/shares.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAssignments, type Assignments } from '../../../adapters/kafka/assignments.ts';

interface Working {
  readonly assignments: Assignments;
  /** `gained 0`, `gained 0 ended`, in the order of what happened. */
  readonly events: string[];
  /** Questions that a `gained` may ask, by partition. */
  readonly wanted: Map<number, () => boolean>;
  /** Ends the work that runs in the partition. */
  end(partition: number): Promise<void>;
  stop(): void;
}

function working(): Working {
  const events: string[] = [];
  const wanted = new Map<number, () => boolean>();
  const ends = new Map<number, () => void>();
  let isStopping = false;
  const assignments = createAssignments({
    isStopping: () => isStopping,
    onBug: (partition, error) => void events.push(`bug ${partition} ${String(error)}`),
  });
  async function happens(what: string, partition: number): Promise<void> {
    events.push(`${what} ${partition}`);
    await new Promise<void>((resolve) => ends.set(partition, resolve));
    events.push(`${what} ${partition} ended`);
  }
  assignments.start({
    gained(partition, isWanted) {
      if (isWanted !== undefined) wanted.set(partition, isWanted);
      return happens('gained', partition);
    },
    lost: (partition) => happens('lost', partition),
  });
  return {
    assignments,
    events,
    wanted,
    async end(partition) {
      ends.get(partition)?.();
      await settle();
    },
    stop: () => void (isStopping = true),
  };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('H2: lost waits until gained has ended, and gained is told meanwhile that it is not wanted', async () => {
  const { assignments, events, wanted, end } = working();
  assignments.assign('one', [0]);
  await settle();
  assert.equal(wanted.get(0)?.(), true);
  assignments.assign('one', []);
  await settle();
  assert.deepEqual(events, ['gained 0']);
  assert.equal(wanted.get(0)?.(), false);

  await end(0);
  assert.deepEqual(events, ['gained 0', 'gained 0 ended', 'lost 0']);
});

test('H2: what was taken and given back while something ran is not told at all', async () => {
  const { assignments, events, end } = working();
  assignments.assign('one', [0]);
  await settle();
  assignments.assign('one', []);
  assignments.assign('one', [0]);
  await end(0);

  assert.deepEqual(events, ['gained 0', 'gained 0 ended']);
});

test('partitions do not wait for one another', async () => {
  const { assignments, events } = working();
  assignments.assign('one', [0]);
  await settle();
  assignments.assign('one', [0, 1]);
  await settle();

  assert.deepEqual(events, ['gained 0', 'gained 1']);
});

test('under a new member id all that runs is lost first, also what is ours again', async () => {
  const { assignments, events, wanted, end } = working();
  assignments.assign('one', [0]);
  await settle();
  assignments.assign('two', [0]);
  assert.equal(wanted.get(0)?.(), false);
  await end(0);
  await end(0);

  assert.deepEqual(events, ['gained 0', 'gained 0 ended', 'lost 0', 'lost 0 ended', 'gained 0']);
  assert.equal(wanted.get(0)?.(), true);
});

test('once it stops nothing is gained, and what comes to an assignment is lost', async () => {
  const { assignments, events, wanted, end, stop } = working();
  assignments.assign('one', [0]);
  await settle();
  await end(0);
  stop();
  assert.equal(wanted.get(0)?.(), false);
  assignments.assign('one', [0, 1]);
  await settle();
  await end(0);

  assert.deepEqual(events, ['gained 0', 'gained 0 ended', 'lost 0', 'lost 0 ended']);
  await assignments.settled();
});

test('work that rejects is reported as a bug, and the partition goes on', async () => {
  const bugs: string[] = [];
  const calls: string[] = [];
  const assignments = createAssignments({
    isStopping: () => false,
    onBug: (partition, error) => void bugs.push(`${partition} ${String(error)}`),
  });
  assignments.start({
    gained(partition) {
      calls.push(`gained ${partition}`);
      throw new Error('broken');
    },
    lost: async (partition) => void calls.push(`lost ${partition}`),
  });
  assignments.assign('one', [0]);
  await assignments.settled();
  assignments.assign('one', []);
  await assignments.settled();

  assert.deepEqual(bugs, ['0 Error: broken']);
  assert.deepEqual(calls, ['gained 0', 'lost 0']);
});

test('nothing is called before the handlers are there; what was assigned is known', async () => {
  const assignments = createAssignments({ isStopping: () => false, onBug: () => assert.fail() });
  assignments.assign('one', [0, 2]);
  await assignments.settled();

  assert.deepEqual([assignments.list(), assignments.has(2), assignments.has(1)], [[0, 2], true, false]);
});
