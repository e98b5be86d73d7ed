// A Zabbix server asked by JSON-RPC, in the forms of 6.0 and 7.0, against an HTTP server of this process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zabbixProblems, type ZabbixAsking } from '../../../adapters/zabbix/reconcile.ts';
import { zabbix } from '../../../adapters/zabbix/source.ts';
import { someday } from '../../support/clock.ts';
import { openAsked } from '../kit/asked-server.ts';

interface Rpc {
  readonly method: string;
  readonly auth?: string;
  readonly params: { readonly [name: string]: unknown };
}

const problemOf = (change: object = {}): object => ({
  eventid: '4711',
  objectid: '17',
  clock: '1795233000',
  name: 'Disk full on web-1',
  severity: '5',
  opdata: '98 %',
  suppressed: '0',
  r_eventid: '0',
  tags: [{ tag: 'service', value: 'shop' }],
  ...change,
});
const trigger = {
  triggerid: '17',
  description: 'Disk full on {HOST.NAME}',
  comments: 'look',
  hosts: [{ hostid: '1', host: 'web-1', name: 'Web 1' }],
};

async function asked(version: string, account: Partial<ZabbixAsking>, answers: { readonly [method: string]: unknown } = {}) {
  const calls: string[] = [];
  const known: { readonly [method: string]: unknown } = {
    'apiinfo.version': { result: version },
    'user.login': { result: 'session-secret' },
    'user.logout': { result: true },
    'problem.get': { result: [problemOf()] },
    'trigger.get': { result: [trigger] },
    ...answers,
  };
  const server = await openAsked((request, body) => {
    const { method, auth = '-' } = JSON.parse(body) as Rpc; // our own client wrote it
    calls.push(`${method} body=${auth} header=${request.headers.authorization ?? '-'}`);
    return { jsonrpc: '2.0', id: 1, ...(known[method] as object) };
  });
  try {
    const answer = await zabbixProblems({ url: `${server.url}/api_jsonrpc.php`, ...account }, server.deps).ask(
      someday,
      new AbortController().signal,
    );
    return { answer, calls };
  } finally {
    await server.close();
  }
}

test('A6: 6.0 takes its token in the body, 7.0 in a header; a login is closed again', async () => {
  const old = await asked('6.0.14', { user: 'quench', password: 'p' });
  assert.deepEqual(old.calls, [
    'apiinfo.version body=- header=-',
    'user.login body=- header=-',
    'problem.get body=session-secret header=-',
    'trigger.get body=session-secret header=-',
    'user.logout body=session-secret header=-',
  ]);
  const recent = await asked('7.0.1', { token: 'api-token' });
  assert.deepEqual(recent.calls, [
    'apiinfo.version body=- header=-',
    'problem.get body=- header=Bearer api-token',
    'trigger.get body=- header=Bearer api-token',
  ]);
});

test('A6: an open problem has the fingerprint and the episode of what the media type sends', async () => {
  const { answer } = await asked('6.0.14', { token: 't', instance: 'zbx-1' });
  assert.ok(answer.ok);
  const [open] = answer.value.alerts;
  assert.ok(open !== undefined);
  const source = zabbix({});
  const sent = {
    event_id: '4711',
    event_value: '1',
    event_update_status: '0',
    event_source: '0',
    event_nseverity: '5',
    trigger_id: '17',
    instance: 'zbx-1',
  };
  const [byAnswer, byWebhook] = [open.delivery.body, JSON.stringify(sent)].map((body) => source.parse({ ...open.delivery, body }));
  assert.ok(byAnswer?.ok && byWebhook?.ok);
  const [event] = byAnswer.value.events;
  assert.deepEqual([event?.fingerprint, event?.episode], [byWebhook.value.events[0]?.fingerprint, '4711']);
  assert.deepEqual(
    [event?.claim, event?.severity, event?.entity.host, event?.startedAt],
    ['firing', 'critical', 'web-1', 1_795_233_000_000],
  );
});

test('A6: a problem of a disabled trigger is not open; a suppressed one is open and not ours', async () => {
  const { answer } = await asked(
    '7.0.1',
    { token: 't' },
    { 'problem.get': { result: [problemOf({ suppressed: '1' }), problemOf({ objectid: '99' })] } },
  );
  assert.ok(answer.ok);
  assert.deepEqual(
    answer.value.alerts.map(({ ours }) => ours),
    [false],
  );
});

test('A6: an error of the API, an old version and a result of another shape are failures without secrets', async () => {
  for (const answers of [
    { 'problem.get': { error: { code: -32602, message: 'Invalid params.', data: 'Not authorised.' } } },
    { 'apiinfo.version': { result: '5.0.1' } },
    { 'problem.get': { result: 'session-secret' } },
  ]) {
    const { answer } = await asked('6.0.14', { user: 'quench', password: 'pass-secret' }, answers);
    assert.ok(!answer.ok);
    assert.doesNotMatch(answer.error, /secret/);
  }
});

test('A3: a problem that is open when asked was seen then, however long ago it began', async () => {
  const { answer } = await asked('6.0.14', { token: 't' });
  assert.ok(answer.ok);
  const delivery = answer.value.alerts[0]?.delivery ?? assert.fail('no alert');
  const read = zabbix({}).parse(delivery);
  assert.ok(read.ok);
  const [event] = read.value.events;
  assert.deepEqual(
    [event?.startedAt, event?.observedAt],
    [1_795_233_000_000, Math.max(1_795_233_000_000, Math.floor(someday / 1_000) * 1_000)],
  );
});
