import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ZabbixConfig } from '../../../adapters/zabbix/config.ts';
import { zabbix } from '../../../adapters/zabbix/source.ts';
import type { AlertEvent } from '../../../src/core/alert/event.ts';
import { merge } from '../../../src/core/alert/merge.ts';
import type { Alert } from '../../../src/core/alert/row.ts';
import { receivedAt, sourceContract } from '../../contracts/source.ts';

sourceContract('zabbix', zabbix({}));

function eventsOf(fields: Readonly<Record<string, unknown>>, config: ZabbixConfig = {}): readonly AlertEvent[] {
  const parsed = zabbix(config).parse({ headers: {}, path: '', receivedAt, body: JSON.stringify(fields) });
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.message);
  return parsed.value.events;
}

function eventOf(fields: Readonly<Record<string, unknown>>, config: ZabbixConfig = {}): AlertEvent {
  return eventsOf(fields, config)[0] ?? assert.fail('no event');
}

const problem = { event_id: '1187', event_value: '1', event_update_status: '0', event_nseverity: '4', trigger_id: '23290' };
const recovery = { ...problem, event_value: '0' };

describe('zabbix', () => {
  test('A15: what is suppressed is one problem: the next of its trigger is not, and neither is one that the server shows as such', () => {
    const suppressed = { ...problem, event_update_status: '1', event_update_action: 'suppressed until 2026-11-30 10:00:00' };
    const after = (alert: Alert | undefined, ...told: readonly object[]): Alert | undefined =>
      told.reduce<Alert | undefined>((known, each) => merge(known, eventOf({ ...each }), receivedAt).alert ?? undefined, alert);
    const muted = after(undefined, problem, suppressed);
    assert.deepEqual([muted?.sourceMute, after(muted, problem)?.sourceMute], ['suppressed', 'suppressed']);
    assert.equal(after(muted, { ...problem, suppressed: '0' })?.sourceMute, null, 'asked, the server shows it');

    const next = { ...problem, event_id: '1190' };
    const reopened = after(muted, recovery, next);
    assert.deepEqual([reopened?.episode, reopened?.sourceMute], ['1190', null]);
    const overlooked = after(muted, next);
    assert.deepEqual([overlooked?.state, overlooked?.sourceMute], ['firing', null], 'its recovery was lost');
  });

  const untilOf = (until: string, fields: object = {}, config: ZabbixConfig = {}, at = receivedAt): string | undefined => {
    const body = JSON.stringify({ ...problem, event_update_status: '1', event_update_action: until, ...fields });
    const parsed = zabbix(config).parse({ headers: {}, path: '', receivedAt: at, body });
    const event = parsed.ok ? parsed.value.events.at(-1) : undefined;
    assert.equal(event?.sourceMute === undefined, event?.muteUntil === undefined && !until.includes('indefinitely'));
    return event?.muteUntil === undefined ? undefined : new Date(event.muteUntil).toISOString();
  };
  const until = 'suppressed until 2026.11.22 12:00:00';

  test('A16: the end of a suppression is read in the zone of the server', () => {
    assert.equal(untilOf(until, {}, { timeZone: 'Europe/Berlin' }), '2026-11-22T11:00:00.000Z');
    assert.equal(untilOf('suppressed until 2027.07.01 12:00:00', {}, { timeZone: 'Europe/Berlin' }), '2027-07-01T10:00:00.000Z');
    assert.equal(untilOf(until, {}, { utcOffsetMinutes: -300 }), '2026-11-22T17:00:00.000Z');
    assert.equal(untilOf('acknowledged, commented and ' + until, {}, { utcOffsetMinutes: 0 }), '2026-11-22T12:00:00.000Z');
    assert.equal(untilOf(until + ' and closed', {}, { utcOffsetMinutes: 0 }), '2026-11-22T12:00:00.000Z');
    assert.equal(untilOf('suppressed until 2026-11-22T12:00:00+02:00'), '2026-11-22T10:00:00.000Z');
    assert.equal(untilOf('suppressed until 2026-11-22 12:00', {}, { utcOffsetMinutes: 0 }), '2026-11-22T12:00:00.000Z');
    assert.equal(untilOf('suppressed until 1795348800'), '2026-11-22T12:00:00.000Z');
  });

  test('A16: without a zone its dates tell it: beside their timestamps, or by when we received one; else the end is rather too early', () => {
    const seconds = String(receivedAt / 1_000);
    const began = { event_date: '2026.11.21', event_time: '09:30:00', event_timestamp: seconds };
    assert.equal(untilOf(until, began), '2026-11-22T06:30:00.000Z');
    const updated = { event_update_date: '2026.11.20', event_update_time: '23:00:00' };
    assert.equal(untilOf(until, { ...updated, event_update_timestamp: seconds }), '2026-11-22T17:00:00.000Z');
    assert.equal(untilOf(until, updated), '2026-11-22T17:00:00.000Z');
    assert.equal(untilOf(until, updated, {}, receivedAt + 10 * 60_000), '2026-11-22T17:00:00.000Z', 'it came a little late');
    assert.equal(untilOf(until), '2026-11-21T22:00:00.000Z');
  });

  test('A16: an end that cannot be read mutes nothing, with a warning; no end is no end', () => {
    for (const action of [
      'suppressed until tomorrow',
      'suppressed until',
      'suppressed until 2026.13.45 99:00:00',
      'suppressed until 1970.01.01 00:00:00',
    ]) {
      assert.equal(untilOf(action), undefined, action);
      const body = JSON.stringify({ ...problem, event_update_status: '1', event_update_action: action });
      const parsed = zabbix({}).parse({ headers: {}, path: '', receivedAt, body });
      assert.match(parsed.ok ? (parsed.value.warnings[0] ?? '') : '', /^zabbix: suppressed until ".*", which is no date like/);
    }
    assert.equal(untilOf('suppressed indefinitely'), undefined);
    assert.equal(
      eventOf({ ...problem, event_update_status: '1', event_update_action: 'suppressed indefinitely' }).sourceMute,
      'suppressed',
    );
  });

  test('Z2: whatever became of host, name and tags, a recovery has the fingerprint of its problem', () => {
    const text = fc.oneof(fc.constantFrom('', '*UNKNOWN*', '{HOST.HOST}', 'web-1'), fc.string({ maxLength: 20 }));
    const fields = fc.record({ host_host: text, host_name: text, event_name: text, event_tags_json: text }, { requiredKeys: [] });
    const expected = eventOf(problem).fingerprint;
    fc.assert(
      fc.property(fields, (some) => assert.equal(eventOf({ ...some, ...recovery }).fingerprint, expected)),
      { numRuns: 200, seed: 20_261_121 },
    );
  });

  test('two servers that name themselves do not share their trigger ids', () => {
    const prints = [eventOf(problem), eventOf({ ...problem, instance: 'a' }), eventOf(problem, { instance: 'b' })].map(
      (each) => each.fingerprint,
    );
    assert.equal(new Set(prints).size, 3);
    assert.equal(eventOf({ ...recovery, instance: '{$QUENCH.INSTANCE}' }, { instance: 'b' }).fingerprint, prints[2]);
  });

  test('dates are read with the configured offset only', () => {
    const dated = {
      ...recovery,
      event_date: '2026.11.21',
      event_time: '03:07:47',
      event_recovery_date: '2026.11.21',
      event_recovery_time: '03:10:00',
    };
    const read = eventOf(dated, { utcOffsetMinutes: 60 });
    assert.equal(new Date(read.startedAt).toISOString(), '2026-11-21T02:07:47.000Z');
    assert.equal(new Date(read.observedAt).toISOString(), '2026-11-21T02:10:00.000Z');
    const unread = eventOf(dated);
    assert.deepEqual([unread.startedAt, unread.observedAt], [receivedAt, receivedAt]);
  });

  test('A4: a zone reads dates right on both sides of a change of clocks, an hour that comes twice by when we received it', () => {
    const began = (event_date: string, event_time: string, at: string, timeZone = 'Europe/Berlin'): string => {
      const body = JSON.stringify({ event_id: '1', trigger_id: '2', event_value: '1', event_name: 'x', event_date, event_time });
      const result = zabbix({ timeZone }).parse({ headers: {}, path: '', body, receivedAt: Date.parse(at) });
      return result.ok ? new Date(result.value.events[0]?.startedAt ?? 0).toISOString() : result.error.message;
    };
    assert.equal(began('2026.10.24', '12:00:00', '2026-10-24T10:00:05Z'), '2026-10-24T10:00:00.000Z');
    assert.equal(began('2026.10.26', '12:00:00', '2026-10-26T11:00:05Z'), '2026-10-26T11:00:00.000Z');
    assert.equal(began('2026.10.25', '02:50:00', '2026-10-25T00:50:05Z'), '2026-10-25T00:50:00.000Z');
    assert.equal(began('2026.10.25', '02:10:00', '2026-10-25T01:10:05Z'), '2026-10-25T01:10:00.000Z');
    assert.equal(began('2026.03.29', '03:10:00', '2026-03-29T01:10:05Z'), '2026-03-29T01:10:00.000Z');
    assert.equal(began('2026.07.01', '12:00:00', '2026-07-01T16:00:05Z', 'America/New_York'), '2026-07-01T16:00:00.000Z');
  });

  test('A18: root causes that a service lists are no host, and a problem without a time began its duration ago', () => {
    const service = { event_source: '4', event_id: '7', service_name: 'Shop', event_value: '1', event_name: 'Shop is down' };
    const listed = eventOf({
      ...service,
      alert_message: 'Host: "web01" Problem name: Disk full Severity: High',
      event_duration: '1h 2m 5s',
    });
    assert.equal(listed.entity.host, undefined);
    assert.equal(receivedAt - listed.startedAt, 3_725_000);
    assert.equal(eventOf({ ...service, event_duration: 'long' }).startedAt, receivedAt);
  });

  test('Z3: each update action makes its claims, and none opens or clears', () => {
    const table = [
      { action: 'acknowledged', claims: ['acknowledged'] },
      { action: 'unacknowledged', claims: ['unacknowledged'] },
      { action: 'commented', claims: ['noted'] },
      { action: 'unacknowledged and commented', claims: ['unacknowledged'] },
      { action: 'acknowledged, commented and closed', claims: ['acknowledged'] },
      { action: 'changed severity from High to Disaster', claims: ['firing'] },
      { action: 'acknowledged, commented and changed severity from High to Disaster', claims: ['firing', 'acknowledged'] },
      { action: 'suppressed indefinitely', claims: ['noted'] },
      { action: 'closed', claims: ['noted'] },
      { action: '{EVENT.UPDATE.ACTION}', claims: ['noted'] },
    ];
    for (const { action, claims } of table) {
      const events = eventsOf({ ...problem, event_update_status: '1', event_update_action: action });
      assert.deepEqual(
        events.map((event) => event.claim),
        claims,
        action,
      );
    }
  });

  test('each severity has its word, by number and by name', () => {
    const words = ['info', 'info', 'warning', 'warning', 'error', 'critical'];
    const names = ['Not classified', 'Information', 'Warning', 'Average', 'High', 'Disaster'];
    for (const [number, word] of words.entries()) {
      assert.equal(eventOf({ ...problem, event_nseverity: number }).severity, word);
      assert.equal(eventOf({ ...problem, event_nseverity: '{EVENT.NSEVERITY}', event_severity: names[number] }).severity, word);
    }
  });

  test('the recovery of an earlier problem does not clear the one that followed', () => {
    const opened = merge(undefined, eventOf({ ...problem, event_id: '1201' }), receivedAt);
    assert.equal(merge(opened.alert ?? undefined, eventOf(recovery), receivedAt).change, 'late');
    assert.equal(merge(opened.alert ?? undefined, eventOf({ ...recovery, event_id: '1201' }), receivedAt).change, 'cleared');
  });

  test('A2: without timestamps the event id says which of two problems is the earlier', () => {
    const { event_id: _id, ...known } = problem;
    const at = (id: string, value: '0' | '1', seconds: number): AlertEvent => {
      const body = JSON.stringify({ ...known, event_id: id, event_value: value });
      const result = zabbix({}).parse({ headers: {}, path: '', body, receivedAt: receivedAt + seconds * 1_000 });
      return (result.ok ? result.value.events[0] : undefined) ?? assert.fail('no event');
    };
    const held = merge(undefined, at('1000', '1', 0), receivedAt).alert ?? undefined;
    assert.equal(merge(held, at('999', '0', 60), receivedAt).change, 'late');
    assert.equal(merge(held, at('1001', '0', 60), receivedAt).change, 'cleared');
    assert.equal(merge(held, at('999', '1', 60), receivedAt).change, 'late');
  });

  test('A3: an escalation that was cancelled is no end that Zabbix saw: told again, the problem is open', () => {
    const held = merge(undefined, eventOf(problem), receivedAt).alert ?? undefined;
    const over = merge(held, eventOf({ ...problem, alert_message: 'NOTE: Escalation canceled: host disabled.' }), receivedAt);
    assert.equal(over.change, 'cleared');
    assert.equal(merge(over.alert ?? undefined, eventOf(problem), receivedAt).change, 'reopened');
  });

  test('a tag cannot pass for a label of ours, nor for our own write-back', () => {
    const tags = [
      { tag: 'host', value: 'liar' },
      { tag: 'trigger_id', value: '1' },
      { tag: '__quench_url', value: 'x' },
      { tag: '__proto__', value: 'y' },
    ];
    for (const event_tags of [tags, JSON.stringify(tags), tags.map(({ tag, value }) => `${tag}:${value}`).join(', ')]) {
      assert.deepEqual(eventOf({ ...problem, host_host: 'web-1', event_tags }).labels, {
        host: 'web-1',
        trigger_id: '23290',
        event_source: 'trigger',
      });
    }
  });
});

test('B20: a title holds no raw macro: what the delivery tells stands for it, else it is left out', () => {
  const about = {
    event_id: '7',
    event_value: '1',
    event_nseverity: '4',
    trigger_id: '70',
    host_host: 'web1',
    host_name: 'Web 1',
    item_value: '99',
  };
  const told = (name: string, orig: string): string | undefined => {
    const body = JSON.stringify({ ...about, event_name: name, trigger_name_orig: orig });
    const read = zabbix({}).parse({ headers: {}, path: '', body, receivedAt: 1_795_000_000_000 });
    const event = read.ok ? read.value.events[0] : undefined;
    return event?.summary;
  };
  assert.equal(told('ping {HOST.NAME}', 'ping {HOST.NAME}'), 'web1: ping Web 1');
  assert.equal(told('load is {ITEM.VALUE1} of {$MAX}', 'load is {ITEM.VALUE1} of {$MAX}'), 'web1: load is 99 of');
  assert.equal(told('{HOST.NAME} is down', '{HOST.NAME} is down'), 'web1: Web 1 is down');
  assert.equal(told('disk {/} of {a} is full', 'disk {/} of {a} is full'), 'web1: disk {/} of {a} is full');
});
