// When refusals of an endpoint become a person's matter, that they are told once, and when they are over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertEvent } from '../../../src/core/alert/event.ts';
import { GatewayError, ok } from '../../../src/core/errors.ts';
import { hour, minute, second, type Millis } from '../../../src/core/time.ts';
import type { RawPage } from '../../../src/engine/failopen/raw-pager.ts';
import type { IntakeEndpoint } from '../../../src/engine/intake/endpoint.ts';
import type { Refusal } from '../../../src/engine/refusals/episode.ts';
import { createRefusalWatch } from '../../../src/engine/refusals/watch.ts';
import { refusalFingerprint } from '../../../src/engine/refusals/words.ts';
import { blank } from '../../../src/readmodel/blank.ts';
import { alertId, type AlertDocument, type DocumentByKind, type DocumentKind } from '../../../src/readmodel/documents.ts';
import { someday, virtualClock, type VirtualClock } from '../../support/clock.ts';

const large: Refusal = { kind: 'size', bytes: 20_971_520, says: 'a body may have 16777216 bytes; it was not kept' };
const wrong: Refusal = { kind: 'form', bytes: 100, says: 'prometheus: alerts must be a list' };
const stranger: Refusal = { kind: 'credentials', bytes: 10, says: 'credentials are missing or wrong' };

const endpoint = (name: string): IntakeEndpoint => ({
  name,
  tenant: 'default',
  scopeLabels: [],
  source: { name: 'prometheus', lists: true, parse: () => ok({ events: [], warnings: [] }) },
});

function world({ docs = [] as AlertDocument[], clock = virtualClock() } = {}) {
  const state = { isAway: false };
  const told: AlertEvent[] = [];
  const raw: { readonly page: RawPage; readonly wanted: () => boolean }[] = [];
  const ends: RawPage[] = [];
  const watch = createRefusalWatch({
    endpoints: [endpoint('am'), endpoint('other')],
    caps: { bodyBytesMax: 1_048_576, listBytesMax: 16_777_216, bufferedBytesMax: 67_108_864 },
    clock,
    views: {
      async list<Kind extends DocumentKind>() {
        return { items: docs as unknown[] as DocumentByKind[Kind][], next: null }; // asked for alerts only
      },
      async get<Kind extends DocumentKind>(_: Kind, id: string) {
        return (docs.find((doc) => doc.id === id) ?? null) as DocumentByKind[Kind] | null; // asked for alerts only
      },
    },
    async tell(_, event) {
      if (state.isAway) throw new GatewayError('log_unavailable', 'the log is away');
      told.push(event);
    },
    pager: { send: (page, wanted) => void raw.push({ page, wanted }), end: (words) => void ends.push(words) },
    afterMs: 2 * minute,
    installation: () => 'i1',
    logger: { info() {}, warn() {} },
  });
  return { clock, state, told, raw, ends, watch, claims: () => told.map(({ claim }) => claim) };
}

/** Something that comes every so often for a while. */
async function every(clock: VirtualClock, span: Millis, during: Millis, call: () => void): Promise<void> {
  for (let passed = 0; passed < during; passed += span) {
    call();
    await clock.forward(span);
  }
}

test('A8: bodies that are refused for their size for minutes raise one critical alert that says since when, how large and what to paste', async () => {
  const { clock, told, watch, raw } = world();
  watch.refused('am', large);
  await clock.forward(4 * minute);
  watch.refused('am', large);
  assert.equal(told.length, 0, 'twice in four minutes is not lasting');
  await every(clock, minute, 3 * minute, () => watch.refused('am', large));
  assert.equal(told.length, 1);
  const [event] = told;
  assert.equal(event?.summary, 'source am is sending bodies of 20 MiB that are refused since 04:00 UTC');
  assert.deepEqual([event?.severity, event?.source, event?.labels.endpoint], ['critical', 'quench', 'am']);
  assert.match(event?.annotations.fix ?? '', /^limits: \{ lists: 32MiB \}$/m);
  await every(clock, minute, hour, () => watch.refused('am', large));
  assert.equal(new Set(told.map(({ fingerprint, claim }) => `${fingerprint} ${claim}`)).size, 1, 'F3: said again as the same alert');
  assert.ok(told.length <= 14, `F3: not with every refusal, seen ${told.length}`);
  assert.equal(raw.length, 0);
});

test('A8, F2: one body refused again and again beside others that are taken is told, and over when it was not refused for a while', async () => {
  const { clock, claims, watch } = world();
  await every(clock, 30 * second, 6 * minute, () => {
    watch.refused('am', large);
    watch.accepted('am');
  });
  assert.deepEqual(claims(), ['firing']);
  await every(clock, minute, 9 * minute, () => watch.accepted('am'));
  assert.deepEqual(claims(), ['firing']);
  await every(clock, minute, 3 * minute, () => watch.accepted('am'));
  assert.deepEqual(claims(), ['firing', 'cleared']);
  await clock.forward(2 * hour);
  assert.equal(claims().length, 2);
});

test('A8: what was told stays while nothing is taken: a sender that gave up is not well', async () => {
  const { clock, claims, watch } = world();
  await every(clock, minute, 7 * minute, () => watch.refused('am', large));
  await clock.forward(3 * hour);
  assert.deepEqual(claims(), ['firing']);
  watch.accepted('am');
  await clock.forward(minute);
  assert.deepEqual(claims(), ['firing', 'cleared']);
});

