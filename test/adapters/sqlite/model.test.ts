// The file against the memory store, which is small enough to be believed: the same calls get the same answers, restarts included.
import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import { sqliteLimits, sqliteStore } from '../../../adapters/sqlite/store.ts';
import type { Json } from '../../../src/core/json.ts';
import type { DeskRow } from '../../../src/ports/checkpoints.ts';
import type { Store } from '../../../src/ports/store.ts';
import { documentKinds } from '../../../src/readmodel/documents.ts';
import type { DocumentPatch } from '../../../src/readmodel/patch.ts';
import type { ViewQuery } from '../../../src/readmodel/query.ts';
import { contractLimits, hostileTexts, contractPartitions as partitions, type SetClock } from '../../contracts/store-fixture.ts';

/** A call, and what it answers in a form that both stores share. */
type Step = { readonly says: string; readonly run: (store: Store) => Promise<unknown> } | { readonly says: 'restart' | 'a second passes' };

const word = fc.oneof(fc.constantFrom(...hostileTexts.slice(0, 10)), fc.constantFrom('a', 'b', 'c'), fc.string({ maxLength: 4 }));
const { json } = fc.letrec<{ json: Json; leaf: Json; tree: Json }>((tie) => ({
  json: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('tree')),
  leaf: fc.oneof(fc.constant(null), fc.integer(), fc.boolean(), word, fc.array(fc.integer(), { maxLength: 2 })),
  tree: fc.dictionary(fc.constantFrom('a', 'b', '', '\0', '__proto__', '"', '\ud800'), tie('json'), { maxKeys: 4, noNullPrototype: true }),
}));
const object = fc.dictionary(word, json, { maxKeys: 4, noNullPrototype: true });
const partition = fc.nat({ max: partitions - 1 });
const topic = fc.constantFrom('inputs' as const, 'facts' as const);
const offset = fc.nat({ max: 30 });
const kind = fc.constantFrom('alert' as const, 'incident' as const);
const scopes = fc.oneof(fc.constant('all' as const), fc.array(word, { maxLength: 2 }));
const id = fc.oneof(fc.constantFrom('x', 'y', 'z'), word);

const step = (says: string, run: (store: Store) => Promise<unknown>): Step => ({ says, run });

const logStep: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(topic, fc.record({ partition, scope: word, values: fc.array(object, { minLength: 1, maxLength: 5 }), raw: word }))
    .map(([of, batch]) => step(`append ${of} ${JSON.stringify(batch)}`, (store) => store.log.append(of, batch))),
  fc
    .tuple(topic, partition, offset, fc.nat({ max: 9 }))
    .map(([of, at, from, max]) => step(`read ${of} ${at} ${from} ${max}`, (store) => store.log.read(of, at, from, max))),
  fc.tuple(topic, partition, offset).map(([of, at, from]) => step(`raw ${of} ${at} ${from}`, (store) => store.log.raw(of, at, from))),
  fc.tuple(topic, partition, offset).map(([of, at, below]) => step(`trim ${of} ${at} ${below}`, (store) => store.log.trim(of, at, below))),
);

const row = fc.record({ scope: word, table: word, key: word, doc: fc.option(object, { freq: 3 }) });
const stateStep: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(partition, fc.record({ inputs: fc.nat({ max: 6 }), facts: fc.nat({ max: 6 }) }), fc.array(row, { maxLength: 4 }))
    .map(([at, mark, rows]) => step(`checkpoint ${at} ${JSON.stringify([mark, rows])}`, (store) => store.checkpoints.save(at, mark, rows))),
  fc
    .tuple(word, partition, offset)
    .map(([name, at, to]) => step(`cursor ${name} ${at} ${to}`, (store) => store.cursors.save(name, at, to))),
  fc.tuple(word, partition).map(([name, at]) => step(`load cursor ${name} ${at}`, (store) => store.cursors.load(name, at))),
);

const instant = fc.integer({ min: 1, max: 4 });
const link = fc.option(id);
const severity = fc.constantFrom('info' as const, 'critical' as const);
const optional = { requiredKeys: [] };
const begins = fc.constantFrom(true as const, undefined);
const alertSet = fc.record(
  {
    state: fc.constantFrom('firing' as const, 'cleared' as const),
    severity,
    source: word,
    entity: fc.record({ host: word }, optional),
    labels: fc.dictionary(word, word, { maxKeys: 3, noNullPrototype: true }),
    incident: link,
    sourceMute: link,
  },
  optional,
);
const incidentSet = fc.record(
  { state: fc.constantFrom('open' as const, 'resolved' as const), severity, parent: link, title: word },
  optional,
);
const base = { id, scope: word, at: instant, begins };
const patch = fc
  .oneof(
    fc.record({ kind: fc.constant('alert' as const), ...base, set: alertSet }),
    fc.record({
      kind: fc.constant('incident' as const),
      ...base,
      set: incidentSet,
      add: fc.record({ sources: fc.array(word, { maxLength: 2 }) }),
    }),
  )
  .map((made) => JSON.parse(JSON.stringify(made)) as DocumentPatch); // without what is undefined
