// What an answer of a source means for what we believe.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minute, second, hour } from '../../../src/core/time.ts';
import { compare, endOf, newestOf, type Comparison, type ReadAlert } from '../../../src/engine/reconcile/compare.ts';
import { blank } from '../../../src/readmodel/blank.ts';
import type { AlertDocument } from '../../../src/readmodel/documents.ts';
import { someday } from '../../support/clock.ts';
import { eventOf } from '../../support/event.ts';

const pace = { unheardMs: 2 * minute, confirmMs: 30 * second, graceMs: 3 * minute, refreshMs: hour };
const began = someday - 10 * minute;
const docOf = (change: Partial<AlertDocument> = {}): AlertDocument => ({
  ...blank.alert({ id: 'a.default', scope: 'default', at: began }),
  fingerprint: 'a',
  source: 'prometheus',
  endpoint: 'prom',
  episode: 'e1',
  severity: 'critical',
  startedAt: began,
  seenAt: began,
  ...change,
});
const openOf = (change: Parameters<typeof eventOf>[0] = {}, id = 'a.default'): ReadAlert => ({
  id,
  event: eventOf({ fingerprint: 'a', episode: 'e1', startedAt: began, ...change }),
  delivery: { headers: {}, body: '{}', path: '', receivedAt: someday },
  ours: true,
});
const compared = (change: Partial<Comparison>) =>
  compare({ askedAt: someday, open: new Map(), unsure: new Set(), proves: true, believed: [], suspects: new Map(), pace, ...change });
const mapOf = (...alerts: readonly ReadAlert[]) => new Map(alerts.map((alert) => [alert.id, alert]));

test('A6: an alert that two whole answers in a row miss is over; one answer is none', () => {
  const believed = [docOf()];
  const first = compared({ believed });
  assert.deepEqual([first.clear, [...first.suspects.keys()]], [[], ['a.default']]);
  const tooSoon = compared({ askedAt: someday + 29 * second, believed, suspects: first.suspects });
  assert.deepEqual(tooSoon.clear, []);
  assert.deepEqual(compared({ askedAt: someday + 30 * second, believed, suspects: first.suspects }).clear, believed);
});

test('A6: an answer between that has it, or that proves nothing, begins the suspicion anew', () => {
  const believed = [docOf()];
  const { suspects } = compared({ believed });
  const has = compared({ askedAt: someday + minute, believed, suspects, open: mapOf(openOf()) });
  assert.deepEqual([...has.suspects], []);
  const partial = compared({ askedAt: someday + minute, believed, suspects, proves: false });
  assert.deepEqual([partial.clear, [...partial.suspects]], [[], []]);
});

test('A6: another episode than the suspected one, one heard of lately, and one the source is unsure of are not cleared', () => {
  const { suspects } = compared({ believed: [docOf()] });
  const at = { askedAt: someday + minute, suspects };
  assert.deepEqual(compared({ ...at, believed: [docOf({ episode: 'e2' })] }).clear, []);
  assert.deepEqual(compared({ ...at, believed: [docOf({ seenAt: someday })] }).clear, []);
  assert.deepEqual(compared({ ...at, believed: [docOf()], unsure: new Set(['a.default']) }).clear, []);
});

test('A6: the end is dated before the span in which a new episode may have begun, and is assumed', () => {
  const event = endOf(docOf(), someday, pace, 'T');
  assert.deepEqual(
    [event.claim, event.proof, event.episode, event.observedAt, event.note],
    ['cleared', 'assumed', 'e1', someday - 2 * minute, 'not open at the source any more (asked at T)'],
  );
});

test('A6: what the source has open and we do not believe is told; what it holds back, or has not confirmed, is not', () => {
  const ids = (...alerts: readonly ReadAlert[]) => compared({ open: mapOf(...alerts) }).tell.length;
  assert.equal(ids(openOf()), 1);
  assert.equal(ids({ ...openOf(), ours: false }), 0);
  assert.equal(ids(openOf({ soft: true })), 0);
});

test('A6: of what we believe only news is told: a later episode, another severity, or what would go stale', () => {
  const told = (event: Parameters<typeof eventOf>[0], doc: Partial<AlertDocument> = {}) =>
    compared({ open: mapOf(openOf(event)), believed: [docOf(doc)] }).tell.length;
  assert.equal(told({}), 0);
  assert.equal(told({ severity: 'warning' }), 1);
  assert.equal(told({ episode: 'e2', startedAt: began + second }), 1);
  assert.equal(told({ episode: 'e0', startedAt: began - second }), 0);
  assert.equal(told({}, { seenAt: someday - hour }), 1);
  assert.equal(told({ severity: 'warning' }, { seenAt: someday + 1 }), 0, 'the answer is older than what we heard');
});

test('A6: what its source holds back no longer is told, though nothing else is new; what it says nothing of is not', () => {
  const told = (event: Parameters<typeof eventOf>[0]): number =>
    compared({ open: mapOf(openOf(event)), believed: [docOf({ sourceMute: 'suppressed' })] }).tell.length;
  assert.deepEqual([told({ sourceMute: null }), told({})], [1, 0]);
  assert.equal(compared({ open: mapOf(openOf({ sourceMute: null })), believed: [docOf()] }).tell.length, 0);
});

test('several open episodes of one identity are one alert: the one that began last', () => {
  const newest = newestOf([openOf({ episode: 'e3', startedAt: began + 2 }), openOf({ episode: 'e2', startedAt: began + 1 })]);
  assert.deepEqual(
    [...newest.values()].map(({ event }) => event.episode),
    ['e3'],
  );
});
