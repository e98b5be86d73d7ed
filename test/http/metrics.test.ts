// What a scrape shows before anything has happened: the names and values that alert rules wait for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../src/http/metrics.ts';

const gauges = { lag: () => 0, lags: () => new Map(), acting: () => [], deadLetters: async () => 0 };

test('counters that alert rules watch are at 0 before the first event, so that the first one is an increase', async () => {
  const metrics = createMetrics(gauges);
  const atZero = [
    'quench_raw_pages_total{about="alert"}',
    'quench_raw_pages_total{about="many"}',
    'quench_raw_pages_total{about="stuck"}',
    'quench_log_append_failures_total{topic="inputs"}',
    'quench_log_append_failures_total{topic="facts"}',
    'quench_rebalances_total{role="host"}',
    'quench_rebalances_total{role="effects"}',
  ];
  const fresh = (await metrics.scrape()).text.split('\n');
  for (const name of atZero) assert.ok(fresh.includes(`${name} 0`), name);

  metrics.rawPage('alert');
  metrics.appended('facts', 8_000, false);
  metrics.rebalanced('host');

  const later = (await metrics.scrape()).text.split('\n');
  for (const [place, name] of atZero.entries()) assert.ok(later.includes(`${name} ${[1, 0, 0, 0, 1, 1, 0][place]}`), name);
});

test('whether the shared log is away is asked at each scrape; without one it never is', async () => {
  let isAway = true;
  const metrics = createMetrics({ ...gauges, away: () => isAway });
  assert.match((await metrics.scrape()).text, /^quench_log_away 1$/m);
  isAway = false;
  assert.match((await metrics.scrape()).text, /^quench_log_away 0$/m);
  assert.match((await createMetrics(gauges).scrape()).text, /^quench_log_away 0$/m);
});

test('the lag of each projector has its own line', async () => {
  const lags = new Map([
    ['documents', 0],
    ['history', 7],
  ]);
  const { text } = await createMetrics({ ...gauges, projectors: () => lags }).scrape();
  assert.match(text, /^quench_projector_lag\{projector="documents"\} 0$/m);
  assert.match(text, /^quench_projector_lag\{projector="history"\} 7$/m);
});