test('A8, F1: bodies that are not understood are told when they last; single ones through the day are not', async () => {
  const { clock, told, claims, watch } = world();
  await every(clock, 2 * hour, 24 * hour, () => watch.refused('am', wrong));
  assert.deepEqual(claims(), []);
  await every(clock, 3 * minute, 15 * minute, () => watch.refused('am', wrong));
  assert.deepEqual(claims(), ['firing']);
  assert.match(told[0]?.annotations.fix ?? '', /alerts must be a list[\s\S]*quench deadletter list --endpoint am/);
});

test('A8, F2: wrong credentials after good ones are told; a stranger who knocks while the sender is heard, or where nobody ever came, is not', async () => {
  const rotated = world();
  rotated.watch.accepted('am');
  await every(rotated.clock, minute, 12 * minute, () => rotated.watch.refused('am', stranger));
  assert.deepEqual(rotated.claims(), ['firing']);
  rotated.watch.accepted('am');
  rotated.watch.refused('am', stranger);
  await rotated.clock.forward(minute);
  assert.deepEqual(rotated.claims(), ['firing', 'cleared']);

  const heard = world();
  await every(heard.clock, 5 * second, hour, () => {
    if (heard.clock.steady() % (3 * minute) === 0) heard.watch.accepted('am');
    heard.watch.refused('am', stranger);
  });
  assert.deepEqual(heard.claims(), []);

  const unused = world();
  await every(unused.clock, minute, hour, () => unused.watch.refused('am', stranger));
  assert.deepEqual(unused.claims(), []);

  const restarted = world({ docs: [{ ...blank.alert({ id: 'a', scope: 'default', at: someday }), endpoint: 'am' }] });
  await every(restarted.clock, minute, 12 * minute, () => restarted.watch.refused('am', stranger));
  assert.deepEqual(restarted.claims(), ['firing'], 'an earlier life took deliveries there');
});

test('A8: a log that does not take the alert is paged past, once, and that page ends when it took it', async () => {
  const { clock, state, claims, raw, ends, watch } = world();
  state.isAway = true;
  await every(clock, minute, 20 * minute, () => watch.refused('am', large));
  assert.equal(raw.length, 1);
  assert.match(raw[0]?.page.title ?? '', /^\[quench\] source am is sending bodies of 20 MiB that are refused$/);
  assert.match(raw[0]?.page.text ?? '', /since 04:00 UTC \(7m[\s\S]*the log is away[\s\S]*limits: \{ lists: 32MiB \}/);
  assert.equal(raw[0]?.wanted(), true);
  state.isAway = false;
  await clock.forward(minute);
  assert.deepEqual([claims(), raw[0]?.wanted(), raw.length], [['firing'], false, 1]);
  assert.deepEqual([ends.length, ends[0]?.kind, ends[0]?.dedupKey], [1, 'resolve', raw[0]?.page.dedupKey]);
  assert.notEqual(ends[0]?.id, raw[0]?.page.id);
  assert.match(ends[0]?.title ?? '', /^\[quench\] paged in the usual way now: source am is sending bodies of 20 MiB /);
});

test('A8: the page past a log that takes nothing ends when deliveries are taken again', async () => {
  const { clock, state, claims, raw, ends, watch } = world();
  state.isAway = true;
  await every(clock, minute, 10 * minute, () => watch.refused('am', large));
  assert.deepEqual([raw.length, ends.length], [1, 0]);
  await every(clock, minute, 20 * minute, () => watch.accepted('am'));
  assert.deepEqual([claims(), ends.length, ends[0]?.dedupKey], [[], 1, raw[0]?.page.dedupKey]);
  assert.match(ends[0]?.title ?? '', /^\[quench\] over: source am is sending bodies /);
});

test('A8, F4: what an earlier life said is cleared when deliveries are taken again, and not while another process says it again', async () => {
  const id = alertId('default', refusalFingerprint('am', 'size'));
  const left = (seenAt: number): AlertDocument => ({
    ...blank.alert({ id, scope: 'default', at: someday }),
    state: 'firing',
    startedAt: someday - hour,
    seenAt,
  });
  const before = world({ docs: [left(someday - hour)] });
  before.watch.accepted('am');
  await before.clock.forward(11 * minute);
  assert.deepEqual(before.claims(), ['cleared']);
  assert.equal(before.told[0]?.fingerprint, refusalFingerprint('am', 'size'));

  const beside = world({ docs: [left(someday + 9 * minute)] });
  beside.watch.accepted('am');
  await beside.clock.forward(11 * minute);
  assert.deepEqual(beside.claims(), []);
});

test('F5: an endpoint that is not configured is not watched, and a watch that is stopped tells nothing more', async () => {
  const { clock, claims, watch } = world();
  await every(clock, minute, hour, () => watch.refused('nobody', large));
  await every(clock, minute, 4 * minute, () => watch.refused('am', large));
  await watch.stop();
  await every(clock, minute, hour, () => watch.refused('am', large));
  assert.deepEqual(claims(), []);
});
