// The loop that asks: when it asks, what it tells, and what a failed or young source changes (nothing).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertSeen } from '../../../src/core/alert/facts.ts';
import { fail, ok, type Result } from '../../../src/core/errors.ts';
import { hour, minute, second } from '../../../src/core/time.ts';
import { createReconciler } from '../../../src/engine/reconcile/reconciler.ts';
import type { OpenAnswer } from '../../../src/ports/open-alerts.ts';
import type { Delivery } from '../../../src/ports/source.ts';
import { blank } from '../../../src/readmodel/blank.ts';
import type { AlertDocument, DocumentByKind, DocumentKind } from '../../../src/readmodel/documents.ts';
import { alertId } from '../../../src/readmodel/documents.ts';
import { someday, virtualClock } from '../../support/clock.ts';
import { eventOf } from '../../support/event.ts';

const pace = { unheardMs: 2 * minute, confirmMs: 30 * second, graceMs: 3 * minute, refreshMs: hour };
const deliveryOf = (name: string): Delivery => ({ headers: {}, body: name, path: '', receivedAt: someday });

function world() {
  const clock = virtualClock();
  const state = { away: false, mayAsk: true, looks: 0, answer: answerOf([]) as Result<OpenAnswer, string>, docs: [] as AlertDocument[] };
  const seen = {
    asked: 0,
    accepted: [] as string[],
    cleared: [] as Omit<AlertSeen, 'at'>[],
    troubles: [] as (string | null)[],
    outcomes: [] as string[],
  };
  const reconciler = createReconciler({
    endpoint: {
      name: 'prom',
      tenant: 'default',
      scopeLabels: [],
      source: { name: 'prometheus', parse: ({ body }) => ok({ events: [eventOf({ name: body, episode: 'e1' })], warnings: [] }) },
    },
    source: {
      async ask() {
        seen.asked += 1;
        return state.answer;
      },
    },
    everyMs: 5 * minute,
    pace,
    clock,
    views: {
      async list<Kind extends DocumentKind>() {
        return { items: state.docs as unknown[] as DocumentByKind[Kind][], next: null }; // asked for alerts only
      },
      async get<Kind extends DocumentKind>(_: Kind, id: string) {
        return (state.docs.find((doc) => doc.id === id) ?? null) as DocumentByKind[Kind] | null; // asked for alerts only
      },
    },
    mayAsk() {
      state.looks += 1;
      return state.mayAsk;
    },
    isAway: () => state.away,
    async accept(_, delivery, id) {
      seen.accepted.push(`${delivery.body} ${id}`);
      return { status: 'accepted', alerts: 1, warnings: [] };
    },
    async submit(input) {
      seen.cleared.push(input);
    },
    watch: {
      asked: (_, outcome) => void seen.outcomes.push(outcome),
      told: () => {},
      trouble: (_, says) => void seen.troubles.push(says),
    },
  });
  return { clock, state, seen, reconciler };
}

function answerOf(names: readonly string[], change: Partial<OpenAnswer> = {}): Result<OpenAnswer, string> {
  const alerts = names.map((name) => ({ delivery: deliveryOf(name), ours: true }));
  return ok({ alerts, unsure: [], partial: null, asOf: Number.POSITIVE_INFINITY, since: null, ...change });
}

function docOf(name: string): AlertDocument {
  const { fingerprint } = eventOf({ name });
  const at = someday - 10 * minute;
  const base = blank.alert({ id: alertId('default', fingerprint), scope: 'default', at });
  return { ...base, fingerprint, name, source: 'prometheus', endpoint: 'prom', episode: 'e1', severity: 'critical', count: 1 };
}

test('A6: asked at the start, an unknown alert is told as the delivery of it; asked again after the span', async () => {
  const { clock, state, seen, reconciler } = world();
  state.answer = answerOf(['Down']);
  reconciler.start();
  await clock.settle();
  assert.deepEqual(seen.accepted, [`Down reconcile:${eventOf({ name: 'Down' }).fingerprint}:e1:critical:0`]);
  state.docs = [docOf('Down')];
  await clock.forward(5 * minute);
  assert.deepEqual([seen.asked, seen.accepted.length], [2, 1]);
  await reconciler.stop();
});

test('A6: what two answers miss is cleared once, by an id that another gateway would use too', async () => {
  const { clock, state, seen, reconciler } = world();
  state.docs = [docOf('Gone'), { ...docOf('Other'), endpoint: 'elsewhere' }];
  reconciler.start();
  await clock.settle();
  assert.equal(seen.cleared.length, 0);
  await clock.forward(30 * second);
  const [cleared] = seen.cleared;
  assert.equal(seen.cleared.length, 1, 'not the one of another endpoint');
  assert.deepEqual([cleared?.event.claim, cleared?.event.proof, cleared?.event.name], ['cleared', 'assumed', 'Gone']);
  assert.equal(cleared?.delivery, `prom:reconcile:${docOf('Gone').fingerprint}:${docOf('Gone').seenAt}`);
  await reconciler.stop();
});

test('A6: failures, partial answers and a source that just started clear nothing, however often', async () => {
  for (const answer of [fail('no answer'), answerOf([], { partial: 'cut' }), answerOf([], { since: someday + hour })]) {
    const { clock, state, seen, reconciler } = world();
    state.docs = [docOf('Down')];
    state.answer = answer;
    reconciler.start();
    await clock.forward(30 * minute);
    assert.deepEqual(seen.cleared, []);
    assert.ok(seen.asked >= 6);
    assert.ok(seen.troubles.length <= 1, 'said once, not each time');
    await reconciler.stop();
  }
});

test('A6: an answer that is the same one again, or a wall clock that was set, confirms nothing', async () => {
  const { clock, state, seen, reconciler } = world();
  state.docs = [docOf('Down')];
  state.answer = answerOf([], { asOf: someday });
  reconciler.start();
  await clock.forward(10 * minute);
  assert.deepEqual(seen.cleared, []);
  state.answer = answerOf([]);
  clock.jump(hour);
  await clock.forward(20 * second);
  assert.deepEqual(seen.cleared, []);
  await reconciler.stop();
});

test('A6: asked at once when the log is back; not while it is away, and not by who does not decide', async () => {
  const { clock, state, seen, reconciler } = world();
  reconciler.start();
  await clock.settle();
  state.away = true;
  await clock.forward(10 * minute);
  assert.equal(seen.asked, 1);
  state.away = false;
  await clock.forward(2 * second);
  assert.equal(seen.asked, 2);
  state.mayAsk = false;
  const looked = state.looks;
  await clock.forward(30 * minute);
  assert.equal(seen.asked, 2);
  assert.ok(state.looks - looked <= 30 * 60, 'it looks once a second at most');
  await reconciler.stop();
});
