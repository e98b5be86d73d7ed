// Projectors beside each other: what one does must not be felt by decisions, by the others, or by the end of the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Projector, ProjectorBatch } from '../../../src/engine/project/projector.ts';
import type { Store } from '../../../src/ports/store.ts';
import { rig } from './rig.ts';

/** Keeps what it was offered, and moves its cursor, once `opens` resolves. */
function keeping(name: string, store: Store, opens: (batch: ProjectorBatch) => Promise<void>): Projector & { readonly kept: number[] } {
  const kept: number[] = [];
  return {
    name,
    cursor: name,
    kept,
    async apply(batch) {
      await opens(batch);
      kept.push(...batch.facts.map(({ seq }) => seq));
      await store.cursors.save(name, batch.partition, batch.offset);
    },
  };
}

test('J1: a projector that never answers delays neither decisions nor documents nor another, and the process stops', async () => {
  let other: ReturnType<typeof keeping> | null = null;
  const made = await rig((store) => {
    other = keeping('other', store, async () => {});
    return [keeping('hangs', store, () => new Promise(() => {})), other];
  });
  await made.see('0000000000000001');
  await made.clock.forward(2_000);

  assert.equal((await made.store.views.count('alert', 'all')).firing, 1);
  const facts = await made.store.log.end('facts', 0);
  assert.equal(made.service.lag(), 0);
  assert.deepEqual(
    [...made.service.projectorLags()],
    [
      ['documents', 0],
      ['hangs', facts],
      ['other', 0],
    ],
  );
  assert.equal(await made.store.cursors.load('other', 0), facts);
  assert.equal(await made.store.cursors.load('hangs', 0), 0, 'retention keeps what it has not shown');

  let stopped = false;
  void made.service.stop(1_000).then(() => (stopped = true));
  await made.clock.forward(10_000);
  assert.ok(stopped);
});

test('J2: one that throws for a while is offered the same facts again, in order, and catches up', async () => {
  let fails = 5;
  let late: ReturnType<typeof keeping> | null = null;
  const made = await rig((store) => {
    late = keeping('late', store, async () => {
      if (fails > 0) throw new Error(`not yet: ${(fails -= 1)}`);
    });
    return [late];
  });
  await made.see('0000000000000001');
  assert.equal((await made.store.views.count('alert', 'all')).firing, 1, 'documents did not wait');
  await made.clock.forward(10_000);
  await made.see('0000000000000002');
  await made.clock.forward(2_000);

  assert.equal(made.troubles.length, 5);
  assert.equal(made.service.projectorLags().get('late'), 0);
  const facts = await made.store.log.read('facts', 0, 0, 1_000);
  assert.deepEqual(
    late === null ? [] : (late as ReturnType<typeof keeping>).kept,
    facts.map(({ value }) => (value as { seq: number }).seq),
  );
  await made.clock.settle();
  void made.service.stop(0);
  await made.clock.forward(10_000);
});

test('J1: a projector that would move the cursor of somebody else does not start', () =>
  assert.rejects(
    rig((store) => [{ ...keeping('other', store, async () => {}), cursor: 'effects' }]),
    /J1: whoever reads facts has a cursor of his own, seen effects, project, effects/,
  ));
