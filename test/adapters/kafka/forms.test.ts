// What a fact looks like in its topic: short, readable alone, in a form that its header names; and what is done about other forms.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../../adapters/kafka/client.ts';
import type { Message } from '../../../adapters/kafka/fetching.ts';
import { messagesOf, recordOf, textsOf } from '../../../adapters/kafka/log-records.ts';
import type { LogBatch, LogRecord, Topic } from '../../../src/ports/event-log.ts';
import { newAlerts } from '../../support/storm-of-new.ts';

const turned = newAlerts(110);
const values = turned.flatMap(({ facts }) => facts);
const scope = 'default';

function written(topic: Topic, batch: LogBatch): readonly Message[] {
  return messagesOf(topic, batch, textsOf(topic, batch)).map(({ value, headers }, offset) => ({
    offset,
    key: Buffer.from(scope),
    value: Buffer.from(String(value)),
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(String(text))])),
  }));
}

function read(message: Message): { readonly record: LogRecord; readonly isForeign: boolean } {
  let isForeign = false;
  const client = { health: { foreignRecord: () => (isForeign = true) } } as unknown as Client; // what reading asks of it
  return { record: recordOf(client, 'facts', 0, message), isForeign };
}

test('C1: each fact is read alone, whatever was written beside it, and takes less than half of its JSON', (t) => {
  const messages = written('facts', { partition: 0, scope, values });
  for (const [place, message] of messages.entries()) {
    assert.equal(String(message.headers['quench']), '2');
    assert.deepEqual(read(message), {
      record: { partition: 0, offset: place, scope, value: values[place] },
      isForeign: false,
    });
  }
  const bytes = messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  t.diagnostic(`${Math.round(bytes / turned.length)} bytes an alert, ${Math.round(JSON.stringify(values).length / turned.length)} as JSON`);
  assert.ok(bytes * 2 < JSON.stringify(values).length);
});

test('C2: inputs, and facts of form 1, are JSON as they were', () => {
  const inputs = turned.map(({ input }) => input);
  for (const message of written('inputs', { partition: 0, scope, values: inputs })) {
    assert.equal(String(message.headers['quench']), '1');
    assert.deepEqual(JSON.parse(String(message.value)), inputs[message.offset]);
  }
  const [first] = written('facts', { partition: 0, scope, values });
  assert.ok(first !== undefined);
  const old = { ...first, value: Buffer.from(JSON.stringify(values[0])), headers: { quench: Buffer.from('1') } };
  assert.deepEqual(read(old), { record: { partition: 0, offset: 0, scope, value: values[0] }, isForeign: false });
});

test('L3: a record of a later form is refused by name, and what is damaged is reported and changes nothing', () => {
  const [first] = written('facts', { partition: 0, scope, values });
  assert.ok(first !== undefined);
  assert.throws(() => read({ ...first, headers: { quench: Buffer.from('3') } }), {
    code: 'log_unavailable',
    message: /facts 0 holds records of a newer quench \(form 3, this one knows 2\)/,
  });
  for (const text of ['[0]', '[0,0', '[999,0]', '[]', 'null', '7']) {
    const { record, isForeign } = read({ ...first, value: Buffer.from(text) });
    assert.deepEqual([isForeign, (record.value as { readonly type: string }).type], [true, 'Woke'], text);
  }
});
