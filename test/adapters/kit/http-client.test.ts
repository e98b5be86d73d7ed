import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createHttp, outcomeOf, targetOf, type Exchange, type Http } from '../../../adapters/kit/http-client.ts';
import { redactUrl, scrub } from '../../../adapters/kit/redact.ts';
import { clip, lines, oneLine, safeLinks } from '../../../adapters/kit/text.ts';
import { selfSigned } from '../../support/certificate.ts';
import { plainNotification } from '../../support/notification.ts';
import { startReceiver } from '../../support/receiver.ts';
import { handClock, wallClock } from '../../support/wallclock.ts';

const idle = new AbortController().signal;
const open = { allowPrivate: true, allow: [] };

function post(http: Http, address: string): Promise<Exchange> {
  return http.send({ method: 'POST', url: targetOf(address, 'test'), headers: {}, body: 'x', timeoutMs: 5_000 }, idle);
}

describe('a call over TLS', () => {
  const identity = selfSigned();

  test('is not written to a server whose certificate is not trusted, and is refused', async () => {
    const receiver = await startReceiver({ tls: identity });
    const http = createHttp({ clock: wallClock, policy: open });
    const answer = await post(http, receiver.origin);

    assert.deepEqual(answer, { kind: 'unwritten', trouble: 'untrusted', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    assert.equal(outcomeOf(answer, { who: 'test', url: new URL(receiver.origin), now: 0, secrets: [] }).outcome, 'refused');
    assert.equal(receiver.heard.length, 0);
    http.close();
    await receiver.close();
  });

  test('goes through when the operator names the authority, and only under a name it vouches for', async () => {
    const receiver = await startReceiver({ tls: identity });
    const resolve = (_host: string, _options: object, done: (error: null, found: { address: string; family: number }[]) => void): void =>
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    const http = createHttp({ clock: wallClock, policy: open, ca: identity.cert, resolve });
    const right = await post(http, `https://localhost:${receiver.port}`);
    const wrong = await post(http, `https://other.example:${receiver.port}`);

    assert.equal(right.kind, 'answered');
    assert.deepEqual(wrong, { kind: 'unwritten', trouble: 'untrusted', code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    http.close();
    await receiver.close();
  });
});

describe('one client', () => {
  test('uses a connection again, and at most eight to one host', async () => {
    const receiver = await startReceiver();
    const http = createHttp({ clock: wallClock, policy: open });
    for (let calls = 0; calls < 5; calls += 1) await post(http, receiver.origin);
    assert.equal(receiver.connections(), 1);

    receiver.answer = (response) => setTimeout(() => response.end(), 5);
    await Promise.all(Array.from({ length: 40 }, () => post(http, receiver.origin)));
    assert.ok(receiver.connections() <= 8, String(receiver.connections()));
    http.close();
    await receiver.close();
  });

  test('R9: a receiver that never answers takes no place from another, and its queue is bounded', async () => {
    const [stuck, lively] = [await startReceiver(), await startReceiver()];
    stuck.answer = () => {};
    const clock = handClock(0);
    const http = createHttp({ clock, policy: open });
    const hanging = Array.from({ length: 100 }, () => post(http, stuck.origin));
    const other = await post(http, lively.origin);
    while (stuck.heard.length < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    clock.ring();
    const ends = await Promise.all(hanging);

    assert.equal(other.kind, 'answered');
    const count = (says: (answer: Exchange) => boolean): number => ends.filter(says).length;
    assert.equal(
      count((answer) => answer.kind === 'unanswered'),
      8,
      'written: it may have arrived',
    );
    assert.equal(
      count((answer) => answer.kind === 'unwritten' && answer.trouble === 'deadline'),
      56,
      'K2: still in the queue',
    );
    assert.equal(
      count((answer) => answer.kind === 'unwritten' && answer.trouble === 'busy'),
      36,
      'beyond the bound',
    );
    http.close();
    await Promise.all([stuck.close(), lively.close()]);
  });

  test('K5, B16: words that wait behind connections that hang do not leave later', async () => {
    const stuck = await startReceiver();
    stuck.answer = () => {};
    const http = createHttp({ clock: wallClock, policy: open });
    const call = { method: 'POST', url: targetOf(stuck.origin, 'test'), headers: {}, body: 'x', timeoutMs: 5_000 } as const;
    const aborter = new AbortController();
    const hanging = Array.from({ length: 8 }, () => http.send({ ...call, leaveWithinMs: 600 }, aborter.signal));
    while (stuck.heard.length < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    const waiting = await http.send({ ...call, leaveWithinMs: 700 }, idle);
    aborter.abort(); // what hung makes room
    const ends = await Promise.all(hanging);

    assert.deepEqual(waiting, { kind: 'unwritten', trouble: 'busy', code: '' });
    assert.ok(
      ends.every((end) => end.kind === 'unanswered' && end.trouble === 'aborted'),
      'what has left is waited for',
    );
    assert.equal(stuck.heard.length, 8, 'it left neither then nor afterwards');
    http.close();
    await stuck.close();
  });

  test('K6: what is withdrawn before it has a connection does not leave; what has left is waited for', async () => {
    const clock = handClock(0);
    const withdrawal = new AbortController();
    const silent = createHttp({ clock, policy: open, resolve: () => setImmediate(() => withdrawal.abort()) });
    const call = { method: 'POST', url: new URL('http://silent.example/'), headers: {}, body: 'x', timeoutMs: 5_000 } as const;
    const withdrawn = withdrawal.signal;
    assert.deepEqual(await silent.send({ ...call, withdrawn }, idle), { kind: 'unwritten', trouble: 'withdrawn', code: '' });
    assert.deepEqual(await silent.send({ ...call, withdrawn }, idle), { kind: 'unwritten', trouble: 'withdrawn', code: '' });
    assert.equal(clock.waiting(), 0, 'no timer stays behind');
    silent.close();

    const receiver = await startReceiver();
    const late = new AbortController();
    receiver.answer = (response) => {
      late.abort();
      setImmediate(() => response.end('ok'));
    };
    const http = createHttp({ clock: wallClock, policy: open });
    const answer = await http.send({ ...call, url: targetOf(receiver.origin, 'test'), withdrawn: late.signal }, idle);
    assert.equal(answer.kind, 'answered');
    http.close();
    await receiver.close();
  });

  test('K1: a name that is never resolved ends by the deadline, with nothing sent', async () => {
    const clock = handClock(0);
    const http = createHttp({ clock, policy: open, resolve: () => setImmediate(() => clock.ring()) });
    const answer = await post(http, 'http://silent.example/');

    assert.deepEqual(answer, { kind: 'unwritten', trouble: 'deadline', code: '' });
    http.close();
  });

  test('sends the bytes, the length and the host it was given, and reads at most 64 KiB', async () => {
    const receiver = await startReceiver();
    receiver.answer = (response) => response.writeHead(200, { 'x-seen': 'yes' }).end('ü'.repeat(65_536));
    const clock = handClock(0);
    const http = createHttp({ clock, policy: open });
    const url = targetOf(`${receiver.origin}/a%20b?c=d`, 'test');
    const answer = await http.send({ method: 'PUT', url, headers: { 'x-mine': '1' }, body: 'grüß', timeoutMs: 5_000 }, idle);

    const [heard] = receiver.heard;
    assert.deepEqual([heard?.method, heard?.url, heard?.body, heard?.headers['x-mine']], ['PUT', '/a%20b?c=d', 'grüß', '1']);
    assert.deepEqual([heard?.headers['content-length'], heard?.headers.host], ['6', `127.0.0.1:${receiver.port}`]);
    assert.ok(answer.kind === 'answered' && answer.bodyEnd === 'capped' && Buffer.byteLength(answer.body) === 65_536);
    assert.equal(answer.headers['x-seen'], 'yes');
    assert.equal(clock.waiting(), 0, 'K1: no timer stays behind');
    http.close();
    await receiver.close();
  });
});

describe('redaction', () => {
  test('an address shows its origin and nothing else', () => {
    assert.equal(redactUrl('https://user:pw@hooks.example.org:8443/services/T0/B0/secret?token=x#y'), 'https://hooks.example.org:8443/…');
    assert.equal(redactUrl('https://example.org'), 'https://example.org');
    assert.equal(redactUrl('https://example.org/?k=v'), 'https://example.org/…');
    for (const odd of ['', 'secret', 'mailto:secret@example.org', 'http://', 'javascript:secret'])
      assert.equal(redactUrl(odd), 'unreadable address');
  });

  test('a secret is taken out in each of its clothes, a longer one before a shorter one inside it', () => {
    const secret = 'a+b/"c d';
    const said = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64'), JSON.stringify(secret)].join(' | ');

    assert.equal(scrub(said, ['a+b/', secret]), '[redacted] | [redacted] | [redacted] | "[redacted]"');
    assert.equal(scrub('nothing here', ['', 'e', 'her']), 'nothing here');
  });

  test('targetOf repeats neither password nor path', () => {
    for (const address of ['https://u:planted@example.org/', 'ftp://example.org/planted', 'planted']) {
      assert.throws(
        () => targetOf(address, 'hook.url'),
        (error: Error) => error.message.startsWith('hook.url: ') && !error.message.includes('planted'),
      );
    }
  });
});

describe('texts', () => {
  test('a cut never leaves half a character', () => {
    for (let max = 2; max < 12; max += 1) {
      const cut = clip('a🔥🔥🔥🔥🔥🔥', max);
      assert.ok(cut.length <= max && cut.isWellFormed() && cut.endsWith('…') && !cut.includes('\ufffd'), cut);
    }
    assert.equal(clip('short', 5), 'short');
    assert.equal(clip('\ud800', 5), '\ufffd');
  });

  test('one line is one line, several lines stay several', () => {
    assert.equal(oneLine('a\r\nb\tc\u2028d\u001b[2Je', 100), 'a b c d [2Je');
    assert.equal(lines('a\r\nb\rc\u2028d\te\u0000\n\n', 100), 'a\nb\nc\nd  e');
  });

  test('only links that a person may follow are kept', () => {
    const hrefs = [
      'https://example.org/a|b',
      'HTTP://example.org',
      'mailto:ops@example.org',
      'javascript:alert(1)',
      'data:text/html,x',
      '/relative',
      '',
    ];
    const kept = safeLinks({ ...plainNotification, links: hrefs.map((href) => ({ text: '', href })) });

    assert.deepEqual(
      kept.map(({ href }) => href),
      ['https://example.org/a%7Cb', 'http://example.org/', 'mailto:ops@example.org'],
    );
  });
});