const entry = fc.record({ incident: id, scope: fc.constant('s'), seq: offset, at: offset, type: word, text: word, detail: object });
const query = fc.record(
  {
    kind,
    scopes,
    sources: fc.array(word, { maxLength: 2 }),
    hosts: fc.array(word, { maxLength: 2 }),
    text: word,
    sort: fc.constantFrom('worst' as const, 'newest' as const),
    since: instant,
    limit: fc.integer({ min: 1, max: 3 }),
  },
  { requiredKeys: ['kind', 'scopes', 'limit'] },
);
const batch = fc.record({
  cursor: fc.constantFrom('v', 'w'),
  partition,
  offset,
  patches: fc.array(patch, { maxLength: 5 }),
  entries: fc.array(entry, { maxLength: 5 }),
});
const viewStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: batch.map((facts) => step(`apply ${JSON.stringify(facts)}`, (store) => store.views.apply(facts))) },
  { weight: 2, arbitrary: query.map((asked) => step(`list ${JSON.stringify(asked)}`, (store) => pages(store, asked))) },
  fc.tuple(kind, id).map(([of, name]) => step(`get ${of} ${name}`, (store) => store.views.get(of, name, 'all'))),
  kind.map((of) => step(`count ${of}`, (store) => store.views.count(of, 'all'))),
  fc
    .tuple(id, offset)
    .map(([name, from]) =>
      step(`timeline ${name} ${from}`, (store) => store.views.timeline({ incident: name, scopes: 'all', after: from, limit: 3 })),
    ),
  fc
    .tuple(fc.nat({ max: 9_000 }), fc.nat({ max: 3 }))
    .map(([at, max]) => step(`prune ${at} ${max}`, (store) => store.views.prune(at, max))),
);

const letter = fc.record({
  id,
  at: offset,
  endpoint: word,
  source: word,
  reason: word,
  message: word,
  headers: fc.dictionary(word, word),
  body: word,
  path: word,
});
const letterStep: fc.Arbitrary<Step> = fc.oneof(
  letter.map((held) => step(`add ${JSON.stringify(held)}`, (store) => store.deadLetters.add({ ...held, state: 'waiting' }))),
  id.map((name) => step(`mark ${name}`, (store) => store.deadLetters.mark(name, 'replayed'))),
  id.map((name) => step(`letter ${name}`, (store) => store.deadLetters.get(name))),
  fc.constant(step('letters', (store) => store.deadLetters.list({ limit: 9 }))),
);

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: logStep },
    { weight: 3, arbitrary: stateStep },
    { weight: 8, arbitrary: viewStep },
    { weight: 3, arbitrary: letterStep },
    { weight: 1, arbitrary: fc.constantFrom<Step>({ says: 'restart' }, { says: 'a second passes' }) },
  ),
  { minLength: 20, maxLength: 60, size: 'max' },
);

async function pages(store: Store, asked: ViewQuery<'alert' | 'incident'>): Promise<unknown> {
  const first = await store.views.list(asked);
  if (first.next === null) return first.items;
  return [first.items, (await store.views.list({ ...asked, after: first.next })).items];
}

/** What anyone can read, without the places in `next`, which are each store's own. */
async function everything(store: Store): Promise<unknown> {
  const held: unknown[] = [];
  for (let at = 0; at < partitions; at += 1) {
    for (const name of ['inputs', 'facts'] as const) held.push(await store.log.end(name, at), await store.log.read(name, at, 0, 999));
    const rows: DeskRow[] = [];
    held.push(await store.checkpoints.load(at, (chunk) => rows.push(...chunk)));
    held.push(new Map(rows.map(({ scope, table, key, doc }) => [JSON.stringify([scope, table, key]), doc])));
    for (const name of ['v', 'w', 'a']) held.push(await store.cursors.load(name, at));
  }
  for (const each of documentKinds) {
    held.push(await store.views.list({ kind: each, scopes: 'all', limit: 999 }), await store.views.count(each, 'all'));
  }
  for (const name of ['x', 'y', 'z']) held.push(await store.views.timeline({ incident: name, scopes: 'all', after: -1, limit: 999 }));
  held.push(await store.deadLetters.list({ limit: 999 }), await store.deadLetters.count());
  return held;
}

const answerOf = (answer: Promise<unknown>): Promise<unknown> => answer.catch((error: { code?: string }) => `refused: ${error.code}`);

test('the file and the memory store answer alike, whatever is asked in whatever order', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const folder = mkdtempSync(join(tmpdir(), 'quench-model-'));
      const clock: SetClock = { at: 1_000, now: () => clock.at };
      const disk = memoryDisk();
      const limits = { ...sqliteLimits, ...contractLimits, tailRecordsMax: 12 };
      const openFile = (): Promise<Store> => sqliteStore({ path: join(folder, 'store.db'), partitions, limits, clock });
      const openMemory = (): Store => memoryStore({ disk, partitions, limits, clock });
      let file = await openFile();
      let memory = openMemory();
      try {
        for (const next of taken) {
          if ('run' in next) {
            const expected = await answerOf(next.run(memory));
            if (String(expected).startsWith('refused')) refused += 1;
            assert.deepEqual(await answerOf(next.run(file)), expected, next.says);
          } else if (next.says === 'restart') {
            disk.crash();
            memory = openMemory();
            await file.close();
            file = await openFile();
          } else clock.at += 1_000;
        }
        assert.deepEqual(await everything(file), await everything(memory));
      } finally {
        await file.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 20, seed: 20_261_121 },
  );
  assert.ok(refused > 10, `checkpoints past the end are among the calls: ${refused}`);
});
