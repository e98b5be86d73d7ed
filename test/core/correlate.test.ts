// Which alerts are one trouble: names that mean nothing, the same name elsewhere, two spellings of one host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entity } from '../../src/core/alert/event.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { tell } from '../support/story.ts';

/** How many incidents alerts about these entities make, one after the other, and what joined them. */
function incidents(...entities: readonly Entity[]): { readonly count: number; readonly shared: readonly string[] } {
  const story = tell(policyOf());
  for (const [place, entity] of entities.entries()) story.see(eventOf({ name: `n${place}`, fingerprint: `f${place}`, entity }));
  return {
    count: story.all('IncidentOpened').length,
    shared: story.all('AlertJoined').flatMap(({ evidence }) => (evidence.shared === '' ? [] : [evidence.shared])),
  };
}

test('D1: names that say "here" or "not known" join nothing', () => {
  for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.0.1.1', '::1', 'unknown', '*UNKNOWN*', 'n/a', 'localhost.localdomain']) {
    assert.equal(incidents({ host }, { host }).count, 2, host);
    assert.equal(incidents({ host, service: 'api' }, { host, service: 'api' }).count, 1, host);
  }
  assert.equal(incidents({ ip: '127.0.0.1' }, { ip: '127.0.0.1' }).count, 2);
});

test('D1: one name in two clusters or namespaces is two things; who names none is kept out of neither', () => {
  assert.equal(incidents({ service: 'api', namespace: 'shop' }, { service: 'api', namespace: 'bank' }).count, 2);
  assert.equal(incidents({ pod: 'db-0', namespace: 'shop' }, { pod: 'db-0', namespace: 'bank' }).count, 2);
  assert.equal(incidents({ host: 'node-1', cluster: 'eu' }, { host: 'node-1', cluster: 'us' }).count, 2);
  assert.equal(incidents({ ip: '10.0.0.7', cluster: 'eu' }, { ip: '10.0.0.7', cluster: 'us' }).count, 2);
  assert.equal(
    incidents({ service: 'api', namespace: 'shop', cluster: 'eu' }, { service: 'api', namespace: 'shop', cluster: 'us' }).count,
    2,
  );

  assert.equal(incidents({ service: 'api', namespace: 'shop' }, { service: 'api', namespace: 'shop' }).count, 1);
  assert.equal(incidents({ host: 'node-1', namespace: 'shop' }, { host: 'node-1', namespace: 'bank' }).count, 1, 'the node is one');
  assert.equal(incidents({ host: 'node-1', cluster: 'eu' }, { host: 'node-1' }).count, 1, 'another tool knows no cluster');
  const between = incidents({ service: 'api' }, { service: 'api', namespace: 'shop' }, { service: 'api', namespace: 'bank' });
  assert.equal(between.count, 2, 'a member without a namespace is no bridge');
});

test('D2: a short host name joins the full one, in either order, and says so', () => {
  const shortLast = incidents({ host: 'web1.example.net' }, { host: 'web1' });
  const shortFirst = incidents({ host: 'web1' }, { host: 'web1.example.net' });
  assert.deepEqual([shortLast.count, shortFirst.count], [1, 1]);
  assert.match(shortLast.shared.join(), /host:web1 as the short name/);
  assert.match(shortFirst.shared.join(), /host:web1\.example\.net as web1/);
});

test('D2: two full names with one short name are two hosts, and the short one then says too little', () => {
  assert.equal(incidents({ host: 'web1.a.net' }, { host: 'web1.b.net' }).count, 2);
  assert.equal(incidents({ host: 'web1' }, { host: 'web1.a.net' }, { host: 'web1.b.net' }).count, 2);
  assert.equal(incidents({ host: 'web1.a.net' }, { host: 'web1.b.net' }, { host: 'web1' }).count, 3);
  assert.equal(incidents({ host: '10.0.0.1' }, { host: '10.0.0.2' }, { host: '10' }).count, 3, 'addresses have no short form');
});
