import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { createConsole } from '../../../adapters/console/notifier.ts';
import { plainNotification } from '../../support/notification.ts';

const idle = new AbortController().signal;

test('a notification is one readable block', async () => {
  const stream = new PassThrough();
  const listeners = stream.listenerCount('error');
  const outcome = await createConsole({}, { stream }).deliver(plainNotification, idle);

  assert.equal(outcome.outcome, 'accepted');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(stream.listenerCount('error'), listeners, 'no listener stays behind');
  assert.equal(
    String(stream.read()),
    [
      '2026-11-20T03:14:15.000Z [critical] disk full on db1',
      '  incident i42.default, from db1.example.org',
      '  The playbook freed 2 MiB of 40 GiB.',
      '  A person is needed.',
      '  host: db1.example.org',
      '  attempts: 2',
      '  incident: https://quench.example.org/incidents/i42.default',
      '',
      '',
    ].join('\n'),
  );
});

test('no byte of a notification can move the cursor, colour the screen, ring the bell or turn the text around', async () => {
  let every = '';
  for (let code = 0; code < 0xa0; code += 1) every += String.fromCharCode(code);
  const trap = `${every}\u001b[2J\u001b]0;owned\u0007\u009b31m\u202egnol\u2028`;
  const stream = new PassThrough();
  await createConsole({}, { stream }).deliver(
    {
      ...plainNotification,
      title: trap,
      text: trap,
      source: trap,
      incident: trap,
      facts: [{ name: trap, value: trap }],
      links: [{ text: trap, href: `https://example.org/${trap}` }],
    },
    idle,
  );

  const written = String(stream.read());
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(written, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
  assert.match(written, /owned/);
});

test('a forged block cannot start at the margin: every further line is indented', async () => {
  const stream = new PassThrough();
  await createConsole({}, { stream }).deliver({ ...plainNotification, text: 'a\n2026-01-01 [info] all is well\r\nb\rc' }, idle);

  const rows = String(stream.read()).trimEnd().split('\n').slice(1);
  assert.ok(rows.every((row) => row.startsWith('  ')));
});

test('a stream that is stuck: the signal ends the wait as unknown, and what waits is bounded', async () => {
  const stuck = new Writable({ write() {} });
  const notifier = createConsole({}, { stream: stuck });
  const abort = new AbortController();
  const delivering = notifier.deliver(plainNotification, abort.signal);
  abort.abort();
  assert.equal((await delivering).outcome, 'unknown');

  let writes = 0;
  while (stuck.writableLength <= 1_048_576 && writes < 10_000) {
    stuck.write('x'.repeat(65_536));
    writes += 1;
  }
  assert.equal((await notifier.deliver(plainNotification, idle)).outcome, 'deferred');
});

test('a broken or closed stream is refused, and nothing is thrown past the notifier', async () => {
  const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
  const notifier = createConsole({}, { stream: broken });

  assert.equal((await notifier.deliver(plainNotification, idle)).outcome, 'refused');
  assert.equal((await notifier.deliver(plainNotification, idle)).outcome, 'refused');
  assert.equal((await notifier.deliver(plainNotification, AbortSignal.abort())).outcome, 'deferred');
});

test('B2: fifty pages that wait for a stream at once are one listener on it, which goes with the last of them', async () => {
  let written: (() => void)[] = [];
  const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void written.push(done) });
  const console = createConsole({}, { stream });
  const before = stream.listenerCount('error');
  const outcomes = Array.from({ length: 50 }, () => console.deliver(plainNotification, idle));
  assert.equal(stream.listenerCount('error'), before + 1);
  for (let left = 50; left > 0; left -= 1) {
    const [done] = written;
    written = [];
    done?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok((await Promise.all(outcomes)).every(({ outcome }) => outcome === 'accepted'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(stream.listenerCount('error'), before);
});
