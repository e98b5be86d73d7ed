// Which links a page carries, and in which order (src/gateway/effects.ts).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLinks } from '../../src/gateway/effects.ts';
import { readLink } from '../../src/http/door/links.ts';
import { plainNotification } from '../support/notification.ts';

const secrets = ['the-secret-of-links'];
const config = {
  listen: { publicUrl: 'https://quench.example.org' },
  api: { ackSecrets: secrets },
  notifiers: { 'ops-mail': {}, 'anna-mail': { person: 'anna' } },
};
const now = Date.UTC(2026, 10, 30);
const clock = { now: () => now };
const id = 'house|p3.default|1|ops-mail';

test('B18: the first link is the incident, what may be done stands beside it, what the alert brought behind', () => {
  const asks = { run: 'r5.default', until: now + 1 };
  const { links } = withLinks(
    config,
    { ...plainNotification, id, asks, links: [{ text: 'Runbook', href: 'https://wiki.example.org/' }] },
    clock,
  );
  assert.deepEqual(
    links.map(({ text }) => text),
    ['Incident', 'Approve or deny', 'Acknowledge', 'Runbook'],
  );
  for (const [index, kind] of (['incident', 'answer', 'ack'] as const).entries()) {
    const [, token = ''] = new RegExp(`^https://quench\\.example\\.org/${kind}/(.+)$`).exec(links[index]?.href ?? '') ?? [];
    const read = readLink(secrets, kind, { token, now });
    assert.ok(read.ok, kind);
    assert.partialDeepStrictEqual(read.value, { scope: 'default', incident: 'i42.default', page: 'p3.default', to: 'ops-mail' });
    assert.equal(read.value.run, kind === 'answer' ? 'r5.default' : undefined);
  }
});

test('B18: the end links its incident and asks nobody to take it', () => {
  const { links } = withLinks(config, { ...plainNotification, id, kind: 'resolve', links: [] }, clock);
  assert.deepEqual(
    links.map(({ text }) => text),
    ['Incident'],
  );
});

test('without a secret a page carries only what the alert brought', () => {
  const bare = { ...config, api: { ackSecrets: [] } };
  assert.deepEqual(withLinks(bare, { ...plainNotification, id }, clock).links, plainNotification.links);
});

test('B18: a page to a notifier that reaches one person carries links that know who that is; any other knows nobody', () => {
  for (const [to, person] of [
    ['anna-mail', 'anna'],
    ['ops-mail', undefined],
    ['toString', undefined],
    ['gone', undefined],
  ] as const) {
    const asks = { run: 'r5.default', until: now + 1 };
    const { links } = withLinks(config, { ...plainNotification, id: `house|p3.default|1|${to}`, asks }, clock);
    for (const kind of ['incident', 'answer', 'ack'] as const) {
      const { href = '' } = links.find((link) => link.href.includes(`/${kind}/`)) ?? {};
      const read = readLink(secrets, kind, { token: href.split('/').at(-1) ?? '', now });
      assert.ok(read.ok, kind);
      assert.equal(read.value.person, person);
      assert.equal(read.value.run, kind === 'answer' ? 'r5.default' : undefined);
      assert.deepEqual(readLink(['another-secret-of-links'], kind, { token: href.split('/').at(-1) ?? '', now }).ok, false);
    }
  }
});
