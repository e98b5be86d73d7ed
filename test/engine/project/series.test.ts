// The projector of the time series beside a living engine: series that are away, that refuse, that end in the middle.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memorySeries, seriesContent, type SeriesContent } from '../../../adapters/memory/series.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Fact } from '../../../src/core/records.ts';
import { day, minute, second } from '../../../src/core/time.ts';
import { seriesProjector, type SeriesProjector } from '../../../src/engine/project/series.ts';
import type { Notebook, Series } from '../../../src/ports/series.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createNotes } from '../../../src/readmodel/series/notes.ts';
import type { Point } from '../../../src/readmodel/series/point.ts';
import { pointsOf } from '../../../src/readmodel/series/points.ts';
import type { VirtualClock } from '../../support/clock.ts';
import { rig, type Rig } from './rig.ts';

const keep = { pointsMs: 30 * day, hoursMs: 60 * day, daysMs: 90 * day };

interface Seen {
  readonly content: SeriesContent;
  readonly batches: number[];
  readonly said: string[];
  projector: SeriesProjector | null;
}

/** A rig whose series fail as `fails` says, with the error that it gives. */
async function living(
  fails: (batch: readonly Point[]) => GatewayError | null,
  {
    giveUpAfterMs = 30 * day,
    notebookFails = () => false,
  }: { readonly giveUpAfterMs?: number; readonly notebookFails?: () => boolean } = {},
): Promise<Rig & Seen> {
  const seen: Seen = { content: seriesContent(), batches: [], said: [], projector: null };
  const made = await rig((store, clock) => [projectorOn(store, clock, seen, { fails, giveUpAfterMs, notebookFails })]);
  return Object.assign(seen, made);
}

function projectorOn(
  store: Store,
  clock: VirtualClock,
  seen: Seen,
  {
    fails,
    giveUpAfterMs,
    notebookFails,
  }: { fails: (batch: readonly Point[]) => GatewayError | null; giveUpAfterMs: number; notebookFails: () => boolean },
): SeriesProjector {
  const { series, notebook } = memorySeries({ content: seen.content, keep, clock });
  const write: Series['write'] = async (points) => {
    const failure = fails(points);
    if (failure !== null) throw failure;
    seen.batches.push(points.length);
    return series.write(points);
  };
  const kept: Notebook = {
    ...notebook,
    async save(page) {
      if (notebookFails()) throw new GatewayError('store_unavailable', 'no room for notes');
      await notebook.save(page);
    },
  };
  const logger = {
    info: (_: object, text: string) => void seen.said.push(text),
    warn: (fields: object, text: string) => void seen.said.push(`${text} ${JSON.stringify(fields)}`),
  };
  return (seen.projector = seriesProjector({
    series: { write },
    notebook: kept,
    cursors: store.cursors,
    clock,
    options: { hosts: false },
    giveUpAfterMs,
    logger,
  }));
}

async function factsOf({ store }: Rig): Promise<readonly Fact[]> {
  return (await store.log.read('facts', 0, 0, 10_000)).map(({ value }) => value as Fact);
}

async function assertWhole(made: Rig & Seen): Promise<void> {
  const notes = createNotes();
  const expected = (await factsOf(made)).flatMap((fact) => pointsOf(notes, fact));
  const sorted = (points: Iterable<Point>): readonly string[] =>
    [...points]
      .map((point) => JSON.stringify([point.measurement, point.at, point.nth, Object.entries(point.tags).sort(), point.fields]))
      .sort();
  assert.ok(expected.length > 0);
  assert.deepEqual(sorted(made.content.points.values()), sorted(expected));
  assert.equal(await made.store.cursors.load('series', 0), await made.store.log.end('facts', 0));
  assert.equal(made.service.projectorLags().get('series'), 0);
}

async function ended(made: Rig & Seen): Promise<void> {
  made.projector?.stop();
  void made.service.stop(0);
  await made.clock.forward(10_000);
}

test('T3: what happens becomes points within about a second, in few batches', async () => {
  const made = await living(() => null);
  for (let n = 0; n < 20; n += 1) await made.see(`00000000000000${n + 10}`);
  await made.clock.forward(3 * second);
  await assertWhole(made);
  assert.ok(made.batches.length <= 4, `seen batches of ${made.batches.join(', ')}`);
  await ended(made);
});

