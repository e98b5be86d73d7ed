// A ladder whose notifiers all refuse: the gateway says so in a figure, and the fail-open notifiers are told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startReceiver } from '../support/receiver.ts';
import { deliver, folder, house, open, until } from './house.ts';

async function unreached(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^quench_pages_unreached (\d+)$/m.exec(text)?.[1]);
}

test(
  'B9: a page that nobody on its ladder took is counted, over a restart, and the fail-open notifiers are told',
  { timeout: 60_000 },
  async (t) => {
    const broken = await startReceiver();
    t.after(() => broken.close());
    broken.answer = (response) => void response.writeHead(401).end();
    const secret = `whsec_${Buffer.from('a secret for the test, 32 bytes.').toString('base64')}`;
    const text = house
      .replace('notifiers: {', 'notifiers: { broken: { type: webhook, url: { file: broken.url }, secrets: [{ file: broken.whsec }] },')
      .replace('notify: console }] }', 'notify: broken }], ackTimeout: 0s }');
    const place = folder(t, { 'quench.yaml': text, 'broken.url': `${broken.origin}/page`, 'broken.whsec': secret });
    const first = await open(t, place);
    assert.equal(await unreached(first.url), 0);

    assert.equal(await deliver(first.url, 'Down'), 200);
    await until('the figure', async () => (await unreached(first.url)) === 1);
    await until('the fail-open notifier', () => /Down/.test(first.rang()));
    assert.equal(broken.heard.length, 1, 'who refuses for good is not asked again under that id');
    await first.stop();

    const { url } = await open(t, place);
    await until('the figure after a restart', async () => (await unreached(url)) === 1);
  },
);
