// The part of the store contract about log, checkpoints and cursors; run by store.ts.
import assert from 'node:assert/strict';
import type { DeskRow } from '../../src/ports/checkpoints.ts';
import type { LogRecord } from '../../src/ports/event-log.ts';
import type { Store } from '../../src/ports/store.ts';
import { newAlerts } from '../support/storm-of-new.ts';
import { contractLimits, hostileTexts, lives, turn, type Promised } from './store-fixture.ts';

const one = (n: number): { n: number } => ({ n });
const seen = (records: readonly LogRecord[]): unknown[] => records.map(({ offset, value }) => [offset, (value as { n: number }).n]);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

export function logContract(promise: Promised): void {
  promise('two hundred callers at once get consecutive offsets, in the order of their calls', async ({ store: { log } }) => {
    const offsets = await Promise.all(upTo(200).map((n) => log.append('inputs', { partition: 1, scope: 's', values: [one(n)] })));

    assert.deepEqual(offsets, upTo(200));
    const records = await log.read('inputs', 1, 0, 1_000);
    assert.deepEqual(
      seen(records),
      upTo(200).map((n) => [n, n]),
    );
    assert.equal(await log.end('inputs', 1), 200);
  });

  promise('what may use the reserve is stored as all else is', async (opened) => {
    const raw = 'as received';
    await opened.store.log.append('inputs', { partition: 0, scope: 's', values: [one(0)], raw, mayUseReserve: true });
    await opened.store.log.append('facts', { partition: 0, scope: 's', values: [one(0)], mayUseReserve: true });
    for await (const { log } of lives(opened)) {
      assert.deepEqual(await log.read('inputs', 0, 0, 9), [{ partition: 0, offset: 0, scope: 's', value: one(0) }]);
      assert.deepEqual(await log.read('facts', 0, 0, 9), [{ partition: 0, offset: 0, scope: 's', value: one(0) }]);
      assert.equal(await log.raw('inputs', 0, 0), raw);
    }
  });

  promise(
    'F6: where room runs short deliveries are refused, and what follows from those accepted is taken',
    async ({ store, reopenShort }) => {
      const batch = { partition: 0, scope: 's', values: [one(0)] };
      await store.log.append('inputs', batch);
      if (reopenShort === undefined) return;
      const { log, probe } = await reopenShort();
      await assert.rejects(log.append('inputs', batch), { code: 'log_unavailable' });
      if (log.bulk !== undefined) await assert.rejects(log.bulk.append(batch), { code: 'log_unavailable' });
      await assert.rejects(probe(), { code: 'log_unavailable' });
      // In one group with what is refused.
      const answers = await Promise.allSettled([
        log.append('inputs', batch),
        log.append('inputs', { ...batch, mayUseReserve: true }),
        log.append('facts', { ...batch, mayUseReserve: true }),
      ]);
      assert.deepEqual(
        answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.status)),
        ['rejected', 1, 0],
      );
    },
  );

  promise('topics and partitions count on their own', async ({ store: { log } }) => {
    await log.append('inputs', { partition: 0, scope: 'a', values: [one(1), one(2)] });
    await log.append('facts', { partition: 0, scope: 'a', values: [one(3)] });
    await log.append('inputs', { partition: 1, scope: 'b', values: [one(4)] });

    assert.deepEqual(seen(await log.read('inputs', 0, 0, 9)), [
      [0, 1],
      [1, 2],
    ]);
    assert.deepEqual(seen(await log.read('facts', 0, 0, 9)), [[0, 3]]);
    assert.deepEqual(await log.read('inputs', 1, 0, 9), [{ partition: 1, offset: 0, scope: 'b', value: one(4) }]);
    assert.deepEqual(await log.read('facts', 1, 0, 9), []);
  });

  promise('nothing is read, counted or announced before it is durable', async ({ store: { log }, remote }) => {
    const heard: Promise<number>[] = [];
    log.watch('inputs', 0, () => void heard.push(log.end('inputs', 0)));
    const appended = log.append('inputs', { partition: 0, scope: 's', values: [one(1)], raw: 'r' });

    const asked = Promise.all([log.read('inputs', 0, 0, 9), log.end('inputs', 0), log.raw('inputs', 0, 0)]);
    if (remote === undefined) assert.deepEqual(await asked, [[], 0, null]);
    const [offset] = await Promise.all([appended, asked]);
    assert.equal(offset, 0);
    assert.deepEqual(seen(await log.read('inputs', 0, 0, 9)), [[0, 1]]);
    await turn();
    const ends = await Promise.all(heard);
    assert.ok(ends.length >= 1 && ends.every((end) => end === 1), `heard of ${ends.join()}`);
    // What comes back over a network may be announced again.
    if (remote === undefined) assert.equal(ends.length, 1);
  });

  promise('what was acknowledged is there after a restart, and offsets go on', async ({ store, reopen }) => {
    for (let n = 0; n < 100; n += 4) {
      await store.log.append('inputs', { partition: 0, scope: 's', values: [one(n), one(n + 1), one(n + 2), one(n + 3)] });
    }
    const { log } = await reopen();

    assert.deepEqual(
      seen(await log.read('inputs', 0, 0, 1_000)),
      upTo(100).map((n) => [n, n]),
    );
    assert.equal(await log.append('inputs', { partition: 0, scope: 's', values: [one(100)] }), 100);
    assert.deepEqual(seen(await log.read('inputs', 0, 99, 9)), [
      [99, 99],
      [100, 100],
    ]);
  });

  promise('facts come back as they were, from any offset on, also when nobody remembers them', async ({ store, reopen }) => {
    const facts = newAlerts(120)
      .slice(90)
      .flatMap((alert) => alert.facts);
    for (let at = 0; at < facts.length; at += 23) {
      await store.log.append('facts', { partition: 0, scope: 'default', values: facts.slice(at, at + 23) });
    }
    const { log } = await reopen();

    for (let from = 0; from < facts.length; from += 17) {
      const values = (await log.read('facts', 0, from, 29)).map(({ value }) => value);
      assert.deepEqual(values, facts.slice(from, from + 29));
    }
  });

  promise('reading starts inside a batch, stops at the maximum, and finds nothing past the end', async (opened) => {
    const { store } = opened;
    for (let n = 0; n < 30; n += 3) await store.log.append('facts', { partition: 0, scope: 's', values: [one(n), one(n + 1), one(n + 2)] });
    for await (const { log } of lives(opened)) {
      for (let offset = 0; offset < 30; offset += 1) {
        assert.deepEqual(
          seen(await log.read('facts', 0, offset, 4)),
          upTo(4)
            .map((n) => [offset + n, offset + n])
            .slice(0, 30 - offset),
        );
      }
      assert.deepEqual(await log.read('facts', 0, 30, 9), []);
      assert.deepEqual(await log.read('facts', 0, 3_000, 9), []);
      assert.deepEqual(await log.read('facts', 0, 0, 0), []);
    }
  });

  promise('hostile text in records, scopes and deliveries comes back as it was', async ({ store, reopen }) => {
    const value = Object.fromEntries(hostileTexts.map((text) => [text, { text }]));
    for (const text of hostileTexts) await store.log.append('inputs', { partition: 0, scope: text, values: [value, value], raw: text });
    const { log } = await reopen();

    const records = await log.read('inputs', 0, 0, 1_000);
    assert.deepEqual(
      records.map(({ scope }) => scope),
      hostileTexts.flatMap((text) => [text, text]),
    );
    for (const record of records) assert.deepEqual(record.value, value);
    for (const [index, text] of hostileTexts.entries()) assert.equal(await log.raw('inputs', 0, index * 2 + 1), text);
  });

  promise('the delivery is kept beside its batch, and only there', async ({ store: { log } }) => {
    await log.append('inputs', { partition: 0, scope: 's', values: [one(0), one(1)], raw: '{"body":1}' });
    await log.append('inputs', { partition: 0, scope: 's', values: [one(2)] });

    const raws = await Promise.all([0, 1, 2, 3].map((offset) => log.raw('inputs', 0, offset)));
    assert.deepEqual(raws, ['{"body":1}', '{"body":1}', null, null]);
  });

  promise('trimming forgets what is below, keeps offsets, and lasts', async (opened) => {
    const { store } = opened;
    for (let n = 0; n < 600; n += 2) await store.log.append('inputs', { partition: 0, scope: 's', values: [one(n), one(n + 1)], raw: 'r' });
    await store.log.append('inputs', { partition: 1, scope: 's', values: [one(7)] });
    await store.log.trim('inputs', 0, 595);
    await store.log.trim('inputs', 0, 10);
    for await (const { log } of lives(opened)) {
      assert.deepEqual(seen(await log.read('inputs', 0, 0, 2)), [
        [595, 595],
        [596, 596],
      ]);
      assert.deepEqual([await log.raw('inputs', 0, 594), await log.raw('inputs', 0, 595)], [null, 'r']);
      assert.deepEqual([await log.end('inputs', 0), await log.end('inputs', 1)], [600, 1]);
      assert.deepEqual(seen(await log.read('inputs', 1, 0, 9)), [[0, 7]]);
    }
  });

  promise('a log trimmed to nothing still knows its next offset', async ({ store, reopen }) => {
    await store.log.append('facts', { partition: 0, scope: 's', values: [one(0), one(1)] });
    await store.log.trim('facts', 0, 1_000_000);
    const { log } = await reopen();

    assert.deepEqual(await log.read('facts', 0, 0, 9), []);
    assert.equal(await log.end('facts', 0), 2);
    assert.equal(await log.append('facts', { partition: 0, scope: 's', values: [one(2)] }), 2);
  });

  promise('a watcher hears of every durable append, and of none after it stopped', async ({ store: { log } }) => {
    const heard: number[] = [];
    const stop = log.watch('facts', 0, () => void log.end('facts', 0).then((end) => heard.push(end)));
    await log.append('facts', { partition: 1, scope: 's', values: [one(0)] });
    await log.append('inputs', { partition: 0, scope: 's', values: [one(0)] });
    await Promise.all(upTo(20).map((n) => log.append('facts', { partition: 0, scope: 's', values: [one(n)] })));
    await log.append('facts', { partition: 0, scope: 's', values: [one(20)] });
    await turn();
    assert.equal(heard.at(-1), 21);
    assert.ok(heard.length >= 2);
    assert.ok(heard.every((end) => end > 0));

    stop();
    const before = heard.length;
    await log.append('facts', { partition: 0, scope: 's', values: [one(21)] });
    await turn();
    assert.equal(heard.length, before);
  });

  promise('beyond the bound of the queue callers are turned away, and no offset is lost', async ({ store: { log } }) => {
    const answers = await Promise.allSettled(upTo(3_000).map((n) => log.append('inputs', { partition: 0, scope: 's', values: [one(n)] })));
    const taken = answers.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
    const refused = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason.code);

    assert.deepEqual(taken, upTo(contractLimits.queueRecordsMax));
    assert.deepEqual([...new Set(refused)], ['overloaded']);
    assert.equal(await log.append('inputs', { partition: 0, scope: 's', values: [one(0)] }), taken.length);
    const heavy = upTo(4).map(() => log.append('inputs', { partition: 0, scope: 's', values: [one(0)], raw: 'x'.repeat(400_000) }));
    const outcomes = await Promise.allSettled(heavy);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
    );
  });

  promise('a closed store refuses, in the words of the port', async ({ store }) => {
    await Promise.all([store.log.append('inputs', { partition: 0, scope: 's', values: [one(0)] }), store.close()]);
    await store.close();

    await assert.rejects(store.log.append('inputs', { partition: 0, scope: 's', values: [one(0)] }), { code: 'log_unavailable' });
    await assert.rejects(store.cursors.save('c', 0, 1), { code: 'store_unavailable' });
  });
}

