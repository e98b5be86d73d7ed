import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { NagiosConfig } from '../../../adapters/nagios/config.ts';
import { nagios } from '../../../adapters/nagios/source.ts';
import type { AlertEvent } from '../../../src/core/alert/event.ts';
import { merge } from '../../../src/core/alert/merge.ts';
import type { Delivery } from '../../../src/ports/source.ts';
import { receivedAt, sourceContract } from '../../contracts/source.ts';

sourceContract('nagios', nagios({}));

function eventOf(fields: Readonly<Record<string, unknown>>, config: NagiosConfig = {}): AlertEvent {
  const parsed = nagios(config).parse({ headers: {}, path: '', receivedAt, body: JSON.stringify(fields) });
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.message);
  return parsed.value.events[0] ?? assert.fail('no event');
}

const noticeTypes = [
  'CUSTOM',
  'ACKNOWLEDGEMENT',
  'DOWNTIMESTART',
  'DOWNTIMEEND',
  'DOWNTIMECANCELLED',
  'DowntimeRemoved',
  'FLAPPINGSTART',
  'FLAPPINGSTOP',
  'FlappingEnd',
  'FLAPPINGDISABLED',
  'SOMETHING ELSE',
];
const http = { host: 'web-1', service: 'HTTP' };

describe('nagios', () => {
  test('A2: without times the problem id says which of two problems is the earlier; ids of another start of Nagios say nothing', () => {
    const at = (fields: object, seconds: number): AlertEvent => {
      const body = JSON.stringify({ ...http, ...fields });
      const result = nagios({}).parse({ headers: {}, path: '', body, receivedAt: receivedAt + seconds * 1_000 });
      return (result.ok ? result.value.events[0] : undefined) ?? assert.fail('no event');
    };
    const opened = (fields: object) =>
      merge(undefined, at({ ...fields, state: 'CRITICAL', problem_id: '85' }, 0), receivedAt).alert ?? undefined;
    const end = (id: string, more: object = {}) => at({ state: 'OK', problem_id: '0', last_problem_id: id, ...more }, 60);
    assert.equal(merge(opened({}), end('81'), receivedAt).change, 'late');
    assert.equal(merge(opened({}), end('100'), receivedAt).change, 'cleared');
    const started = { process_start: '1795226000' };
    assert.equal(merge(opened(started), end('9', started), receivedAt).change, 'late');
    assert.equal(merge(opened(started), end('9', { process_start: '1795226900' }), receivedAt).change, 'cleared');
    const dated = { last_check: String(receivedAt / 1_000 + 60) };
    assert.equal(
      merge(opened({ last_check: String(receivedAt / 1_000) }), end('3', dated), receivedAt).change,
      'cleared',
      'its retention was lost',
    );
  });

  test('a host and its service with one name are two alerts, and so are two instances', () => {
    const prints = [
      eventOf({ host: 'web-1', state: 'DOWN' }),
      eventOf({ ...http, state: 'CRITICAL' }),
      eventOf({ ...http, state: 'CRITICAL', instance: 'a' }),
      eventOf({ ...http, state: 'CRITICAL' }, { instance: 'b' }),
      eventOf({ host: 'web', service: '-1HTTP', state: 'CRITICAL' }),
    ].map((event) => event.fingerprint);
    assert.equal(new Set(prints).size, prints.length);
    assert.equal(eventOf({ ...http, state: 'OK', instance: 'a' }, { instance: 'b' }).fingerprint, prints[2]);
  });

  test('each state has its claim and severity, in words and in numbers', () => {
    const table = [
      { service: 'HTTP', words: ['OK', 'ok', 0, '0'], claim: 'cleared', severity: 'info' },
      { service: 'HTTP', words: ['WARNING', 'Warning', 1], claim: 'firing', severity: 'warning' },
      { service: 'HTTP', words: ['CRITICAL', 2], claim: 'firing', severity: 'critical' },
      { service: 'HTTP', words: ['UNKNOWN', 3], claim: 'firing', severity: 'warning' },
      { service: '', words: ['UP', 0], claim: 'cleared', severity: 'info' },
      { service: '', words: ['DOWN', 1], claim: 'firing', severity: 'critical' },
      { service: '', words: ['UNREACHABLE', 2], claim: 'firing', severity: 'error' },
    ];
    for (const { service, words, claim, severity } of table) {
      for (const state of words) {
        const event = eventOf({ host: 'web-1', service, state });
        assert.deepEqual([event.claim, event.severity], [claim, severity], `${service || 'host'} ${state}`);
      }
    }
  });

  test('N3: whatever state a notice carries, it opens nothing, and clears only where it ends what held a recovery back', () => {
    const notice = fc.constantFrom(...noticeTypes);
    const state = fc.constantFrom('OK', 'CRITICAL', 'UNKNOWN', '$SERVICESTATE$', '', 'nonsense');
    const depth = fc.constantFrom('', '0', '1', '$SERVICEDOWNTIME$');
    fc.assert(
      fc.property(notice, state, depth, (type, given, downtime_depth) => {
        const { claim } = eventOf({ ...http, type, state: given, downtime_depth });
        const isEnd = given === 'OK' && /end|cancelled|removed|stop|disabled/i.test(type);
        assert.equal(claim, type.toUpperCase() === 'ACKNOWLEDGEMENT' ? 'acknowledged' : isEnd ? 'cleared' : 'noted');
      }),
      { numRuns: 200, seed: 20_261_121 },
    );
  });

  test('a recovery without an id clears the problem, and a renotification that comes late does not open it again', () => {
    const problem = { ...http, type: 'PROBLEM', state: 'CRITICAL', problem_id: '42', last_check: '1795226867' };
    const recovery = { ...http, type: 'RECOVERY', state: 'OK', problem_id: '0', last_problem_id: '0', last_check: '1795227000' };

    const opened = merge(undefined, eventOf(problem), receivedAt);
    const cleared = merge(opened.alert ?? undefined, eventOf(recovery), receivedAt);
    const late = merge(cleared.alert ?? undefined, eventOf({ ...problem, last_check: '1795226990' }), receivedAt);

    assert.deepEqual([opened.change, cleared.change, late.change], ['opened', 'cleared', 'late']);
  });

  for (const [begin, end] of [
    ['DOWNTIMESTART', 'DOWNTIMEEND'],
    ['DOWNTIMESTART', 'DOWNTIMECANCELLED'],
    ['FLAPPINGSTART', 'FLAPPINGSTOP'],
  ] as const) {
    test(`N3: what recovered between ${begin} and ${end} is over with the latter; one of before the present problem ends nothing`, () => {
      const problem = { ...http, type: 'PROBLEM', state: 'CRITICAL', problem_id: '42', last_check: '1795226867', downtime_depth: '0' };
      const held = { ...http, type: begin, state: 'CRITICAL', problem_id: '42', last_check: '1795226900' };
      const ended = {
        ...http,
        type: end,
        state: 'OK',
        problem_id: '0',
        last_problem_id: '0',
        last_check: '1795227000',
        downtime_depth: '0',
      };
      const again = { ...problem, problem_id: '43', last_check: '1795227300' };

      let alert = merge(undefined, eventOf(problem), receivedAt).alert ?? undefined;
      alert = merge(alert, eventOf(held), receivedAt).alert ?? undefined;
      assert.notEqual(alert?.sourceMute, null);
      const over = merge(alert, eventOf(ended), receivedAt);
      assert.deepEqual([over.change, over.alert?.sourceMute], ['cleared', null]);

      const fresh = merge(over.alert ?? undefined, eventOf(again), receivedAt);
      assert.deepEqual([fresh.change, merge(fresh.alert ?? undefined, eventOf(ended), receivedAt).change], ['reopened', 'late']);
      const burning = { ...ended, state: 'CRITICAL', problem_id: '43', last_check: '1795227400' };
      assert.equal(merge(fresh.alert ?? undefined, eventOf(burning), receivedAt).alert?.state, 'firing');
    });
  }

  test('a soft blip clears itself by the soft recovery, and a hard state takes the softness away', () => {
    const soft = merge(undefined, eventOf({ ...http, state: 'CRITICAL', state_type: 'SOFT' }), receivedAt);
    assert.equal(soft.alert?.soft, true);
    assert.equal(merge(soft.alert ?? undefined, eventOf({ ...http, state: 'OK', state_type: 'SOFT' }), receivedAt).change, 'cleared');
    const hard = merge(soft.alert ?? undefined, eventOf({ ...http, state: 'CRITICAL', state_type: 'HARD' }), receivedAt);
    assert.equal(hard.alert?.soft, false);
  });

  test('a recovery notification lifts what muted, for Nagios would have held it back', () => {
    assert.equal(eventOf({ ...http, type: 'RECOVERY', state: 'OK', downtime_depth: '0', percent_change: '40' }).sourceMute, null);
    assert.equal(eventOf({ ...http, type: 'RECOVERY', state: 'OK' }).sourceMute, undefined);
    assert.equal(eventOf({ ...http, type: 'FLAPPINGSTOP', state: 'OK', downtime_depth: '1' }).sourceMute, 'downtime');
  });

  test('A9: planned work on a host mutes its services, and its end lifts it', () => {
    const service = { ...http, state: 'CRITICAL', downtime_depth: '0', percent_change: '0' };
    assert.equal(eventOf({ ...service, host_downtime_depth: '1' }).sourceMute, 'downtime');
    assert.equal(eventOf({ ...service, type: 'PROBLEM', HOSTDOWNTIME: '2' }).sourceMute, 'downtime');
    assert.equal(eventOf({ ...service, type: 'DOWNTIMEEND', host_downtime_depth: '1' }).sourceMute, 'downtime');
    assert.equal(eventOf({ ...service, host_downtime_depth: '0' }).sourceMute, null);
  });

  test('A9: every command for services that we give people to paste tells the depth of the host, too', () => {
    const commands = readFileSync(new URL('../../../adapters/nagios/setup/quench-commands.cfg', import.meta.url), 'utf8').split('\n');
    const services = commands.filter((line) => line.includes('$SERVICEDOWNTIME$'));
    assert.equal(services.length, 2);
    for (const line of services) assert.ok(line.includes("'host_downtime_depth=$HOSTDOWNTIME$'"), line);
  });

  test('A14: names that are not UTF-8 stay apart, in forms as well', () => {
    const form = (service: string): Delivery => ({
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      path: '',
      receivedAt,
      body: `host_name=web-1&service_description=${service}&state=CRITICAL`,
    });
    const names = ['T%FCr', 'T%F6r', 'T%C3%BCr', 'a+b%2', 'T%C3r'].map((service) => {
      const parsed = nagios({}).parse(form(service));
      return parsed.ok ? parsed.value.events[0]?.name : parsed.error.message;
    });
    assert.deepEqual(names, ['Tür', 'Tör', 'Tür', 'a b%2', 'TÃr']);
  });
});
