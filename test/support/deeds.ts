// What can happen to a desk, at random: events right and wrong, answers nobody asked for, wakes early and stale, clocks set back.
import * as fc from 'fast-check';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { NotifyOutcome } from '../../src/core/page/notification.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import { minute, second } from '../../src/core/time.ts';
import { someday } from './clock.ts';
import { eventOf } from './event.ts';

/** One thing that happens; `nth` picks among what there is, newest first. */
export type Deed =
  /** `ageMs` and `lagMs`: how long ago, as its source says, it began and was seen. */
  | {
      readonly do: 'see';
      readonly event: AlertEvent;
      readonly ageMs: number;
      readonly lagMs: number;
      readonly delivery: string;
      readonly index: number;
    }
  | {
      readonly do: 'claim' | 'cancel' | 'approve' | 'deny' | 'ack' | 'resolve' | 'note' | 'wake';
      readonly nth: number;
      readonly by: string;
    }
  | { readonly do: 'answer'; readonly nth: number; readonly by: string; readonly outcome: ActionOutcome }
  | { readonly do: 'work'; readonly outcome: ActionOutcome }
  | { readonly do: 'notified'; readonly nth: number; readonly outcome: NotifyOutcome }
  | {
      readonly do: 'silence';
      readonly id: string;
      readonly host: string;
      readonly from: number;
      readonly span: number;
      readonly used: boolean;
    }
  | { readonly do: 'freeze' | 'thaw' }
  | { readonly do: 'policy'; readonly nth: number }
  | { readonly do: 'forward' | 'back'; readonly span: number };

const identities = [
  { name: 'ServiceDown', entity: { host: 'web1', service: 'checkout' } },
  { name: 'Latency', entity: { host: 'web1', service: 'checkout' } },
  { name: 'ServiceDown', entity: { host: 'db1', service: 'orders' } },
  { name: 'Slow', entity: { host: 'db1', service: '-rf' } },
  { name: 'Odd', entity: {} },
];

const anyEvent: fc.Arbitrary<AlertEvent> = fc
  .record({
    identity: fc.constantFrom(...identities),
    claim: fc.constantFrom('firing', 'firing', 'firing', 'cleared', 'cleared', 'acknowledged', 'unacknowledged', 'noted'),
    severity: fc.constantFrom('info', 'warning', 'error', 'critical', 'critical'),
    soft: fc.constantFrom(false, false, false, true),
    episode: fc.constantFrom('', '', 'e1', 'e2'),
    mute: fc.constantFrom(undefined, undefined, undefined, undefined, 'downtime', null),
    until: fc.constantFrom(undefined, undefined, 2 * minute, 20 * minute, 90 * minute),
  })
  .map(({ identity, claim, severity, soft, episode, mute, until }) => {
    const { host = 'none' } = { host: 'none', ...identity.entity };
    return eventOf({
      ...identity,
      claim,
      severity,
      soft,
      episode,
      labels: { alertname: identity.name, instance: host },
      ...(mute === undefined ? {} : { sourceMute: mute }),
      ...(typeof mute === 'string' && until !== undefined ? { muteUntil: someday + until } : {}),
    });
  }) as fc.Arbitrary<AlertEvent>;

const anyNth = fc.integer({ min: 0, max: 3 });
const by = fc.constantFrom('w1', 'w1', 'w2');
const anyOutcome: fc.Arbitrary<ActionOutcome> = fc.constantFrom<ActionOutcome>(
  { outcome: 'ok', output: { status: 200 } },
  { outcome: 'ok', output: { status: 200 } },
  { outcome: 'ok', output: { status: 200 } },
  { outcome: 'ok', output: { status: 500 } },
  { outcome: 'failed', error: 'exit', detail: 'exit code 1', output: {} },
  { outcome: 'unknown', detail: 'no answer' },
);
const anyNews: fc.Arbitrary<NotifyOutcome> = fc.constantFrom<NotifyOutcome>(
  { outcome: 'accepted', detail: '' },
  { outcome: 'refused', detail: 'no such number' },
  { outcome: 'deferred', retryAfterMs: 20 * second, detail: 'busy' },
  { outcome: 'unknown', detail: 'no answer' },
);
const anySpan = fc.constantFrom(0, 1, second, 10 * second, 15 * second, minute, 2 * minute, 6 * minute, 31 * minute);

export const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('see' as const),
      event: anyEvent,
      ageMs: fc.constantFrom(0, 0, second, 2 * minute, 20 * minute, -minute),
      lagMs: fc.constantFrom(0, 0, 0, second, 2 * minute, -minute),
      delivery: fc.constantFrom('', '', '', 'd1', 'd2'),
      index: anyNth,
    }),
  },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('work' as const), outcome: anyOutcome }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('forward' as const), span: anySpan }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('notified' as const), nth: anyNth, outcome: anyNews }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('answer' as const), nth: anyNth, by, outcome: anyOutcome }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('claim', 'cancel', 'approve', 'approve', 'deny', 'ack', 'ack', 'ack', 'resolve', 'note', 'wake', 'wake'),
      nth: anyNth,
      by,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('silence' as const),
      id: fc.constantFrom('s1', 's2'),
      host: fc.constantFrom('web1', 'db1', 'web.*'),
      from: fc.constantFrom(0, 0, 5 * second, minute),
      span: fc.constantFrom(0, 20 * second, 5 * minute, 40 * minute),
      used: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('freeze' as const, 'thaw' as const, 'thaw' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('policy' as const), nth: anyNth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('back' as const), span: anySpan }) },
);
