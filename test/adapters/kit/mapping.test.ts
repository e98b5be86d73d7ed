// An endpoint's own field mapping, over the real sources and the real expression language.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import { mapped, type Mapping } from '../../../adapters/kit/mapping.ts';
import { nagios } from '../../../adapters/nagios/source.ts';
import { newrelic } from '../../../adapters/newrelic/source.ts';
import { prometheus } from '../../../adapters/prometheus/source.ts';
import type { Delivery, Source } from '../../../src/ports/source.ts';
import { receivedAt } from '../../contracts/source.ts';

const expressions = createExpressions();
const json = { 'content-type': 'application/json' };

function parse(source: Source, mapping: Mapping, body: string, more: Partial<Delivery> = {}): ReturnType<Source['parse']> {
  return mapped(source, mapping, expressions).parse({ headers: json, path: '', receivedAt, body, ...more });
}

test('A15: a template of one’s own is taken under the names that its source knows, as JSON and as form', () => {
  const mapping = { issueId: 'body.key', state: "body.kind == 'end' ? 'CLOSED' : 'CREATED'", priority: 'body.how.bad', title: 'body.what' };
  const ours = { key: 'a-1', kind: 'begin', how: { bad: 'CRITICAL' }, what: 'Disk', conditionName: 'Disk used' };

  const begun = parse(newrelic({}), mapping, JSON.stringify(ours));
  assert.ok(begun.ok);
  const [event] = begun.value.events;
  assert.deepEqual([event?.claim, event?.severity, event?.summary, event?.name], ['firing', 'critical', 'Disk', 'Disk used']);
  const over = parse(newrelic({}), { ...mapping, priority: 'null' }, 'key=a-1&kind=end&what=Disk', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  assert.ok(over.ok);
  assert.deepEqual([over.value.events[0]?.claim, over.value.events[0]?.fingerprint], ['cleared', event?.fingerprint]);
});

test('A15: a mapping may give a whole list', () => {
  const alerts =
    '[{"status": body.up ? "resolved" : "firing", "labels": {"alertname": body.check, "instance": body.host, "severity": "critical"}}]';
  const result = parse(prometheus({}), { alerts }, '{"up":false,"check":"Ping","host":"web-1:9100"}');
  assert.ok(result.ok);
  assert.deepEqual([result.value.events[0]?.name, result.value.events[0]?.entity], ['Ping', { host: 'web-1' }]);
});

test('A15: what an expression cannot say stays as it was sent, with a warning; where nothing is understood the failure names it', () => {
  const body = JSON.stringify({ host: 'web-1', state: 'DOWN' });
  const kept = parse(nagios({}), { service: 'body.missing.deep' }, body);
  assert.ok(kept.ok);
  assert.equal(kept.value.events[0]?.severity, 'critical');
  assert.match(kept.value.warnings.join(), /^mapping\.service: /);
  const refused = parse(nagios({}), { host: 'body.where.is.it' }, '{"state":"DOWN"}');
  assert.ok(!refused.ok);
  assert.match(refused.error.message, /host name missing.* \(mapping\.host: /);
});

test('A15: what was sent is never evaluated, and what the adapter itself wrote is not mapped', () => {
  const hostile = parse(nagios({}), { host: 'body.name' }, JSON.stringify({ name: "'a' + body.secret", secret: 's', state: 'DOWN' }));
  assert.ok(hostile.ok);
  assert.equal(hostile.value.events[0]?.labels['host'], "'a' + body.secret");
  const native = parse(nagios({}), { host: "'other'" }, JSON.stringify({ host: 'web-1', state: 'DOWN' }), { native: true });
  assert.ok(native.ok);
  assert.equal(native.value.events[0]?.labels['host'], 'web-1');
});

test('A15: a body that is no JSON is the source’s to refuse, and without a mapping the source is itself', () => {
  const source = nagios({});
  assert.equal(mapped(source, {}, expressions), source);
  const broken = parse(source, { host: "'x'" }, '{');
  assert.ok(!broken.ok && broken.error.reason === 'not_json');
});
