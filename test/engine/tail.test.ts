// Following the facts of one partition over a real log in memory: what a log that was made anew, or has not heard yet, does to its reader.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryDisk } from '../../adapters/memory/disk.ts';
import { memoryStore } from '../../adapters/memory/store.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { second } from '../../src/core/time.ts';
import type { WakeSpent } from '../../src/core/wakes.ts';
import { pause } from '../../src/engine/async/pause.ts';
import { createTail, placeIn, type Tail } from '../../src/engine/tail.ts';
import type { EventLog } from '../../src/ports/event-log.ts';
import { someday, virtualClock, type VirtualClock } from '../support/clock.ts';

interface Rig {
  readonly clock: VirtualClock;
  readonly tail: Tail;
  /** Tokens of the facts that were handed on. */
  readonly taken: string[];
  readonly placed: number[];
  readonly troubles: string[];
  append(seq: number, token: string): Promise<void>;
  /** As when a topic is deleted and created. */
  makeAnew(): void;
}

interface RigOptions {
  readonly logOf?: (log: EventLog, clock: VirtualClock) => EventLog;
  /** Whether the place can be noted, by how often that was tried before. */
  readonly notes?: (before: number) => boolean;
}

function rig({ logOf = (log) => log, notes = () => true }: RigOptions = {}): Rig {
  const clock = virtualClock();
  const disk = memoryDisk();
  const { log } = memoryStore({ disk, partitions: 1, clock });
  const taken: string[] = [];
  const placed: number[] = [];
  let tried = 0;
  const troubles: string[] = [];
  const tail = createTail(
    {
      partition: 0,
      log: logOf(log, clock),
      clock,
      batch: 256,
      async placed(offset) {
        tried += 1;
        if (!notes(tried - 1)) throw new GatewayError('store_unavailable', 'not now');
        placed.push(offset);
      },
      onTrouble: (error) => troubles.push(String(error)),
    },
    async (facts) => void taken.push(...facts.map((fact) => (fact as WakeSpent).token)), // nothing else is appended
  );
  return {
    clock,
    tail,
    taken,
    placed,
    troubles,
    async append(seq, token) {
      const fact: WakeSpent = { type: 'WakeSpent', scope: 's', seq, at: someday, token };
      await log.append('facts', { partition: 0, scope: 's', values: [fact] });
      await clock.settle();
    },
    makeAnew() {
      const slot = disk.content.slots.get('facts/0') ?? assert.fail('nothing was appended');
      Object.assign(slot, { end: 0, low: 0, batches: [] });
    },
  };
}

/** Has heard of so many records, as it says; says the truth only to who has read further. */
function deaf(log: EventLog, heard: number): EventLog {
  return {
    ...log,
    async end(topic, partition, atLeast = 0) {
      return heard < atLeast ? log.end(topic, partition) : heard;
    },
  };
}

async function stopped({ clock, tail }: Rig): Promise<void> {
  const end = tail.stop();
  await clock.forward(second);
  await end;
}

test('F1: what a host turned again is handed on once', async () => {
  const made = rig();
  made.tail.start(0);
  await made.append(1, 'a');
  await made.append(2, 'b');
  await made.append(1, 'a again');
  await made.append(2, 'b again');
  await made.append(3, 'c');

  assert.deepEqual(made.taken, ['a', 'b', 'c']);
  await stopped(made);
});

test('F1, G1: what a former host writes late, behind the cursor of an earlier life, is not handed on as news', async () => {
  const made = rig();
  await made.append(1, 'a');
  await made.append(2, 'b');
  await made.append(3, 'c');
  await made.append(2, 'b again');
  made.tail.start(3);
  await made.append(3, 'c again');
  await made.append(4, 'd');

  assert.deepEqual(made.taken, ['d']);
  await stopped(made);
});

test('F3: a log that was made anew is read from its beginning, whatever numbers its facts have, and that is said', async () => {
  const made = rig();
  for (let seq = 1; seq <= 20; seq += 1) await made.append(seq, `old ${seq}`);
  made.tail.start(0);
  await made.clock.settle();
  assert.equal(made.taken.length, 20);

  made.makeAnew();
  await made.append(1, 'new 1');
  await made.append(2, 'new 2');
  await made.clock.forward(second);

  assert.deepEqual(made.taken.slice(20), ['new 1', 'new 2']);
  assert.deepEqual(made.placed, [0]);
  assert.equal(made.troubles.length, 1);
  assert.match(made.troubles[0] ?? '', /facts of partition 0 end at 1, but were read up to 20 before: .*made anew/);
  await stopped(made);
});

test('F3: nothing of a log that was made anew is handed on before its place is noted, however often that fails', async () => {
  const made = rig({ notes: (before) => before >= 2 });
  made.tail.start(0);
  for (let seq = 1; seq <= 20; seq += 1) await made.append(seq, `old ${seq}`);
  made.makeAnew();
  await made.append(1, 'new 1');
  await made.clock.forward(second / 4);
  assert.deepEqual(made.taken.slice(20), []);
  await made.clock.forward(5 * second);

  assert.deepEqual([made.placed, made.taken.slice(20)], [[0], ['new 1']]);
  await stopped(made);
});

test('F3: a log that has not heard yet how far it was read is not taken for one that was cut back', async () => {
  const made = rig({ logOf: (log) => deaf(log, 10) });
  for (let seq = 1; seq <= 50; seq += 1) await made.append(seq, `old ${seq}`);
  made.tail.start(50);
  await made.clock.forward(second);
  await made.append(51, 'new');
  await made.clock.forward(second);

  assert.deepEqual(made.taken, ['new']);
  assert.deepEqual(made.placed, []);
  assert.deepEqual(made.troubles, []);
  await stopped(made);
});

test('F3: a log that denies again and again what was read of it is read from its beginning twice a second at most', async () => {
  const made = rig({
    logOf: (log, clock) => ({
      ...log,
      async end(...asked) {
        await pause(clock, 10);
        return (await log.end(...asked)) - 1;
      },
    }),
  });
  await made.append(1, 'a');
  made.tail.start(0);
  await made.clock.forward(5 * second);

  assert.ok(made.placed.length > 1 && made.placed.length <= 10, `${made.placed.length} times in five seconds`);
  await stopped(made);
});

test('F3: a place that the log has not heard of yet is kept, one that it does not have is given up', async () => {
  const { log } = memoryStore({ disk: memoryDisk(), partitions: 1, clock: virtualClock() });
  const troubles: unknown[] = [];
  const told = (error: unknown): void => void troubles.push(error);
  const values = [{ type: 'WakeSpent' }, { type: 'WakeSpent' }, { type: 'WakeSpent' }];
  await log.append('facts', { partition: 0, scope: 's', values });

  assert.equal(await placeIn(deaf(log, 1), 'facts', 0, 3, told), 3);
  assert.deepEqual(troubles, []);
  assert.equal(await placeIn(deaf(log, 1), 'facts', 0, 4, told), 0);
  assert.equal(troubles.length, 1);
});
