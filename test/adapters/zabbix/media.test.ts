// The media type that operators import: its parameters, and its script run as Zabbix runs it, over recorded HTTP calls.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { parse as parseYaml } from 'yaml';
import { zabbix } from '../../../adapters/zabbix/source.ts';
import type { Source } from '../../../src/ports/source.ts';

interface MediaType {
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
  readonly script: string;
  readonly attempts: string;
  readonly attempt_interval: string;
  readonly process_tags: string;
}

const text = readFileSync(new URL('../../../adapters/zabbix/setup/media_type_quench.yaml', import.meta.url), 'utf8');
const exported: { readonly zabbix_export: { readonly version: string; readonly media_types: readonly MediaType[] } } = parseYaml(text);
const media = exported.zabbix_export.media_types[0] ?? assert.fail('no media type');
const receivedAt = Date.parse('2026-11-21T04:00:00Z');

/** Macros as Zabbix 6.0 expands them for a problem; what it does not know stays as it is. */
const macros: Readonly<Record<string, string>> = {
  '{ALERT.MESSAGE}': 'Problem 1187',
  '{EVENT.DATE}': '2026.11.21',
  '{EVENT.ID}': '1187',
  '{EVENT.NAME}': 'Disk "C:\\" is full on web-1',
  '{EVENT.NSEVERITY}': '4',
  '{EVENT.OPDATA}': 'Used: 99 %\n"quoted"',
  '{EVENT.SEVERITY}': 'High',
  '{EVENT.SOURCE}': '0',
  '{EVENT.TAGSJSON}': '[{"tag":"service","value":"checkout"}]',
  '{EVENT.TIME}': '03:07:47',
  '{EVENT.UPDATE.STATUS}': '0',
  '{EVENT.VALUE}': '1',
  '{HOST.HOST}': 'web-1',
  '{HOST.IP}': '192.0.2.11',
  '{HOST.NAME}': 'Web "1"',
  '{ITEM.VALUE}': '99',
  '{TRIGGER.ID}': '23290',
  '{$QUENCH.TOKEN}': 'secret-token',
  '{$ZABBIX.URL}': 'https://zabbix.example.net',
};

/** The parameters as one JSON text, cut where Zabbix cuts. */
function valueOf(changed: Readonly<Record<string, string>> = {}): string {
  const known = { ...macros, ...changed };
  const pairs = media.parameters.map(({ name, value }) => [name, known[value] ?? value] as const);
  return JSON.stringify(Object.fromEntries(pairs)).slice(0, 65_535);
}

interface Call {
  readonly url: string;
  readonly body: string;
  readonly headers: readonly string[];
}

/** Runs the script as the body of a function of `value`; gives what it returned and what it sent. */
function run(
  value: string,
  answer: { readonly status: number; readonly body: string },
): { readonly returned: string; readonly calls: readonly Call[] } {
  const calls: Call[] = [];
  class HttpRequest {
    readonly headers: string[] = [];
    addHeader(header: string): void {
      this.headers.push(header);
    }
    post(url: string, body: string): string {
      calls.push({ url, body, headers: [...this.headers] });
      return answer.body;
    }
    getStatus(): number {
      return answer.status;
    }
  }
  const returned = runInNewContext(`(function (value) {\n${media.script}\n})(value)`, { value, HttpRequest }, { timeout: 2_000 });
  return { returned: String(returned), calls };
}

function eventsOf(body: string): ReturnType<Source['parse']> {
  return zabbix({}).parse({ headers: {}, path: '', receivedAt, body });
}

