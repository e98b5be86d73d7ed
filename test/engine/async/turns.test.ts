import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from '../../../src/engine/async/turns.ts';

test('T1, T2: of all who give way one goes on in a turn of the event loop, in their order', async () => {
  const giveWay = createTurns();
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const wentOn: { readonly who: number; readonly turn: number }[] = [];
  const working = Array.from({ length: 5 }, async (_, who) => {
    for (let slice = 0; slice < 3; slice += 1) {
      await giveWay();
      wentOn.push({ who, turn });
    }
  });
  await Promise.all(working);
  isOver = true;
  assert.deepEqual(
    wentOn.map(({ who }) => who),
    [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4],
  );
  assert.equal(new Set(wentOn.map((each) => each.turn)).size, 15, 'no two in one turn');
});
