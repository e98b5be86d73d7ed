import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createHttp, type Http } from '../../../adapters/kit/http-client.ts';
import { createSlack } from '../../../adapters/slack/notifier.ts';
import type { Notification } from '../../../src/core/page/notification.ts';
import { notifierContract } from '../../contracts/notifier.ts';
import { plainNotification } from '../../support/notification.ts';
import { startReceiver, type Receiver } from '../../support/receiver.ts';
import { wallClock } from '../../support/wallclock.ts';

const path = '/services/T0PLANTED/B0PLANTED/plantedplantedplanted24x';

notifierContract({
  name: 'slack',
  create: (origin, deps) => createSlack({ url: origin + path }, deps),
  secrets: [path, 'plantedplantedplanted24x'],
  welcome: { status: 200, body: 'ok' },
  // 204 carries no body, so nothing there says ok.
  accepts: (status) => status >= 200 && status <= 299 && status !== 204,
  brokenWelcome: 'unknown',
  endlessWelcome: 'refused',
  dedup: null,
});

describe('slack messages', () => {
  let receiver: Receiver;
  let http: Http;
  before(async () => {
    receiver = await startReceiver();
    http = createHttp({ clock: wallClock, policy: { allowPrivate: true, allow: [] } });
  });
  after(async () => {
    http.close();
    await receiver.close();
  });

  async function post(change: Partial<Notification>, body = 'ok') {
    receiver.answer = (response) => response.end(body);
    const notifier = createSlack({ url: receiver.origin + path }, { http, clock: wallClock });
    const outcome = await notifier.deliver({ ...plainNotification, ...change }, new AbortController().signal);
    return { outcome, message: JSON.parse(receiver.heard.at(-1)?.body ?? '') };
  }

  test('200 with another body is refused: a login page is not Slack', async () => {
    const { outcome } = await post({}, '<html>please log in</html>');

    assert.equal(outcome.outcome, 'refused');
  });

  test('B18: the message has the headline, the text, the links side by side, and the facts', async () => {
    const links = [...plainNotification.links, { text: 'Acknowledge', href: 'https://quench.example.org/ack/t2' }];
    const { message } = await post({ links });

    assert.equal(message.text, '[critical] disk full on db1');
    assert.deepEqual(
      message.blocks.map(
        (block: { text?: { text: string }; fields?: { text: string }[] }) => block.text?.text ?? block.fields?.map((field) => field.text),
      ),
      [
        '*[critical] disk full on db1*',
        plainNotification.text,
        '<https://quench.example.org/incidents/i42.default|incident>  ·  <https://quench.example.org/ack/t2|Acknowledge>',
        ['*host*\ndb1.example.org', '*attempts*\n2'],
        undefined,
      ],
    );
  });

  test('B18: a long text is parted at its empty lines, and nothing of it is lost', async () => {
    const paragraphs = Array.from({ length: 9 }, (_, index) => `${index}: ${'<x> '.repeat(200)}end ${index}`);
    const { message } = await post({ text: paragraphs.join('\n\n') });

    const texts: string[] = message.blocks.flatMap((block: { text?: { text: string } }) =>
      block.text === undefined ? [] : [block.text.text],
    );
    for (const index of paragraphs.keys()) assert.equal(texts.filter((text) => text.includes(`end ${index}`)).length, 1);
    assert.ok(texts.every((text) => text.length <= 3_000));
  });

  test('no text of a notification can mention, link or call a channel', async () => {
    const trap = '<!channel> <!here|x> <@U123> <https://evil.example|click> @channel @Everyone &lt;!channel&gt;';
    const facts = [{ name: trap, value: trap }];
    const links = [{ text: `${trap}|>`, href: 'https://example.org/a|b>c?x=<!channel>&y=1' }];
    const { message } = await post({ title: trap, text: trap, facts, links, incident: trap });

    const texts: string[] = [message.text];
    for (const { text, fields, elements } of message.blocks) {
      for (const part of [text, ...(fields ?? []), ...(elements ?? [])]) {
        if (part === undefined) continue;
        assert.equal(part.verbatim, true);
        texts.push(part.text);
      }
    }
    for (const text of texts) {
      const own = text.replace(/^<https:\/\/example\.org\/[^<>|]*\|[^<>]*>$/, '');
      assert.doesNotMatch(own, /[<>]/);
      assert.doesNotMatch(own, /@(channel|here|everyone)/i);
      assert.doesNotMatch(own, /&(?!amp;|lt;|gt;)/);
    }
    assert.equal(texts.filter((text) => text.startsWith('<https://example.org/')).length, 1);
  });

  test('no block is larger than Slack takes, and no entity is cut in half', async () => {
    const facts = Array.from({ length: 40 }, () => ({ name: '&'.repeat(500), value: '<'.repeat(5_000) }));
    const links = Array.from({ length: 40 }, () => ({ text: 'x'.repeat(500), href: `https://example.org/?${'&'.repeat(2_000)}` }));
    const { message } = await post({ title: '>'.repeat(5_000), text: '&'.repeat(10_000), facts, links });

    assert.ok(message.blocks.length <= 50);
    for (const { text, fields } of message.blocks) {
      assert.ok((text?.text.length ?? 1) <= 3_000);
      assert.ok((fields ?? []).length <= 10);
      for (const field of fields ?? []) assert.ok(field.text.length <= 2_000);
    }
    assert.doesNotMatch(JSON.stringify(message), /&(?!amp;|lt;|gt;)/);
  });
});
