// The door of a gateway does not wait for its desks: what comes in while they are loaded and the tail is turned is accepted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliver, folder, house, open, ready, until } from './house.ts';

test('F2: while desks are loaded the door is open and says so, and what came in is decided afterwards', { timeout: 60_000 }, async (t) => {
  const place = folder(t, { 'quench.yaml': house });
  const before = await open(t, place);
  assert.equal(await deliver(before.url, 'Before'), 200);
  await before.stop();

  const gate = Promise.withResolvers<void>();
  const { url, rang } = await open(t, place, (store) => ({
    ...store,
    checkpoints: {
      ...store.checkpoints,
      async load(partition, take) {
        await gate.promise;
        return store.checkpoints.load(partition, take);
      },
    },
  }));
  assert.equal(await deliver(url, 'During'), 200);
  const told = await ready(url);
  assert.equal(told.status, 200);
  assert.match(told.text, /"loading what was decided before"/);
  gate.resolve();
  await until('the page', () => /During/.test(rang()));
  await until('ready without a note', async () => !/loading|catching up/.test((await ready(url)).text));
});

test('F2: what an earlier life left is counted while it is turned', { timeout: 60_000 }, async (t) => {
  const place = folder(t, { 'quench.yaml': house });
  const before = await open(t, place, (store) => ({
    ...store,
    // Nobody decides in this life: reads of inputs find nothing.
    log: {
      ...store.log,
      read: async (topic, partition, from, max) => (topic === 'inputs' ? [] : store.log.read(topic, partition, from, max)),
    },
  }));
  for (let time = 0; time < 3; time += 1) assert.equal(await deliver(before.url, `Left${time}`, 100), 200);
  await before.stop();

  const gate = Promise.withResolvers<void>();
  const { url, rang } = await open(t, place, (store) => ({
    ...store,
    log: {
      ...store.log,
      async read(topic, partition, from, max) {
        if (topic === 'inputs' && max > 1) await gate.promise; // one: the newest stamp
        return store.log.read(topic, partition, from, max);
      },
    },
  }));
  assert.match((await ready(url)).text, /"catching up: 0 of 3\d\d"/);
  gate.resolve();
  await until('the page', () => /Left0/.test(rang()));
});
