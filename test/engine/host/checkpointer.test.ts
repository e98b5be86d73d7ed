// When the rows of a partition are saved. That nothing is lost when a save fails is host.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDesk, type Desk } from '../../../src/core/desk.ts';
import { createCheckpointer, type Checkpointer } from '../../../src/engine/host/checkpointer.ts';
import type { DeskRow } from '../../../src/ports/checkpoints.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';

interface Made {
  readonly clock: VirtualClock;
  readonly checkpointer: Checkpointer;
  /** Rows of each save begun, and how to end the newest. */
  readonly saves: (readonly DeskRow[])[];
  end: PromiseWithResolvers<void>;
  failures: number;
}

function made(): Made {
  const clock = virtualClock();
  const saves: (readonly DeskRow[])[] = [];
  const all: Made = {
    clock,
    saves,
    end: Promise.withResolvers<void>(),
    failures: 0,
    checkpointer: createCheckpointer({
      partition: 0,
      clock,
      checkpoints: {
        save(_partition, _mark, rows) {
          saves.push(rows);
          all.end = Promise.withResolvers<void>();
          return all.end.promise;
        },
      },
      onSaved: () => {},
      onTaken: () => {},
      onFailed: () => (all.failures += 1),
    }),
  };
  all.checkpointer.reset({ inputs: 0, facts: 0 });
  return all;
}

function deskWith(rows: number): Desk {
  const desk = newDesk('s');
  for (let number = 0; number < rows; number += 1) desk.tables.deliveries.changed.add(`d${number}`);
  return desk;
}

const mark = async (): Promise<{ inputs: number; facts: number }> => ({ inputs: 1, facts: 1 });

test('a few rows are due two seconds after the last save, many at once, few behind many inputs at once, none never', async () => {
  const { clock, checkpointer } = made();
  await clock.forward(10_000);
  assert.equal(checkpointer.isDue(false, 1), false, 'nothing changed');
  checkpointer.reset({ inputs: 0, facts: 0 });
  checkpointer.changed(deskWith(1));
  assert.equal(checkpointer.isDue(false, 1), false);
  assert.equal(checkpointer.isDue(true, 1), true, 'whoever stops leaves nothing');
  await clock.forward(1_999);
  assert.equal(checkpointer.isDue(false, 1), false);
  await clock.forward(1);
  assert.equal(checkpointer.isDue(false, 1), true);
  checkpointer.reset({ inputs: 100, facts: 0 });
  checkpointer.changed(deskWith(1));
  assert.equal(checkpointer.isDue(false, 8_099), false);
  assert.equal(checkpointer.isDue(false, 8_100), true, 'a start would have so many to turn again');
  checkpointer.reset({ inputs: 0, facts: 0 });
  checkpointer.changed(deskWith(2_047));
  assert.equal(checkpointer.isDue(false, 1), false);
  checkpointer.changed(deskWith(1));
  assert.equal(checkpointer.isDue(false, 1), true);
});

test('while a save is under way more rows gather, up to a bound', async () => {
  const { clock, checkpointer, saves, ...all } = made();
  checkpointer.changed(deskWith(1));
  await checkpointer.begin(mark);
  assert.deepEqual(
    saves.map((rows) => rows.length),
    [1],
  );
  checkpointer.changed(deskWith(512));
  await clock.forward(10_000);
  assert.equal(checkpointer.isDue(false, 1), false);
  checkpointer.changed(deskWith(8_000));
  assert.equal(checkpointer.isDue(false, 1), true);
  assert.equal(all.failures, 0);
});

test('a failed save is told of, and the next one rejects with it until all is loaded anew', async () => {
  const all = made();
  const { checkpointer } = all;
  checkpointer.changed(deskWith(1));
  await checkpointer.begin(mark);
  all.end.reject(new Error('the disk is full'));
  await all.clock.settle();
  assert.deepEqual([all.failures, checkpointer.failed, checkpointer.mark.inputs], [1, true, 0]);
  await assert.rejects(checkpointer.begin(mark), /the disk is full/);
  checkpointer.reset({ inputs: 0, facts: 0 });
  assert.equal(checkpointer.failed, false);
});
