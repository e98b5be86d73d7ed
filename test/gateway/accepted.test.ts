// What was accepted and cannot be decided pages as it came in, on the embedded log, whatever it is that keeps it from being decided.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../../src/core/errors.ts';
import type { Store } from '../../src/ports/store.ts';
import { deliver, factsFind, folder, full, house, open, ready, until } from './house.ts';

// Each waits for a page that is due in ten seconds: side by side.
describe('what was accepted and cannot be decided', { concurrency: true }, () => {
  it(
    'F6: what a full disk keeps from being decided pages raw, after a restart too, and is decided when there is room',
    { timeout: 90_000 },
    async (t) => {
      const place = folder(t, { 'quench.yaml': house });
      const fresh = await open(t, place);
      await until('ready', async () => (await ready(fresh.url)).status === 200);
      await fresh.stop();
      assert.doesNotMatch(fresh.said(), /an earlier life/, 'nothing lived before it');
      const first = await open(
        t,
        place,
        factsFind(() => true),
      );
      assert.equal(await deliver(first.url, 'Accepted', 3), 200);
      await until('not ready', async () => (await ready(first.url)).status === 503);
      await first.stop();
      assert.doesNotMatch(first.rang(), /Accepted/);

      let isFull = true;
      const second = await open(
        t,
        place,
        factsFind(() => isFull),
      );
      await until('the raw page', () => /\[undecided\][^]*Accepted/.test(second.rang()));
      assert.match(second.said(), /an earlier life left alerts that nobody decided.*alerts=3\b/);
      isFull = false;
      await until('the decided page', () => /\[critical\](?!.*undecided| decided:).*Accepted/.test(second.rang()));
      assert.match(second.said(), /info the log takes records again/);
      await until('ready', async () => (await ready(second.url)).status === 200);
      const lines = second.said().match(/engine in trouble/g) ?? [];
      assert.ok(lines.length <= 3, `${lines.length} lines of one trouble:\n${second.said()}`);
    },
  );

  it('F6: what was decided before a restart is not paged as undecided', { timeout: 60_000 }, async (t) => {
    const place = folder(t, { 'quench.yaml': house });
    const first = await open(t, place, (store) => ({
      ...store,
      // Nothing is saved: the whole log is tail.
      checkpoints: {
        ...store.checkpoints,
        save: async () => Promise.reject(new GatewayError('store_unavailable', 'store: it does not save')),
      },
    }));
    assert.equal(await deliver(first.url, 'Decided'), 200);
    await until('the page', () => /\[critical\](?!.*undecided| decided:).*Decided/.test(first.rang()));
    await first.stop();
    const second = await open(t, place, (store) => ({
      ...store,
      log: {
        ...store.log,
        read: async (topic, partition, from, max) => (topic === 'inputs' && max === 256 ? [] : store.log.read(topic, partition, from, max)),
      },
    }));
    assert.equal(await deliver(second.url, 'Later'), 200);
    await until('the raw page of what came later', () => /\[undecided\][^]*Later/.test(second.rang()));
    assert.doesNotMatch(second.rang(), /\[undecided\][^\n]*Decided/);
  });

  it('F6: a partition that a bug has stopped, and a log that is blind, page what they took raw', { timeout: 90_000 }, async (t) => {
    const spoilt: readonly ((store: Store) => Store)[] = [
      (store) => ({
        ...store,
        log: {
          ...store.log,
          read: async (topic, partition, from, max) => {
            const records = await store.log.read(topic, partition, from, max);
            if (topic === 'inputs' && max === 256 && JSON.stringify(records).includes('Stuck')) throw new Error('a bug of a test');
            return records;
          },
        },
      }),
      (store) => ({ ...store, log: { ...store.log, watch: () => () => {} } }),
    ];
    await Promise.all(
      spoilt.map(async (spoil) => {
        const { url, rang, stop } = await open(t, folder(t, { 'quench.yaml': house }), spoil);
        assert.equal(await deliver(url, 'Stuck'), 200);
        await until('the raw page', () => /\[undecided\][^]*Stuck/.test(rang()));
        await stop();
      }),
    );
  });

  it('F6: what was accepted before room ran short is decided and rings, while deliveries are refused', { timeout: 60_000 }, async (t) => {
    let isShort = false;
    const place = folder(t, { 'quench.yaml': house.replace('settle: 0s', 'settle: 3s') });
    const { url, rang } = await open(t, place, (store) => ({
      ...store,
      log: {
        ...store.log,
        append: async (topic, batch) => {
          if (isShort && batch.mayUseReserve !== true) throw full;
          return store.log.append(topic, batch);
        },
      },
    }));
    assert.equal(await deliver(url, 'Watched', 2), 200);
    isShort = true;
    assert.equal(await deliver(url, 'Refused'), 503);
    await until('its page', () => /\[critical\](?!.*undecided).*Watched/.test(rang()), 20_000);
    assert.doesNotMatch(rang(), /undecided|Refused/);
  });

  it(
    'F6: a log that takes nothing pages what is held and what rings, over a restart, until it takes records',
    { timeout: 90_000 },
    async (t) => {
      let isFull = false;
      const nothingFits = (store: Store): Store => ({
        ...store,
        log: {
          ...store.log,
          append: async (topic, batch) => {
            if (isFull) throw full;
            return store.log.append(topic, batch);
          },
        },
      });
      const place = folder(t, { 'quench.yaml': house.replace('settle: 0s', 'settle: 3s') });
      const first = await open(t, place, nothingFits);
      assert.equal(await deliver(first.url, 'Rings'), 200);
      await until('its page', () => /\[critical\](?!.*undecided).*Rings/.test(first.rang()), 20_000);
      assert.equal(await deliver(first.url, 'Held', 2), 200);
      await until('it is held', async () => first.gateway.service.lag() === 0);
      await sleep(500);
      isFull = true;
      await until('the raw page', () => /nothing can be decided/.test(first.rang()), 40_000);
      assert.match(first.rang(), /nothing can be decided: 2 held and 1 ringing/);
      assert.match(first.rang(), /The log takes nothing since [^]*less than 67108864 bytes are free[^]*- \[critical\] [^\n]*Held/);
      assert.doesNotMatch(first.rang(), /the log takes records again/);
      await first.stop();

      isFull = false;
      const second = await open(t, place, nothingFits);
      await until('the end of the raw page', () => /decided: the log takes records again/.test(second.rang()), 30_000);
      await until('the page', () => /\[critical\](?!.*undecided).*Held/.test(second.rang()), 20_000);
      assert.doesNotMatch(second.rang(), /nothing can be decided/);
    },
  );

  it('F6: readyz asks whether records can be written, also of a log that nobody writes to', { timeout: 60_000 }, async (t) => {
    let isFull = false;
    const place = folder(t, { 'quench.yaml': house });
    const { url, said } = await open(t, place, (store) => ({
      ...store,
      probe: async () => {
        if (isFull) throw full;
        await store.probe();
      },
    }));
    assert.equal((await ready(url)).status, 200);
    isFull = true;
    await until('not ready', async () => (await ready(url)).status === 503);
    assert.match(said(), /error the log does not take records/);
    isFull = false;
    await until('ready', async () => (await ready(url)).status === 200);
    assert.match(said(), /info the log takes records again/);
  });
});
