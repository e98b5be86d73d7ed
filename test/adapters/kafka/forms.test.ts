// What facts look like in their topic: those of one append in one record, with a record more for each offset; and what is done about other forms.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../../adapters/kafka/client.ts';
import type { Message } from '../../../adapters/kafka/fetching.ts';
import { groupsOf, messagesOf, recordOf } from '../../../adapters/kafka/log-records.ts';
import { packed, storedForm } from '../../../src/core/stored/stored.ts';
import type { LogBatch, LogRecord, Topic } from '../../../src/ports/event-log.ts';
import { newAlerts } from '../../support/storm-of-new.ts';

const turned = newAlerts(110);
const values = turned.flatMap(({ facts }) => facts);
const scope = 'default';

function written(topic: Topic, batch: LogBatch): readonly Message[] {
  return messagesOf(topic, batch).map(({ key, value, headers }, offset) => ({
    offset,
    key: key === null ? null : Buffer.from(String(key)),
    value: Buffer.from(String(value)),
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(String(text))])),
  }));
}

interface Read {
  readonly record: LogRecord;
  readonly isForeign: boolean;
}

function readAt(messages: readonly Message[], at: number): Read {
  let isForeign = false;
  const client = { health: { foreignRecord: () => (isForeign = true) } } as unknown as Client; // what reading asks of it
  return { record: recordOf(client, 'facts', 0, messages, at), isForeign };
}

const read = (message: Message): Read => readAt([message], 0);

/** Of keys and values; the protocol adds some 16 to each record. */
function bytesOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
}

test('C1, L4: each fact has an offset of its own and is read from there on, whatever group it was written in', () => {
  for (const count of [1, 2, 7, 128, 129, values.length]) {
    const some = values.slice(0, count);
    const messages = written('facts', { partition: 0, scope, values: some });
    assert.equal(messages.length, count);
    for (let at = 0; at < count; at += 1)
      assert.deepEqual(readAt(messages, at), { record: { partition: 0, offset: at, scope, value: some[at] }, isForeign: false });
  }
});

test('L4: a new alert takes 900 bytes at most, one that joins a storm and one that opens an incident, each appended alone', (t) => {
  const of = (at: number): number => bytesOf(written('facts', { partition: 0, scope, values: turned[at]?.facts ?? [] }));
  const opens = of(0);
  const joins = of(109);
  t.diagnostic(`${opens} bytes for one that opens an incident, ${joins} for one that joins a storm`);
  t.diagnostic(
    `in ${turned[0]?.facts.length} and ${turned[109]?.facts.length} records; ${JSON.stringify(turned[0]?.facts).length} and ${JSON.stringify(turned[109]?.facts).length} as JSON`,
  );
  assert.ok(opens <= 900, `${opens}`);
  assert.ok(joins <= 900, `${joins}`);
});

test('L4: a group is never parted, and stays far below what a topic takes', () => {
  const large = values.map((value, n) => ({ ...value, note: 'x'.repeat(n % 50 === 0 ? 70_000 : 900) }));
  const messages = messagesOf('facts', { partition: 0, scope, values: large });
  const groups = [...groupsOf(messages)];
  assert.deepEqual(groups.flat(), messages);
  for (const group of groups) {
    const [head, ...rest] = group;
    assert.ok(head?.key !== null && rest.every(({ key }) => key === null));
    assert.ok(rest.length === 0 || String(head?.value).length <= 65_536);
    assert.ok(group.length <= 128);
  }
  assert.ok(groups.length < large.length / 5);
});

test('L4: a place that leads to no group is foreign, and is passed over alone', () => {
  const messages = written('facts', { partition: 0, scope, values });
  for (const [place, text] of [
    [3, '2'],
    [3, '-1'],
    [3, '1.5'],
    [3, ''],
    [3, 'x'],
    [3, '400'],
  ] as const) {
    const damaged = messages.map((message, at) => (at === place ? { ...message, value: Buffer.from(text) } : message));
    assert.equal(readAt(damaged, place).isForeign, true, text);
    assert.equal(readAt(damaged, place + 1).isForeign, false, text);
  }
  assert.equal(readAt(messages.slice(1), 3).isForeign, true, 'without its first record');
});

test('L4: groups hold facts in the form that core/stored writes; another one needs a number of its own here', () => {
  assert.equal(storedForm, 2);
  const [head] = written('facts', { partition: 0, scope, values: values.slice(0, 5) });
  assert.deepEqual(JSON.parse(String(head?.value)), packed(scope, values.slice(0, 5)));
});

test('C2: inputs, and facts of form 1, are JSON as they were, and facts of form 2 are readable alone', () => {
  const inputs = turned.map(({ input }) => input);
  for (const message of written('inputs', { partition: 0, scope, values: inputs })) {
    assert.equal(String(message.headers['quench']), '1');
    assert.deepEqual(JSON.parse(String(message.value)), inputs[message.offset]);
  }
  const [first] = written('facts', { partition: 0, scope, values: values.slice(0, 1) });
  assert.ok(first !== undefined);
  const old = { ...first, value: Buffer.from(JSON.stringify(values[0])), headers: { quench: Buffer.from('1') } };
  assert.deepEqual(read(old), { record: { partition: 0, offset: 0, scope, value: values[0] }, isForeign: false });
  for (const [at, value] of values.entries()) {
    const text = JSON.stringify(packed(scope, [value])[0]);
    const alone: Message = { ...first, offset: at, value: Buffer.from(text), headers: { quench: Buffer.from('2') } };
    assert.deepEqual(read(alone), { record: { partition: 0, offset: at, scope, value }, isForeign: false });
  }
});

test('L3: a record of a later form is refused by name, and what is damaged is reported and changes nothing', () => {
  const [first] = written('facts', { partition: 0, scope, values: values.slice(0, 1) });
  assert.ok(first !== undefined);
  assert.throws(() => read({ ...first, headers: { quench: Buffer.from('4') } }), {
    code: 'log_unavailable',
    message: /facts 0 holds records of a newer quench \(form 4, this one knows 3\)/,
  });
  for (const text of ['[0]', '[0,0', '[999,0]', '[]', 'null', '7']) {
    const { record, isForeign } = read({ ...first, value: Buffer.from(text) });
    assert.deepEqual([isForeign, (record.value as { readonly type: string }).type], [true, 'Woke'], text);
  }
});
