import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { newrelic } from '../../../adapters/newrelic/source.ts';
import type { AlertEvent } from '../../../src/core/alert/event.ts';
import { merge } from '../../../src/core/alert/merge.ts';
import type { Alert } from '../../../src/core/alert/row.ts';
import { receivedAt, sourceContract } from '../../contracts/source.ts';

const source = newrelic({});
sourceContract('newrelic', source);

const template = readFileSync(new URL('../../../adapters/newrelic/setup/workflow-payload.txt', import.meta.url), 'utf8');
const variables = [...new Set([...template.matchAll(/\{\{#if ([\w.]+)\}\}/g)].map((match) => match[1] ?? ''))];

/** The three forms our template uses, as Handlebars and New Relic's `json` helper render them: a missing variable prints nothing. */
function rendered(text: string, values: ReadonlyMap<string, unknown>): string {
  return text
    .replaceAll(/\{\{#if ([\w.]+)\}\}(.*?)\{\{else\}\}(.*?)\{\{\/if\}\}/g, (_, name: string, yes: string, no: string) =>
      values.get(name) ? yes : no,
    )
    .replaceAll(/\{\{ json ([\w.]+) \}\}/g, (_, name: string) => JSON.stringify(values.get(name)) ?? '');
}

test('our template stays valid JSON with any variables missing, whatever the others hold', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.string(), { maxLength: 3 }),
    fc.integer(),
    fc.constantFrom('"', '\\', '{{ json x }}', null),
  );
  const filled = fc.array(fc.tuple(fc.constantFrom(...variables), value)).map((pairs) => new Map<string, unknown>(pairs));

  fc.assert(
    fc.property(filled, (values) => {
      const body = rendered(template, new Map([...values, ['issueId', 'b6137c61-0e27-496d-bd9b-335c98c155eb'], ['state', 'CLOSED']]));
      const result = source.parse({ headers: { 'content-type': 'application/json' }, path: '', body, receivedAt });
      assert.ok(result.ok, body);
      assert.equal(result.value.events[0]?.episode, 'b6137c61-0e27-496d-bd9b-335c98c155eb');
      assert.equal(result.value.events[0]?.claim, 'cleared');
    }),
    { numRuns: 300, seed: 20_261_121 },
  );
});

test('every variable of our template is guarded and arrives where the source looks for it', () => {
  const bare = template.replaceAll(/\{\{#if ([\w.]+)\}\}(?:\{\{ json \1 \}\}|true)\{\{else\}\}(?:null|false)\{\{\/if\}\}/g, 'null');

  assert.doesNotMatch(bare, /\{\{/);
  assert.ok(variables.length > 20, `${variables.length} variables`);
  assert.equal(Object.keys(JSON.parse(bare)).length, variables.length + 1);
});

test('the target list of a form cannot make an event of thousands', () => {
  const targets = JSON.stringify(Array.from({ length: 5_000 }, (_, index) => ({ name: `web-${index}.example.net` })));
  const body = new URLSearchParams({ incident_id: '7', current_state: 'open', condition_name: 'Disk', targets }).toString();

  const result = source.parse({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, path: '', body, receivedAt });

  assert.ok(result.ok);
  assert.equal(result.value.events.length, 1);
  assert.deepEqual(result.value.events[0]?.entity, {});
});

test('A17: HIGH is a warning unless configured, a machine by its name is a host, the sample of the Test button is dropped', () => {
  const events = (payload: object, config = {}) => {
    const result = newrelic(config).parse({ headers: {}, path: '', receivedAt: 1_795_226_867_000, body: JSON.stringify(payload) });
    assert.ok(result.ok);
    return result.value.events;
  };
  const id = 'a5cb0f3e-2c1a-4b7e-9d51-0a1b2c3d4e5f';
  const issue = { id, state: 'ACTIVATED', title: 't', priority: 'HIGH', impactedEntities: ['web-1'] };

  assert.equal(events(issue)[0]?.severity, 'warning');
  assert.equal(events(issue, { severities: { high: 'error' } })[0]?.severity, 'error');
  assert.deepEqual(events(issue)[0]?.entity, { host: 'web-1' });
  assert.deepEqual(events({ ...issue, impactedEntities: ['Checkout API'] })[0]?.entity, { service: 'checkout api' });

  const link = (issueId: string) => ({
    ...issue,
    issueUrl: `https://radar-api.service.newrelic.com/accounts/1/issues/${issueId}?notifier=WEBHOOK`,
  });
  assert.equal(events(link('0ea2df1c-adab-45d2-aae0-042b609d2322')).length, 0);
  assert.equal(events(link(id)).length, 1);
});

const shop = {
  issueId: 'b6137c61-0e27-496d-bd9b-335c98c155eb',
  title: 'Error percentage',
  priority: 'CRITICAL',
  createdAt: receivedAt - 60_000,
};

function eventOf(payload: object): AlertEvent {
  const result = source.parse({ headers: {}, path: '', receivedAt, body: JSON.stringify({ ...shop, ...payload }) });
  assert.ok(result.ok, result.ok ? '' : result.error.message);
  return result.value.events[0] ?? assert.fail('no event');
}

test('A17: every state and trigger that New Relic names is taken as what it is, and giving back is no taking', () => {
  const table: readonly (readonly [payload: object, claim: string])[] = [
    [{ state: 'CREATED' }, 'firing'],
    [{ state: 'ACTIVATED', trigger: 'STATE_CHANGE' }, 'firing'],
    [{ state: 'ACTIVATED', trigger: 'INCIDENT_ADDED' }, 'firing'],
    [{ state: 'ACTIVATED', trigger: 'INCIDENT_CLOSED' }, 'firing'],
    [{ state: 'ACTIVATED', trigger: 'PRIORITY_CHANGED' }, 'firing'],
    [{ state: 'ACTIVATED', trigger: 'MERGE_REQUEST' }, 'firing'],
    [{ stateText: 'active' }, 'firing'],
    [{ state: 'ACTIVATED', trigger: 'ACKNOWLEDGED' }, 'acknowledged'],
    [{ state: 'ACTIVATED', trigger: 'INVESTIGATING' }, 'acknowledged'],
    [{ state: 'ACTIVATED', trigger: 'ISSUE_UNACKNOWLEDGED' }, 'unacknowledged'],
    [{ state: 'ACTIVATED', trigger: 'USER_ACTION' }, 'acknowledged'],
    [{ state: 'ACTIVATED', trigger: 'USER_ACTION', isAcknowledged: true }, 'acknowledged'],
    [{ state: 'ACTIVATED', trigger: 'USER_ACTION', isAcknowledged: false }, 'unacknowledged'],
    [{ state: 'ACTIVATED', trigger: 'USER_ACTION', isAcknowledged: 'False' }, 'unacknowledged'],
    [{ state: 'ACTIVATED', trigger: 'USER_ACTION', acknowledgedBy: null }, 'unacknowledged'],
    [{ state: 'ACTIVATED', trigger: 'USER_ACTION', owner: 'ann' }, 'acknowledged'],
    [{ state: 'ACKNOWLEDGED' }, 'acknowledged'],
    [{ state: 'UNACKNOWLEDGED' }, 'unacknowledged'],
    [{ current_state: 'unack' }, 'unacknowledged'],
    [{ state: 'DEACTIVATED', trigger: 'STATE_CHANGE' }, 'cleared'],
    [{ state: 'DEACTIVATED', trigger: 'USER_ACTION', isAcknowledged: true }, 'cleared'],
    [{ stateText: 'closed' }, 'cleared'],
    [{ state: 'CLOSED', trigger: 'USER_ACTION', isAcknowledged: false }, 'cleared'],
  ];
  for (const [payload, claim] of table) assert.equal(eventOf(payload).claim, claim, JSON.stringify(payload));
});

test('A17: what is deactivated is over for now, proves nothing, and its next word opens it again', () => {
  const off = eventOf({ state: 'DEACTIVATED' });
  assert.deepEqual([off.proof, off.presumed], ['assumed', true]);
  const alert = merge(undefined, eventOf({ state: 'ACTIVATED' }), receivedAt).alert ?? undefined;
  const over = merge(alert, off, receivedAt);
  assert.deepEqual(
    [over.change, merge(over.alert ?? undefined, eventOf({ state: 'ACTIVATED' }), receivedAt).change],
    ['cleared', 'reopened'],
  );
  const closed = merge(over.alert ?? undefined, eventOf({ state: 'CLOSED', closedAt: receivedAt }), receivedAt).alert ?? undefined;
  assert.equal(merge(closed, eventOf({ state: 'ACTIVATED' }), receivedAt).change, 'late');
});

test('A17: who acknowledged it there and gave it back has it no longer', () => {
  const told = [{ state: 'ACTIVATED' }, { state: 'ACTIVATED', trigger: 'USER_ACTION', isAcknowledged: true }];
  const taken = told.reduce<Alert | undefined>((alert, each) => merge(alert, eventOf(each), receivedAt).alert ?? undefined, undefined);
  assert.equal(taken?.acknowledged, true);
  const back = merge(taken, eventOf({ state: 'ACTIVATED', trigger: 'USER_ACTION', isAcknowledged: false }), receivedAt);
  assert.deepEqual([back.change, back.alert?.acknowledged], ['unacknowledged', false]);
});