describe('media_type_quench.yaml', () => {
  test('parameters stand in the order Zabbix sorts them, with those of any length last', () => {
    const names = media.parameters.map(({ name }) => name);
    assert.deepEqual(names, [...names].sort());
    const unbounded = ['{EVENT.TAGSJSON}', '{EVENT.UPDATE.MESSAGE}', '{EVENT.OPDATA}', '{TRIGGER.DESCRIPTION}', '{ITEM.VALUE}'];
    assert.deepEqual(
      media.parameters.slice(-unbounded.length).map(({ value }) => value),
      unbounded,
    );
  });

  test('it is a 6.0 export that tries for an hour and takes tags', () => {
    assert.equal(exported.zabbix_export.version, '6.0');
    assert.deepEqual([media.attempts, media.attempt_interval, media.process_tags], ['60', '60s', 'YES']);
  });

  test('the script is ECMAScript 5, for the engine of Zabbix knows nothing newer', () => {
    const code = media.script.replaceAll(/\/\/.*$/gm, '').replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''");
    assert.doesNotMatch(code, /\b(?:let|const|class|async|await)\b|=>|`|\.\.\.|\?\.|\?\?/);
  });

  test('a problem arrives as an alert, quotes and newlines whole, and no secret is in the body', () => {
    const { returned, calls } = run(valueOf(), { status: 202, body: '' });

    const [call] = calls;
    assert.equal(call?.url, 'http://127.0.0.1:8686/webhooks/zabbix');
    assert.deepEqual(call?.headers, ['Content-Type: application/json', 'Authorization: Bearer secret-token']);
    assert.doesNotMatch(call?.body ?? '', /secret-token|quench_/);
    const parsed = eventsOf(call?.body ?? '');
    assert.ok(parsed.ok);
    const [event] = parsed.value.events;
    assert.deepEqual([event?.claim, event?.severity, event?.episode, event?.entity.service], ['firing', 'error', '1187', 'checkout']);
    assert.equal(event?.annotations['opdata'], 'Used: 99 %\n"quoted"');
    assert.equal(event?.labels['host_name'], 'Web "1"');
    assert.equal(returned, '{"tags":{}}');
  });

  test('an incident in the answer becomes tags, as text and within 255 characters', () => {
    const url = `https://quench.example.net/${'i'.repeat(300)}`;
    const { returned } = run(valueOf(), { status: 200, body: JSON.stringify({ incident_id: 42, incident_url: url }) });
    assert.deepEqual(JSON.parse(returned), { tags: { __quench_incident: '42', __quench_url: url.slice(0, 255) } });
  });

  test('an answer of HTML, of null, or without an incident is a success without tags', () => {
    for (const body of ['<html>', 'null', '{"accepted":1}']) assert.equal(run(valueOf(), { status: 204, body }).returned, '{"tags":{}}');
  });

  test('anything but 2xx throws, so that Zabbix tries again', () => {
    for (const status of [0, 199, 302, 400, 401, 429, 503]) {
      assert.throws(
        () => run(valueOf(), { status, body: 'busy' }),
        (thrown) => String(thrown).includes(`Quench answered ${status}`),
      );
    }
  });

  test('a value that made Zabbix cut the parameters costs that value, not the alert', () => {
    for (const long of ['x'.repeat(70_000), '"\\'.repeat(35_000), 'ž\n'.repeat(40_000)]) {
      const cut = valueOf({ '{EVENT.OPDATA}': long });
      assert.throws(() => JSON.parse(cut));

      const { calls } = run(cut, { status: 202, body: '' });

      const parsed = eventsOf(calls[0]?.body ?? '');
      assert.ok(parsed.ok);
      assert.equal(parsed.value.events[0]?.episode, '1187');
      assert.equal(parsed.value.events[0]?.entity.service, 'checkout');
      assert.match(parsed.value.warnings.join(), /cut at 64 KB/);
      assert.deepEqual(calls[0]?.headers[1], 'Authorization: Bearer secret-token');
    }
  });

  test('wherever the cut falls, the complete pairs before it are what is sent', () => {
    const whole = valueOf();
    const pairs: Record<string, string> = JSON.parse(whole);
    for (let length = whole.indexOf('"service_name"'); length < whole.length; length++) {
      const { calls } = run(whole.slice(0, length), { status: 202, body: '' });
      const { truncated, ...sent } = JSON.parse(calls[0]?.body ?? '{}');
      assert.equal(truncated, 'true');
      for (const [name, value] of Object.entries(sent)) assert.equal(value, pairs[name] ?? pairs[nameBefore(name)], `${name} at ${length}`);
    }
  });

  test('the Test button, every macro as it stands, is accepted and stores nothing', () => {
    const literal = JSON.stringify(Object.fromEntries(media.parameters.map(({ name, value }) => [name, value])));
    const { calls } = run(literal, { status: 202, body: '{}' });
    assert.deepEqual(calls[0]?.headers, ['Content-Type: application/json']);
    assert.deepEqual(eventsOf(calls[0]?.body ?? ''), { ok: true, value: { events: [], warnings: [] } });
  });

  test('without a URL it says so', () => {
    const value = JSON.stringify({ ...JSON.parse(valueOf()), quench_url: '' });
    assert.throws(
      () => run(value, { status: 202, body: '' }),
      (thrown) => String(thrown).includes('quench_url'),
    );
  });
});

function nameBefore(name: string): string {
  return media.parameters.find((each) => each.name.replace(/^zz\d_/, '') === name)?.name ?? '';
}