export function stateContract(promise: Promised): void {
  const rowsOf = async (store: Store, partition: number): Promise<{ mark: unknown; rows: DeskRow[] }> => {
    const rows: DeskRow[] = [];
    const mark = await store.checkpoints.load(partition, (chunk) => rows.push(...chunk));
    return { mark, rows: rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
  };
  const row = (key: string, doc: object | null): DeskRow => ({ scope: 's', table: 't', key, doc });
  const grow = (store: Store): Promise<unknown> => store.log.append('inputs', { partition: 0, scope: 's', values: upTo(50).map(one) });

  promise('a checkpoint replaces and deletes row by row, with its mark', async (opened) => {
    const { store } = opened;
    await grow(store);
    assert.deepEqual(await rowsOf(store, 0), { mark: null, rows: [] });
    await store.checkpoints.save(0, { inputs: 1, facts: 0 }, [row('a', { v: 1 }), row('b', { v: 1 }), row('c', { v: 1 })]);
    await store.checkpoints.save(0, { inputs: 2, facts: 0 }, [row('a', { w: 2 }), row('b', null), row('absent', null)]);
    await store.checkpoints.save(1, { inputs: 0, facts: 0 }, [row('a', { v: 9 })]);

    for await (const held of lives(opened)) {
      assert.deepEqual(await rowsOf(held, 0), { mark: { inputs: 2, facts: 0 }, rows: [row('a', { w: 2 }), row('c', { v: 1 })] });
      assert.deepEqual(await rowsOf(held, 1), { mark: { inputs: 0, facts: 0 }, rows: [row('a', { v: 9 })] });
    }
  });

  promise('a checkpoint past the end of the log is refused and changes nothing', async ({ store }) => {
    await grow(store);
    await store.checkpoints.save(0, { inputs: 50, facts: 0 }, [row('a', { v: 1 })]);

    for (const mark of [
      { inputs: 51, facts: 0 },
      { inputs: 50, facts: 1 },
    ]) {
      await assert.rejects(store.checkpoints.save(0, mark, [row('a', { v: 2 })]), { code: 'state_conflict' });
    }
    assert.deepEqual(await rowsOf(store, 0), { mark: { inputs: 50, facts: 0 }, rows: [row('a', { v: 1 })] });
  });

  promise('a checkpoint is settled after the appends that were called before it', async ({ store }) => {
    const order: string[] = [];
    const facts = store.log.append('facts', { partition: 0, scope: 's', values: [one(0)] }).then(() => order.push('facts'));
    const saved = store.checkpoints.save(0, { inputs: 0, facts: 1 }, []).then(() => order.push('checkpoint'));
    await Promise.all([facts, saved]);

    assert.deepEqual(order, ['facts', 'checkpoint']);
  });

  promise('a desk of thousands of rows and hostile keys loads whole', async ({ store, reopen }) => {
    const hostile = hostileTexts.flatMap((text) => [
      { scope: text, table: 't', key: 'k', doc: { text } },
      { scope: 's', table: text, key: 'k', doc: { text } },
      { scope: 's', table: 't', key: text, doc: { text } },
    ]);
    await store.checkpoints.save(0, { inputs: 0, facts: 0 }, hostile);
    for (let n = 0; n < 2_500; n += 500) {
      await store.checkpoints.save(
        0,
        { inputs: 0, facts: 0 },
        upTo(500).map((m) => row(`n${n + m}`, one(m))),
      );
    }
    const { rows } = await rowsOf(await reopen(), 0);
    const named = new Map(rows.map((held) => [JSON.stringify([held.scope, held.table, held.key]), held.doc]));
    assert.equal(rows.length, named.size);
    assert.equal(named.size, 2_500 + new Set(hostile.map(({ scope, table, key }) => JSON.stringify([scope, table, key]))).size);
    for (const { scope, table, key, doc } of hostile) assert.deepEqual(named.get(JSON.stringify([scope, table, key])), doc);
  });

  promise('what may wait is kept in order, let on as far as the limit goes, and passed by what is appended', async (opened) => {
    const { log } = opened.store;
    const { bulk } = log;
    if (bulk === undefined) return;
    const batch = (n: number) => ({ partition: 1, scope: 's', values: [one(n), one(n + 1)], raw: `raw of ${n}` });
    const places = async (from: Store): Promise<unknown[]> =>
      seen(await from.log.read('inputs', 1, 0, 100)).map((pair) => (pair as unknown[])[1]);
    assert.equal(bulk.mustWait(1), false, 'without a limit nothing must wait');
    bulk.limit(1, 2);
    await log.append('inputs', batch(0));
    assert.equal(bulk.mustWait(1), true);
    assert.equal(bulk.mustWait(0), false);
    await Promise.all([10, 12, 14].map((n) => bulk.append(batch(n))));
    assert.deepEqual([await places(opened.store), bulk.counts(1)], [[0, 1], { taken: 6, placed: 0 }]);

    await log.append('inputs', { partition: 1, scope: 's', values: [one(99)] });
    assert.deepEqual(await places(opened.store), [0, 1, 99], 'F8: it passes what waits');
    const heard: number[] = [];
    log.watch('inputs', 1, () => void heard.push(1));
    bulk.limit(1, 4);
    for (let round = 0; round < 1_000 && bulk.counts(1).placed < 2; round += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual([await places(opened.store), bulk.counts(1)], [[0, 1, 99, 10, 11], { taken: 6, placed: 2 }]);
    await turn();
    assert.ok(heard.length > 0);
    assert.equal(await log.raw('inputs', 1, 4), 'raw of 10');
    assert.equal(bulk.mustWait(1), true, 'something waits');

    const next = await opened.reopen();
    assert.deepEqual(await places(next), [0, 1, 99, 10, 11, 12, 13, 14, 15], 'nothing waits over a restart');
    assert.equal(next.log.bulk?.mustWait(1), false);
    assert.equal(await next.log.end('inputs', 1), 9);
  });

  promise(
    'what may wait is durable when it is accepted, and more of it than is held in memory is read whole',
    async ({ store: { log } }) => {
      const { bulk } = log;
      if (bulk === undefined) return;
      bulk.limit(0, 0);
      await Promise.all(
        upTo(300).map((n) => bulk.append({ partition: 0, scope: 's', values: [one(3 * n), one(3 * n + 1), one(3 * n + 2)] })),
      );
      assert.equal(await log.end('inputs', 0), 0);
      for (let below = 0; (await log.end('inputs', 0)) < 900; below += 7) {
        bulk.limit(0, below);
        await turn();
      }
      const records = [];
      while (records.length < 900) records.push(...(await log.read('inputs', 0, records.length, 50)));
      assert.deepEqual(
        seen(records),
        upTo(900).map((n) => [n, n]),
      );
    },
  );

  promise('cursors start at 0, move both ways, and are kept by name and partition', async (opened) => {
    const { store } = opened;
    for (const [index, text] of hostileTexts.entries()) await store.cursors.save(text, 1, index + 1);
    await store.cursors.save('A', 1, 4);

    for await (const held of lives(opened)) {
      assert.equal(await held.cursors.load('A', 0), 0);
      assert.equal(await held.cursors.load('A', 1), 4);
      for (const [index, text] of hostileTexts.entries()) {
        if (text !== 'A') assert.equal(await held.cursors.load(text, 1), index + 1);
      }
    }
  });
}
