// Deliveries that an endpoint goes on refusing, on a running gateway whose time passes quickly: the page by the usual ladder, and the raw one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../src/core/errors.ts';
import { deliver, folder, house, open, until } from './house.ts';

const haste = 60;
const small = `${house}limits: { body: 1KiB, lists: 2KiB }\n`;
/** Minutes of the gateway, in milliseconds of ours. */
const minutes = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, (count * 60_000) / haste));

async function send(url: string, bytes: number): Promise<number> {
  const body = `{"alerts":[${' '.repeat(bytes - 13)}]}`;
  const headers = { 'content-type': 'application/json', connection: 'close' };
  return (await fetch(`${url}/webhooks/am`, { method: 'POST', headers, body })).status;
}

describe('deliveries that go on being refused', { concurrency: true }, () => {
  it(
    'A8: bodies beyond the cap are paged once by the ladder with the line to paste, and resolved when deliveries are taken',
    { timeout: 90_000 },
    async (t) => {
      const { url, gateway, rang, said } = await open(t, folder(t, { 'quench.yaml': small }), undefined, haste);
      await until('the policy', () => gateway.service.policy() !== null);
      for (let round = 0; round < 10; round += 1) {
        assert.equal(await send(url, 5_000), 413);
        await minutes(1);
      }
      await until('the page', () => rang().includes('source am is sending bodies of'));
      assert.match(rang(), /limits: \{ lists: 1MiB \}/);
      assert.match(said(), /source am is sending bodies of .* that are refused since .*: an alert was raised/);
      for (let round = 0; round < 4; round += 1) {
        assert.equal(await send(url, 5_000), 413);
        await minutes(1);
      }
      assert.equal(rang().match(/\[critical\] source am is sending bodies of/g)?.length, 1, rang());
      assert.equal(await send(url, 1_000), 200);
      await until('its end', () => /takes deliveries again/.test(said()) && /resolved/i.test(rang()));
    },
  );

  it('A8: when the log does not take the alert either, it is paged raw', { timeout: 90_000 }, async (t) => {
    const { url, gateway, rang } = await open(
      t,
      folder(t, { 'quench.yaml': small }),
      (store) => ({
        ...store,
        log: {
          ...store.log,
          append: async (topic, batch) => {
            const isAlert = topic === 'inputs' && batch.values.some((value) => 'type' in value && value.type === 'AlertSeen');
            if (isAlert) throw new GatewayError('log_unavailable', 'store: the disk is full');
            return store.log.append(topic, batch);
          },
        },
      }),
      haste,
    );
    await until('the policy', () => gateway.service.policy() !== null);
    assert.equal(await deliver(url, 'DiskFull'), 503);
    for (let round = 0; round < 9; round += 1) {
      assert.equal(await send(url, 5_000), 413);
      await minutes(1);
    }
    await until('the raw page', () => /\[quench\] source am is sending bodies of/.test(rang()));
    assert.match(rang(), /could not be paged in the usual way: store: the disk is full/);
  });
});
