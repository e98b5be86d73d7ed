// What runs while a partition is ours: begins when it comes, is tried again while the world is broken, ends when it goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../src/core/errors.ts';
import { createAssignments, everyPartition, type Part, type Assignments } from '../../src/engine/assignments.ts';
import type { Shares } from '../../src/ports/shares.ts';
import { virtualClock, type VirtualClock } from '../support/clock.ts';

type Told = Parameters<Shares['start']>[0];

interface NamedPart extends Part {
  readonly name: string;
}

interface Rig {
  readonly clock: VirtualClock;
  /** What happened, in order. */
  readonly story: string[];
  readonly troubles: unknown[];
  readonly assignments: Assignments<NamedPart>;
  told(): Told;
}

/** `starts`: what each start of a part ends in, one after the other; the last one for ever. */
function rig(starts: (nth: number) => Promise<void> = async () => {}, ends: () => Promise<void> = async () => {}): Rig {
  const clock = virtualClock();
  const story: string[] = [];
  const troubles: unknown[] = [];
  let told: Told | null = null;
  let made = 0;
  let started = 0;
  const shares: Shares = {
    start: async (handlers) => void (told = handlers),
    holds: () => true,
    done: () => {},
    progress: async () => new Map(),
    stop: async () => void story.push('given back'),
  };
  const assignments = createAssignments<NamedPart>({
    shares,
    clock,
    make(partition) {
      const name = `${partition}.${(made += 1)}`;
      return {
        name,
        async start() {
          story.push(`start ${name}`);
          await starts((started += 1));
          story.push(`runs ${name}`);
        },
      };
    },
    async end({ name }) {
      story.push(`end ${name}`);
      await ends();
      story.push(`ended ${name}`);
    },
    onTrouble: (error) => troubles.push(error),
  });
  return { clock, story, troubles, assignments, told: () => told ?? assert.fail('not started') };
}

const broken = new GatewayError('log_unavailable', 'no broker answers');

test('a partition that comes is begun, one that goes is ended, one that comes back has a new part', async () => {
  const { assignments, told, story } = rig();
  await assignments.start();
  assert.deepEqual([...assignments.parts.keys()], []);

  await told().gained(3);
  assert.equal(assignments.parts.get(3)?.name, '3.1');
  await told().lost(3);
  assert.deepEqual([...assignments.parts.keys()], []);
  await told().gained(3);

  assert.equal(assignments.parts.get(3)?.name, '3.2');
  assert.deepEqual(story, ['start 3.1', 'runs 3.1', 'end 3.1', 'ended 3.1', 'start 3.2', 'runs 3.2']);
});

test('N1: a part that meets a broken log is the same part, started again every half second until it runs', async () => {
  const { clock, assignments, told, story, troubles } = rig(async (nth) => {
    if (nth < 4) throw broken;
  });
  await assignments.start();
  let begun = false;
  const gained = told()
    .gained(0)
    .then(() => (begun = true));

  await clock.forward(499);
  assert.equal(story.length, 1);
  await clock.forward(1_000);
  assert.equal(begun, false);
  await clock.forward(1);
  await gained;

  assert.deepEqual(story, ['start 0.1', 'start 0.1', 'start 0.1', 'start 0.1', 'runs 0.1']);
  assert.deepEqual(troubles, [broken, broken, broken]);
});

test('N1: a bug is not tried again: it goes to whoever shares the partitions out', async () => {
  const bug = new Error('invariant broken');
  const { clock, assignments, told, story, troubles } = rig(async () => {
    throw bug;
  });
  await assignments.start();

  await assert.rejects(told().gained(0), bug);
  await clock.forward(10_000);

  assert.deepEqual(story, ['start 0.1']);
  assert.deepEqual(troubles, []);
});

test('one partition that cannot begin keeps no other from beginning', async () => {
  const { clock, assignments, told, story } = rig((nth) => (nth === 1 ? Promise.reject(broken) : Promise.resolve()));
  await assignments.start();
  const first = told().gained(0);
  await told().gained(1);

  assert.deepEqual(story, ['start 0.1', 'start 1.2', 'runs 1.2']);
  await clock.forward(500);
  await first;
  assert.equal(story.at(-1), 'runs 0.1');
});

test('a part that cannot begin is not tried again once all stops', async () => {
  const { clock, assignments, told, story } = rig(() => Promise.reject(broken));
  await assignments.start();
  const gained = told().gained(0);
  await clock.settle();

  const stopped = assignments.stop();
  await clock.forward(5_000);
  await Promise.all([gained, stopped]);

  assert.equal(story.filter((line) => line.startsWith('start')).length, 1);
});

test('stopping ends every part, all at once, before anything is given back', async () => {
  const gate = Promise.withResolvers<void>();
  const { assignments, told, story } = rig(undefined, () => gate.promise);
  await assignments.start();
  for (const partition of [0, 1, 2]) await told().gained(partition);
  story.length = 0;

  const stopped = assignments.stop();
  assert.deepEqual(story, ['end 0.1', 'end 1.2', 'end 2.3']);
  gate.resolve();
  await stopped;

  assert.deepEqual(story.slice(3), ['ended 0.1', 'ended 1.2', 'ended 2.3', 'given back']);
});

test('a partition that goes without ever having come is no trouble', async () => {
  const { assignments, told, story } = rig();
  await assignments.start();
  await told().lost(5);
  assert.deepEqual(story, []);
});

test('a process that is alone has every partition at once, holds it for ever, and knows how far it has come', async () => {
  const shares = everyPartition(3);
  const gained: number[] = [];
  await shares.start({ gained: async (partition) => void gained.push(partition), lost: () => assert.fail('nothing goes') });

  assert.deepEqual(gained, [0, 1, 2]);
  assert.ok(shares.holds(2));
  assert.deepEqual(await shares.progress(), new Map());
  shares.done(1, 7);
  assert.deepEqual(await shares.progress(), new Map([[1, 7]]));
  await shares.stop();
});