test('T1, T2: while the series are away it waits and says so once; decisions and documents go on; then all is written once', async () => {
  let away = false;
  let tries = 0;
  const made = await living(() => {
    if (away) tries += 1;
    return away ? new GatewayError('store_unavailable', 'nobody answers') : null;
  });
  await made.see('0000000000000001');
  await made.clock.forward(2 * second);
  away = true;
  for (let n = 2; n < 6; n += 1) {
    await made.see(`000000000000000${n}`);
    await made.clock.forward(20 * second);
  }
  assert.equal((await made.store.views.count('alert', 'all')).firing, 5);
  assert.equal(made.service.lag(), 0);
  assert.ok(tries > 2 && tries < 10, `seen ${tries} attempts in 80 s`);
  assert.ok((made.projector?.status().awaySince ?? 0) > 0);
  away = false;
  await made.clock.forward(minute);
  await assertWhole(made);
  assert.deepEqual(made.projector?.status(), { awaySince: null, lost: 0 });
  assert.equal(made.said.length, 2, made.said.join('\n'));
  assert.deepEqual(made.troubles, []);
  await ended(made);
});

test('T1: notes that cannot be kept are kept with the next attempt, and no fact is noted twice', async () => {
  let fails = 3;
  const made = await living(() => null, { notebookFails: () => (fails -= 1) >= 0 });
  await made.see('0000000000000001');
  await made.clock.forward(5 * second);
  assert.equal(made.troubles.length, 3);
  await assertWhole(made);
  const kept = made.content.notes.get(0);
  assert.ok(
    [...(kept?.rows.keys() ?? [])].some((key) => key.startsWith('["incident"')),
    'the incident is remembered',
  );
  await ended(made);
});

test('T1: a gateway that ends before its notes are kept makes the same points again after its next start', async () => {
  let isDead = false;
  const made = await living(() => null, { notebookFails: () => isDead });
  await made.see('0000000000000001');
  await made.clock.forward(2 * second);
  isDead = true;
  await made.see('0000000000000002');
  await made.clock.forward(2 * second);
  const before = made.content.points.size;
  const offset = made.content.notes.get(0)?.offset ?? 0;
  assert.ok(offset < (await made.store.log.end('facts', 0)), 'points are out, notes are not');

  isDead = false;
  const again = projectorOn(made.store, made.clock, made, { fails: () => null, giveUpAfterMs: 30 * day, notebookFails: () => false });
  assert.equal(await again.position?.(0), offset);
  const records = await made.store.log.read('facts', 0, offset, 10_000);
  const applied = again.apply({
    partition: 0,
    facts: records.map(({ value }) => value as Fact),
    offset: await made.store.log.end('facts', 0),
  });
  await made.clock.forward(2 * second);
  await applied;
  assert.equal(made.content.points.size, before);
  await assertWhole(made);
  await ended(made);
});

test('T2: what is older than the log keeps is given up and counted; what no attempt would help is not tried again', async () => {
  let error: GatewayError | null = new GatewayError('store_unavailable', 'nobody answers');
  const made = await living(() => error, { giveUpAfterMs: 10 * minute });
  await made.see('0000000000000001');
  await made.clock.forward(20 * minute);
  const lost = made.projector?.status().lost ?? 0;
  assert.ok(lost > 0);
  assert.match(made.said.join('\n'), /given up: the series were away for longer than the log keeps facts/);
  assert.equal(await made.store.cursors.load('series', 0), await made.store.log.end('facts', 0));

  error = new GatewayError('internal', 'a bug of the store');
  await made.see('0000000000000002');
  await made.clock.forward(2 * second);
  assert.ok((made.projector?.status().lost ?? 0) > lost);
  assert.equal(await made.store.cursors.load('series', 0), await made.store.log.end('facts', 0));
  await ended(made);
});

test('T2: a stop does not wait for series that are away', async () => {
  const made = await living(() => new GatewayError('store_unavailable', 'nobody answers'));
  await made.see('0000000000000001');
  await made.clock.forward(40 * second);
  made.projector?.stop();
  let stopped = false;
  void made.service.stop(0).then(() => (stopped = true));
  await made.clock.forward(second);
  assert.ok(stopped);
});
