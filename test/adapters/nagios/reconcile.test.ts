// Nagios asked by its status file and by statusjson.cgi, in the shapes that 4.4.6 wrote.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nagiosProblems } from '../../../adapters/nagios/reconcile.ts';
import { nagios } from '../../../adapters/nagios/source.ts';
import { someday } from '../../support/clock.ts';
import { openAsked } from '../kit/asked-server.ts';

const created = someday / 1_000 - 10;
const block = (name: string, members: object): string =>
  `${name} {\n${Object.entries(members)
    .map(([key, value]) => `\t${key}=${value}\n`)
    .join('')}\t}\n\n`;
const service = (change: object = {}): string =>
  block('servicestatus', {
    host_name: 'web-1',
    service_description: 'PING',
    has_been_checked: 1,
    current_state: 2,
    state_type: 1,
    current_problem_id: 5,
    plugin_output: 'PING CRITICAL - a=b {',
    long_plugin_output: 'more\\n{',
    last_check: created,
    last_state_change: created - 60,
    notifications_enabled: 1,
    is_flapping: 0,
    scheduled_downtime_depth: 0,
    ...change,
  });
const host = (change: object = {}): string =>
  block('hoststatus', { host_name: 'web-1', has_been_checked: 1, current_state: 0, state_type: 1, scheduled_downtime_depth: 0, ...change });
const fileOf = (...blocks: readonly string[]): string =>
  [
    '# NAGIOS STATUS FILE\n',
    block('info', { created, version: '4.4.6' }),
    block('programstatus', { program_start: created - 90 }),
    ...blocks,
  ].join('');

const unused = {
  http: { send: async () => assert.fail('no HTTP'), close: () => {} },
  clock: { now: () => someday, steady: () => 0, after: () => () => {} },
};

async function askedFile(text: string, askedAt = someday) {
  const dir = mkdtempSync(join(tmpdir(), 'quench-status-'));
  try {
    writeFileSync(join(dir, 'status.dat'), text);
    return await nagiosProblems({ statusFile: join(dir, 'status.dat'), instance: 'mon-1' }, unused).ask(
      askedAt,
      new AbortController().signal,
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('A6: a problem of the status file has the fingerprint and the episode of what the script sends', async () => {
  const answer = await askedFile(fileOf(host(), service()));
  assert.ok(answer.ok);
  assert.deepEqual([answer.value.asOf, answer.value.partial], [created * 1_000, null]);
  const [open] = answer.value.alerts;
  assert.ok(open !== undefined && open.ours);
  const sent = {
    type: 'PROBLEM',
    host: 'web-1',
    service: 'PING',
    state: 'CRITICAL',
    state_type: 'HARD',
    problem_id: '5',
    instance: 'mon-1',
  };
  const [byFile, byScript] = [open.delivery.body, JSON.stringify(sent)].map((body) => nagios({}).parse({ ...open.delivery, body }));
  assert.ok(byFile?.ok && byScript?.ok);
  const identity = ({ value }: typeof byFile) =>
    value.events.map(({ fingerprint, episode, claim, severity }) => [fingerprint, episode, claim, severity]);
  assert.deepEqual(identity(byFile), identity(byScript));
});

test('A6: in downtime, its host in downtime, flapping, SOFT, notifications off: open and not ours', async () => {
  for (const blocks of [
    [host(), service({ scheduled_downtime_depth: 1 })],
    [host({ scheduled_downtime_depth: 1 }), service()],
    [host(), service({ is_flapping: 1 })],
    [host(), service({ state_type: 0 })],
    [host(), service({ notifications_enabled: 0 })],
  ]) {
    const answer = await askedFile(fileOf(...blocks));
    assert.ok(answer.ok);
    assert.deepEqual(
      answer.value.alerts.map(({ ours }) => ours),
      [false],
    );
  }
});

test('A6: what Nagios has not checked since it started is unsure, neither well nor in trouble', async () => {
  const answer = await askedFile(fileOf(host(), service({ has_been_checked: 0, current_state: 0 })));
  assert.ok(answer.ok);
  assert.deepEqual([answer.value.alerts.length, answer.value.unsure.length], [0, 1]);
  const [unsure] = answer.value.unsure;
  const read = unsure === undefined ? null : nagios({}).parse(unsure);
  assert.ok(read?.ok);
  assert.equal(read.value.events[0]?.labels['service'], 'PING');
});

test('A6: a file that is gone, cut short, empty, or not written any more is a failure', async () => {
  const whole = fileOf(host(), service());
  for (const text of ['', whole.slice(0, -20), block('info', { created }), '{"json": true}'])
    assert.equal((await askedFile(text)).ok, false);
  assert.equal((await askedFile(whole, someday + 180_000)).ok, false);
  const missing = nagiosProblems({ statusFile: join(tmpdir(), 'no-such-status.dat'), instance: 'i' }, unused);
  assert.deepEqual(await missing.ask(someday, new AbortController().signal), {
    ok: false,
    error: 'nagios: the status file cannot be read: ENOENT',
  });
});

test('A6: statusjson.cgi by HTTP: states in words, times in milliseconds, Basic credentials', async () => {
  const result = { last_data_update: created * 1_000, type_code: 0 };
  const doc = {
    status: 'critical',
    has_been_checked: true,
    state_type: 'hard',
    notifications_enabled: true,
    is_flapping: false,
    scheduled_downtime_depth: 0,
    plugin_output: 'bad',
    last_check: created * 1_000,
    last_state_change: created * 1_000,
  };
  const answers: { readonly [query: string]: object } = {
    programstatus: { programstatus: { nagios_pid: 1 } },
    hostlist: { hostlist: { 'web-1': { ...doc, status: 'up' }, 'web-2': { ...doc, status: 'pending', has_been_checked: false } } },
    servicelist: { servicelist: { 'web-1': { PING: doc } } },
  };
  const seen: (string | undefined)[] = [];
  let typeCode = 0;
  const server = await openAsked((request) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams.get('query') ?? '';
    seen.push(request.headers.authorization);
    return { format_version: 0, result: { ...result, type_code: typeCode }, data: answers[query] };
  });
  const source = nagiosProblems({ url: `${server.url}/nagios4/cgi-bin`, user: 'u', password: 'p', instance: 'mon-1' }, server.deps);
  try {
    const answer = await source.ask(someday, new AbortController().signal);
    assert.ok(answer.ok);
    assert.deepEqual([answer.value.alerts.length, answer.value.unsure.length, answer.value.asOf], [1, 1, created * 1_000]);
    assert.deepEqual(new Set(seen), new Set([`Basic ${Buffer.from('u:p').toString('base64')}`]));
    const [open] = answer.value.alerts;
    const read = open === undefined ? null : nagios({}).parse(open.delivery);
    assert.ok(read?.ok);
    assert.deepEqual([read.value.events[0]?.name, read.value.events[0]?.severity], ['PING', 'critical']);
    typeCode = 1;
    assert.equal((await source.ask(someday, new AbortController().signal)).ok, false);
  } finally {
    await server.close();
  }
});
