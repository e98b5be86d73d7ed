import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newrelic } from '../../../adapters/newrelic/source.ts';
import { prometheus, type PrometheusConfig } from '../../../adapters/prometheus/source.ts';
import type { ZabbixConfig } from '../../../adapters/zabbix/config.ts';
import { zabbix } from '../../../adapters/zabbix/source.ts';
import type { Parsed, Source } from '../../../src/ports/source.ts';

function parsed(source: Source, body: unknown): Parsed {
  const result = source.parse({ headers: {}, path: '', receivedAt: 1_795_226_867_000, body: JSON.stringify(body) });
  assert.ok(result.ok);
  return result.value;
}

const am = (severity: string, config: PrometheusConfig = {}): Parsed =>
  parsed(prometheus(config), { alerts: [{ status: 'firing', labels: { alertname: 'A', severity } }] });
const zbx = (fields: object, config: ZabbixConfig = {}): Parsed =>
  parsed(zabbix(config), { event_id: '1', trigger_id: '2', event_value: '1', event_name: 'x', ...fields });

test('A10: the words of the field are understood, however they are written', () => {
  const words: readonly (readonly [severity: string, words: readonly string[]])[] = [
    ['critical', ['P1', 'p0', 'sev1', 'SEV-1', 'Sev 0', 'S1', 'emerg', 'alert', 'crit', 'fatal', 'page', 'disaster', 'critical ', '1']],
    ['error', ['P2', 'sev2', 'high', 'err', '\tERROR', '2', 'priority: 2']],
    ['warning', ['P3', 'sev_3', 'warn', 'medium', 'average', '3']],
    ['info', ['P4', 'P5', 'sev4', 'sev5', 'notice', 'low', 'debug', '4', '5']],
  ];
  for (const [severity, said] of words) {
    for (const word of said) {
      const { events, warnings } = am(word);
      assert.deepEqual([word, events[0]?.severity, warnings], [word, severity, []]);
    }
  }
});

test('A10: Zabbix counts from the mildest, in a number and in a number where a name stands', () => {
  assert.deepEqual(
    ['0', '1', '2', '3', '4', '5'].map((event_nseverity) => zbx({ event_nseverity }).events[0]?.severity),
    ['info', 'info', 'warning', 'warning', 'error', 'critical'],
  );
  assert.equal(zbx({ event_severity: '5' }).events[0]?.severity, 'critical');
  assert.equal(zbx({ event_severity: 'P1' }).events[0]?.severity, 'critical');
});

test('A15: Zabbix: the name where the number should stand', () => {
  assert.equal(zbx({ event_nseverity: 'High' }).events[0]?.severity, 'error');
  assert.equal(zbx({ event_nseverity: 'Disaster', event_severity: 'Katastrophe' }).events[0]?.severity, 'critical');
});

test('A15: a phrase is understood by the one severity in it, not by two, nor by one that it denies', () => {
  for (const [phrase, severity] of [
    ['Severity: High', 'error'],
    ['Disaster (5)', 'critical'],
    ['5 - disaster', 'critical'],
  ] as const) {
    const { events, warnings } = am(phrase);
    assert.deepEqual([events[0]?.severity, warnings], [severity, []], phrase);
  }
  for (const phrase of ['high or low', 'not critical', 'level 5', 'this is a very critical matter'])
    assert.equal(am(phrase).warnings.length, 1, phrase);
});

test('A10: a word that nobody explained is a warning that says what to paste, and the option explains it', () => {
  const unknown = am('schlimm');
  assert.equal(unknown.events[0]?.severity, 'warning');
  assert.match(unknown.warnings.join(), /severity "schlimm" is not known, taken as warning; .*severities: \{ "schlimm": critical \}/);
  assert.deepEqual(am('Schlimm', { severities: { schlimm: 'critical' } }).warnings, []);
  assert.deepEqual(am('').warnings, [], 'no word is no unknown word');

  assert.match(zbx({ event_severity: 'Schlimm' }).warnings.join(), /severity "Schlimm" is not known/);
  const explained = zbx({ event_nseverity: '2', event_severity: 'Schlimm' }, { severities: { schlimm: 'critical' } });
  assert.deepEqual([explained.events[0]?.severity, explained.warnings], ['critical', []]);

  const issue = parsed(newrelic({}), { issueId: 'a', state: 'CREATED', title: 't', priority: 'URGENTISSIMO' });
  assert.match(issue.warnings.join(), /severity "URGENTISSIMO" is not known/);
});
