import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createHttp, type Http } from '../../../adapters/kit/http-client.ts';
import { createPagerDuty } from '../../../adapters/pagerduty/notifier.ts';
import type { Notification } from '../../../src/core/page/notification.ts';
import { notifierContract } from '../../contracts/notifier.ts';
import { plainNotification } from '../../support/notification.ts';
import { startReceiver, type Receiver } from '../../support/receiver.ts';
import { wallClock } from '../../support/wallclock.ts';

const routingKey = 'R0123456789abcdefPLANTEDsecret99';

notifierContract({
  name: 'pagerduty',
  create: (origin, deps) => createPagerDuty({ routingKey, url: origin }, deps),
  secrets: [routingKey],
  welcome: { status: 202, body: '{"status":"success","message":"Event processed","dedup_key":"quench:i42.default"}' },
  accepts: (status) => status === 202,
  brokenWelcome: 'accepted',
  endlessWelcome: 'accepted',
  dedup: (heard) => JSON.parse(heard.body).dedup_key,
});

describe('pagerduty events', () => {
  let receiver: Receiver;
  let http: Http;
  before(async () => {
    receiver = await startReceiver();
    receiver.answer = (response) => response.writeHead(202).end();
    http = createHttp({ clock: wallClock, policy: { allowPrivate: true, allow: [] } });
  });
  after(async () => {
    http.close();
    await receiver.close();
  });

  async function eventFor(change: Partial<Notification>) {
    const notifier = createPagerDuty({ routingKey, url: receiver.origin }, { http, clock: wallClock });
    await notifier.deliver({ ...plainNotification, ...change }, new AbortController().signal);
    const last = receiver.heard.at(-1);
    assert.ok(last !== undefined);
    return { ...last, event: JSON.parse(last.body) };
  }

  test('a page triggers with summary, source, severity, details and links', async () => {
    const { url, event } = await eventFor({});

    assert.equal(url, '/v2/enqueue');
    assert.deepEqual(event, {
      routing_key: routingKey,
      dedup_key: 'quench:i42.default',
      event_action: 'trigger',
      client: 'Quench',
      client_url: 'https://quench.example.org/incidents/i42.default',
      links: [{ text: 'incident', href: 'https://quench.example.org/incidents/i42.default' }],
      payload: {
        summary: '[critical] disk full on db1',
        source: 'db1.example.org',
        severity: 'critical',
        timestamp: '2026-11-20T03:14:15.000Z',
        custom_details: { host: 'db1.example.org', attempts: '2', text: plainNotification.text },
      },
    });
  });

  test('B18: the end names the key, and who or what healed it; repeat and approval trigger under the same key', async () => {
    const { event } = await eventFor({ kind: 'resolve', text: 'healed by playbook restart-web after 4m: verified' });
    const repeat = await eventFor({ kind: 'repeat' });
    const approval = await eventFor({ kind: 'approval' });

    assert.partialDeepStrictEqual(event, {
      routing_key: routingKey,
      dedup_key: 'quench:i42.default',
      event_action: 'resolve',
      payload: {
        summary: '[critical] resolved: disk full on db1',
        custom_details: { text: 'healed by playbook restart-web after 4m: verified' },
      },
    });
    assert.equal(repeat.event.event_action, 'trigger');
    assert.equal(repeat.event.dedup_key, event.dedup_key);
    assert.equal(approval.event.payload.summary, '[critical] approval needed: disk full on db1');
  });

  test('B4: a ring after an acknowledgement has a key of its own, and resolves the alert of the era before', async () => {
    const from = receiver.heard.length;
    await eventFor({ kind: 'risen', era: 2, formerEras: [0, 1] });
    const keys = receiver.heard.slice(from).map(({ body }) => {
      const { event_action: action, dedup_key: key } = JSON.parse(body);
      return `${action} ${key}`;
    });

    assert.deepEqual(keys, ['trigger quench:i42.default:2', 'resolve quench:i42.default', 'resolve quench:i42.default:1']);
  });

  test('B4: the end resolves every era that may be open, and is accepted when all are', async () => {
    const notifier = createPagerDuty({ routingKey, url: receiver.origin }, { http, clock: wallClock });
    const end: Notification = { ...plainNotification, kind: 'resolve', era: 1, formerEras: [0] };
    const from = receiver.heard.length;
    let answers = 0;
    receiver.answer = (response) => response.writeHead((answers += 1) === 2 ? 503 : 202).end();
    const first = await notifier.deliver(end, new AbortController().signal);
    const again = await notifier.deliver(end, new AbortController().signal);
    const ring = await notifier.deliver({ ...end, kind: 'repeat' }, new AbortController().signal);
    answers = 0;
    const halfRing = await notifier.deliver({ ...end, kind: 'repeat' }, new AbortController().signal);

    assert.equal(first.outcome, 'deferred');
    assert.equal(again.outcome, 'accepted');
    assert.equal(ring.outcome, 'accepted');
    assert.equal(halfRing.outcome, 'accepted', 'it has called somebody: it is not rung again for the sake of the alert before it');
    assert.deepEqual(
      receiver.heard.slice(from, from + 4).map(({ body }) => JSON.parse(body).dedup_key),
      ['quench:i42.default:1', 'quench:i42.default', 'quench:i42.default:1', 'quench:i42.default'],
    );
    receiver.answer = (response) => response.writeHead(202).end();
  });

  test('B4: an acknowledgement is said under the key of its era', async () => {
    const { event } = await eventFor({ kind: 'acknowledged', era: 3, text: 'ben has it since 23:38 UTC (api)' });

    assert.partialDeepStrictEqual(event, {
      routing_key: routingKey,
      dedup_key: 'quench:i42.default:3',
      event_action: 'acknowledge',
      payload: { custom_details: { text: 'ben has it since 23:38 UTC (api)' } },
    });
  });

  test('B18: the first link is where the event leads, and the others stand in their order', async () => {
    const links = [
      { text: 'Incident', href: 'https://quench.example.org/incident/t1' },
      { text: 'Acknowledge', href: 'https://quench.example.org/ack/t2' },
    ];
    const { event } = await eventFor({ links });

    assert.equal(event.client_url, 'https://quench.example.org/incident/t1');
    assert.deepEqual(event.links, links);
  });

  test('a summary is cut at 1024 characters as people count them, never inside one', async () => {
    const { event } = await eventFor({ title: '🔥'.repeat(2_000) });

    assert.equal(Array.from(event.payload.summary as string).length, 1_024);
    assert.ok((event.payload.summary as string).isWellFormed());
  });

  test('a dedup key longer than 255 characters becomes a digest, the same every time', async () => {
    const long = `quench:${'k'.repeat(400)}`;
    const one = await eventFor({ dedupKey: long });
    const two = await eventFor({ dedupKey: long, kind: 'resolve' });
    const other = await eventFor({ dedupKey: `${long}x` });

    assert.ok(one.event.dedup_key.length <= 255);
    assert.equal(one.event.dedup_key, two.event.dedup_key);
    assert.notEqual(one.event.dedup_key, other.event.dedup_key);
  });

  test('an event never grows beyond 512 000 bytes, and says what was left out', async () => {
    const facts = Array.from({ length: 100 }, (_, index) => ({ name: `fact ${index}`, value: 'ü'.repeat(4_000) }));
    const { body, event } = await eventFor({ facts });

    assert.ok(Buffer.byteLength(body) <= 512_000);
    assert.match(event.payload.custom_details.note, /left out/);
    assert.equal(event.payload.custom_details.text, plainNotification.text);
  });

  test('a fact named __proto__ is a fact', async () => {
    const { body } = await eventFor({ facts: [{ name: '__proto__', value: 'polluted' }] });

    assert.match(body, /"__proto__":"polluted"/);
  });
});
