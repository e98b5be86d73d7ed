// New alerts as bench/accept.ts sends them, one a delivery, read by their source and turned: what the sizes of records are measured on.
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { prometheus } from '../../adapters/prometheus/source.ts';
import type { AlertSeen } from '../../src/core/alert/facts.ts';
import { newDesk } from '../../src/core/desk.ts';
import type { Fact } from '../../src/core/records.ts';
import { turn } from '../../src/core/turn.ts';
import { someday } from './clock.ts';
import { policyOf } from './policy.ts';

/** What bench/alerts.lua makes of a number. */
export function bodyOf(number: number, startsAt = someday - 1_234): string {
  const labels = {
    alertname: 'HighLatency',
    instance: `web${number}.example.org:9100`,
    job: 'node',
    service: `shop-${number}`,
    severity: 'critical',
    region: 'eu-west-1',
    team: 'payments',
  };
  const annotations = {
    summary: `latency of shop-${number} is above one second`,
    description: 'The 99th percentile of request latency has been above one second for more than five minutes; see the dashboard.',
  };
  const generatorURL = 'http://prometheus.example.org/graph?g0.expr=latency';
  return JSON.stringify([{ labels, annotations, startsAt: new Date(startsAt).toISOString(), generatorURL }]);
}

export interface Turned {
  readonly body: string;
  readonly input: AlertSeen;
  readonly facts: readonly Fact[];
}

/** So many new alerts on one desk, a millisecond apart: the first open an incident each, those of a storm join it. */
export function newAlerts(count: number): readonly Turned[] {
  const desk = newDesk('default');
  const source = prometheus({});
  const rules = { policy: policyOf(), frozen: null, installation: null, expressions: createExpressions() };
  return Array.from({ length: count }, (_, number) => {
    const at = someday + number;
    const body = bodyOf(number + 1_000);
    const parsed = source.parse({ headers: {}, body, path: '/api/v2/alerts', receivedAt: at });
    const [event] = parsed.ok ? parsed.value.events : [];
    if (event === undefined) throw new Error('the source reads it');
    const delivery = `prometheus:~1f3a9c-${(number + 1_000).toString(36)}`;
    const input: AlertSeen = { type: 'AlertSeen', scope: 'default', at, endpoint: 'prometheus', delivery, index: 0, event };
    return { body, input, facts: turn(desk, input, rules, 100_000 + number) };
  });
}
