import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { createSmtp, type SmtpConfig } from '../../../adapters/smtp/notifier.ts';
import type { Notification, NotifyOutcome } from '../../../src/core/page/notification.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { selfSigned } from '../../support/certificate.ts';
import { plainNotification } from '../../support/notification.ts';
import { deadPort } from '../../support/receiver.ts';
import { handClock, wallClock } from '../../support/wallclock.ts';

const identity = selfSigned();
const idle = new AbortController().signal;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Letter {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

async function postOffice(options: SMTPServerOptions = {}) {
  const letters: Letter[] = [];
  const server = new SMTPServer({
    ...identity,
    authOptional: true,
    closeTimeout: 50,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        letters.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'),
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  closing.push(() => new Promise((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, letters };
}

/** A server that speaks line by line as told: `greeting`, then one reply per line that starts with the word. */
async function scripted(greeting: string | null, replies: Record<string, string | null>, heard: (line: string) => void = () => {}) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (greeting !== null) socket.write(`${greeting}\r\n`);
    socket.on('data', (chunk) => {
      for (const line of chunk.toString('utf8').split('\r\n').filter(Boolean)) {
        heard(line);
        const word = Object.keys(replies).find((start) => line.startsWith(start));
        if (word === undefined) continue;
        const reply = replies[word];
        if (reply === null || reply === undefined) socket.destroy();
        else if (reply !== '') socket.write(`${reply}\r\n`);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { port: (server.address() as AddressInfo).port, open: () => [...sockets].filter((socket) => !socket.destroyed).length };
}

const polite = { EHLO: '250 hello', MAIL: '250 ok', RCPT: '250 ok', DATA: '354 go on', QUIT: '221 bye' };
const base = { host: '127.0.0.1', tls: 'none', from: 'quench@example.org', to: ['ann@example.org', 'bob@example.org'] } as const;

function send(
  config: Partial<SmtpConfig>,
  change: Partial<Notification> = {},
  clock: Clock = wallClock,
  signal = idle,
): Promise<NotifyOutcome> {
  return createSmtp({ ...base, ...config }, { clock }).deliver({ ...plainNotification, ...change }, signal);
}

function headersOf(raw: string): Map<string, string> {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
  return new Map(
    head.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

describe('a mail', () => {
  test('goes to everyone, as text, marked as automatic', async () => {
    const office = await postOffice();
    const clock = handClock(Date.UTC(2026, 10, 20, 12));
    const outcome = await send({ port: office.port }, {}, clock);

    assert.equal(outcome.outcome, 'accepted');
    assert.match(outcome.detail, /2 of 2 recipients/);
    assert.equal(clock.waiting(), 0, 'no timer stays behind');
    const [letter] = office.letters;
    assert.ok(letter !== undefined);
    assert.deepEqual([letter.from, letter.to], [base.from, base.to]);
    const headers = headersOf(letter.raw);
    assert.equal(headers.get('subject'), '[critical] disk full on db1');
    assert.equal(headers.get('date'), 'Fri, 20 Nov 2026 12:00:00 +0000');
    assert.equal(headers.get('auto-submitted'), 'auto-generated');
    assert.equal(headers.get('list-id'), 'Quench <quench.example.org>');
    const link = 'incident: https://quench.example.org/incidents/i42.default';
    assert.ok(
      letter.raw.includes(`The playbook freed 2 MiB of 40 GiB.\r\nA person is needed.\r\n\r\n${link}\r\n\r\nhost: db1.example.org\r\n`),
    );
  });

  test('B18: the HTML part says the same, its first link the incident, and no text of it is markup', async () => {
    const office = await postOffice();
    const trap = '<script>alert(1)</script> & <img src=x> "';
    const links = [
      { text: 'Incident', href: 'https://quench.example.org/incident/t1' },
      { text: trap, href: 'https://example.org/?a="><script>' },
    ];
    await send({ port: office.port }, { title: trap, text: `${trap}\n> 41 % /`, facts: [{ name: trap, value: trap }], links });

    const raw = (office.letters[0]?.raw ?? '').replaceAll('=\r\n', '').replaceAll('=3D', '=');
    const html = raw.slice(raw.indexOf('<!doctype html>'), raw.indexOf('</html>'));
    assert.match(raw, /Content-Type: multipart\/alternative/);
    assert.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt; &amp; &lt;img src=x&gt; &quot;\r\n&gt; 41 % \/<\/pre>/);
    assert.doesNotMatch(html, /<script|<img/);
    assert.match(html, /<a href="([^"]*)">/);
    assert.equal(/<a href="([^"]*)">/.exec(html)?.[1], 'https://quench.example.org/incident/t1');
  });

  test('B18: the subject says since when, until somebody has it or it is over', async () => {
    const office = await postOffice();
    const startedAt = Date.UTC(2026, 10, 20, 3, 9);
    for (const kind of ['page', 'resolve'] as const) await send({ port: office.port }, { id: kind, kind, startedAt });
    await send({ port: office.port }, { id: 'raw', kind: 'resolve', pageOnly: true, title: 'decided: disk full on db1' });
    await send({ port: office.port }, { id: 'long', startedAt, title: 'x'.repeat(500) });

    const subjects = office.letters.map(({ raw }) => headersOf(raw).get('subject') ?? '');
    assert.deepEqual(subjects.slice(0, 3), [
      '[critical] disk full on db1 (since 03:09 UTC)',
      '[critical] resolved: disk full on db1',
      '[critical] decided: disk full on db1',
    ]);
    assert.match(subjects[3] ?? '', /=E2=80=A6_=28si.*nce_03=3A09_UTC=29/s);
  });

  test('threads with all mails of its incident, and only those; attempts share one Message-ID', async () => {
    const office = await postOffice();
    await send({ port: office.port });
    await send({ port: office.port });
    await send({ port: office.port }, { id: 'n8', kind: 'resolve' });
    await send({ port: office.port }, { id: 'n9', dedupKey: 'quench:i43.default' });

    const [first, again, resolve, other] = office.letters.map(({ raw }) => headersOf(raw));
    assert.ok(first && again && resolve && other);
    assert.equal(first.get('message-id'), again.get('message-id'));
    assert.notEqual(first.get('message-id'), resolve.get('message-id'));
    assert.equal(first.get('references'), resolve.get('references'));
    assert.equal(first.get('in-reply-to'), resolve.get('references'));
    assert.notEqual(first.get('references'), other.get('references'));
    assert.match(first.get('message-id') ?? '', /^<quench\.[0-9a-f]{40}@example\.org>$/);
  });

  test('no text of a notification becomes a header, a recipient or an end of the message', async () => {
    const office = await postOffice();
    const trap = 'x\r\nBcc: eve@evil.example\r\n\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n';
    const facts = [{ name: trap, value: trap }];
    const outcome = await send(
      { port: office.port },
      { title: trap, text: trap, source: trap, incident: trap, dedupKey: trap, id: trap, facts },
    );

    assert.equal(outcome.outcome, 'accepted');
    assert.equal(office.letters.length, 1);
    const [letter] = office.letters;
    assert.ok(letter !== undefined);
    assert.deepEqual(letter.to, base.to);
    const headers = headersOf(letter.raw);
    assert.deepEqual(
      [...headers.keys()].filter((name) => /bcc|mail/i.test(name)),
      [],
    );
    assert.match(headers.get('subject') ?? '', /^\[critical\] x Bcc: eve@evil\.example \. MAIL FROM:<eve@evil\.example>$/);
  });

  test('a subject in any script arrives whole', async () => {
    const office = await postOffice();
    await send({ port: office.port }, { title: 'Festplatte voll 🔥 磁盘已满' });

    assert.match(headersOf(office.letters[0]?.raw ?? '').get('subject') ?? '', /^=\?UTF-8\?[QB]\?/);
  });
});

describe('a configuration', () => {
  for (const [says, change] of [
    ['a line break in an address', { to: ['ann@example.org\r\nRCPT TO:<eve@evil.example>'] }],
    ['a name around an address', { to: ['Ann <ann@example.org>'] }],
    ['two addresses in one', { to: ['ann@example.org,eve@evil.example'] }],
    ['a sender without a domain', { from: 'quench' }],
    ['no recipient', { to: [] }],
    ['a user without a password', { user: 'quench', tls: 'starttls' }],
    ['a password in the clear', { user: 'quench', password: 'planted-password' }],
  ] as const) {
    test(`with ${says} is refused at the start`, () => {
      assert.throws(
        () => createSmtp({ ...base, ...change }, { clock: wallClock }),
        (error: Error & { code?: string }) => error.code === 'invalid_config' && !error.message.includes('planted'),
      );
    });
  }
});

describe('over TLS', () => {
  const login: SMTPServerOptions = {
    authOptional: false,
    onAuth: (auth, _session, done) =>
      auth.username === 'quench' && auth.password === 'planted-password'
        ? done(null, { user: 'quench' })
        : done(Object.assign(new Error(`no ${auth.password}`), { responseCode: 535 })),
  };
  const signIn = { user: 'quench', password: 'planted-password' };

  for (const [tls, options] of [
    ['starttls', login],
    ['implicit', { ...login, secure: true }],
  ] as const) {
    test(`${tls}: a certificate nobody vouches for is refused, and no password is sent`, async () => {
      const seen: string[] = [];
      const office = await postOffice({
        ...options,
        onAuth: (auth, _session, done) => (seen.push(String(auth.password)), done(null, { user: 'x' })),
      });
      const outcome = await send({ ...signIn, tls, host: 'localhost', port: office.port });

      assert.equal(outcome.outcome, 'refused');
      assert.deepEqual(seen, []);
    });

    test(`${tls}: a configured authority is trusted, and the mail goes out after the login`, async () => {
      const office = await postOffice(options);
      const outcome = await send({ ...signIn, tls, host: 'localhost', port: office.port, ca: identity.cert });

      assert.equal(outcome.outcome, 'accepted', outcome.detail);
      assert.equal(office.letters.length, 1);
    });
  }

  test('a wrong password is refused, and not repeated', async () => {
    const office = await postOffice(login);
    const outcome = await send({
      user: 'quench',
      password: 'planted-wrong',
      tls: 'starttls',
      host: 'localhost',
      port: office.port,
      ca: identity.cert,
    });

    assert.equal(outcome.outcome, 'refused');
    assert.doesNotMatch(outcome.detail, /planted/);
  });

  test('a server that cannot do TLS just now is deferred, and so is one that hangs up over it', async () => {
    for (const STARTTLS of ['454 not now', null]) {
      const server = await scripted('220 hi', { ...polite, STARTTLS });
      const outcome = await send({ tls: 'starttls', port: server.port });
      assert.equal(outcome.outcome, 'deferred', outcome.detail);
    }
  });

  test('a server that offers no STARTTLS is refused: nothing goes out in the clear', async () => {
    const lines: string[] = [];
    const server = await scripted('220 hi', { ...polite, STARTTLS: '502 what' }, (line) => lines.push(line));
    const outcome = await send({ tls: 'starttls', port: server.port });

    assert.equal(outcome.outcome, 'refused');
    assert.ok(!lines.some((line) => line.startsWith('MAIL')));
  });
});

describe('an answer', () => {
  for (const [says, change, expected] of [
    ['421 for a greeting', { greeting: '421 too busy' }, 'deferred'],
    ['554 for a greeting', { greeting: '554 go away' }, 'refused'],
    ['451 for the sender', { MAIL: '451 later' }, 'deferred'],
    ['550 for the sender', { MAIL: '550 never' }, 'refused'],
    ['450 for every recipient', { RCPT: '450 mailbox busy' }, 'deferred'],
    ['550 for every recipient', { RCPT: '550 no such user' }, 'refused'],
    ['450 for one recipient, 550 for the other', { 'RCPT TO:<ann': '450 later', 'RCPT TO:<bob': '550 never' }, 'deferred'],
    ['550 for one recipient of two', { 'RCPT TO:<ann': '550 never' }, 'accepted'],
    ['452 for DATA', { DATA: '452 full' }, 'deferred'],
    ['554 for DATA', { DATA: '554 no' }, 'refused'],
    ['451 for the text', { '.': '451 later' }, 'deferred'],
    ['421 for the text', { '.': '421 closing' }, 'deferred'],
    ['552 for the text', { '.': '552 too large' }, 'refused'],
    ['a close before the greeting', { greeting: null, close: true }, 'deferred'],
    ['a close at the sender', { MAIL: null }, 'deferred'],
    ['a close at DATA', { DATA: null }, 'deferred'],
    ['a close after the text', { '.': null }, 'unknown'],
    ['something that is not SMTP', { greeting: 'HTTP/1.1 400 Bad Request' }, 'deferred'],
  ] as const) {
    test(`${says}: ${expected}`, async () => {
      const {
        greeting = '220 hi',
        close = false,
        ...replies
      } = change as Record<string, string | null> & { greeting?: string | null; close?: boolean };
      const server = await scripted(greeting, {
        ...replies,
        ...Object.fromEntries(Object.entries({ ...polite, '.': '250 taken' }).filter(([word]) => !(word in replies))),
      });
      if (close) await closing.splice(-1)[0]?.();
      const outcome = await send({ port: server.port });

      assert.equal(outcome.outcome, expected, outcome.detail);
    });
  }

  test('421 in the middle is told as the answer it was, not as a lost connection', async () => {
    const server = await scripted('220 hi', { ...polite, RCPT: '421 going down' });
    const outcome = await send({ port: server.port });

    assert.equal(outcome.outcome, 'deferred');
    assert.match(outcome.detail, /answered 421 going down/);
  });

  test('a refused connection is deferred', async () => {
    const outcome = await send({ port: await deadPort() });

    assert.equal(outcome.outcome, 'deferred');
    assert.match(outcome.detail, /ECONNREFUSED/);
  });

  test('M2: the deadline before the text is deferred, after it unknown, and nothing stays open', async () => {
    for (const [silentAt, expected] of [
      ['MAIL', 'deferred'],
      ['.', 'unknown'],
    ] as const) {
      const clock = handClock(0);
      const server = await scripted('220 hi', { ...polite, [silentAt]: '' }, (line) => line.startsWith(silentAt) && clock.ring());
      const outcome = await send({ port: server.port }, {}, clock);

      assert.equal(outcome.outcome, expected);
      assert.match(outcome.detail, /DEADLINE/);
      assert.equal(clock.waiting(), 0);
      for (let tries = 0; tries < 100 && server.open() > 0; tries += 1) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(server.open(), 0);
    }
  });

  test('M4: a mail that is withdrawn while the server greets, or before it asks for the text, is not sent; one that it asked for is', async () => {
    for (const [at, replies, expected] of [
      ['EHLO', {}, 'deferred'],
      ['DATA', { DATA: '' }, 'deferred'],
      ['.', {}, 'accepted'],
    ] as const) {
      const withdrawal = new AbortController();
      const lines: string[] = [];
      const server = await scripted('220 hi', { ...polite, '.': '250 ok', ...replies }, (line) => {
        lines.push(line);
        if (line.startsWith(at)) withdrawal.abort();
      });
      const notifier = createSmtp({ ...base, port: server.port }, { clock: wallClock });
      const outcome = await notifier.deliver(plainNotification, idle, withdrawal.signal);

      assert.equal(outcome.outcome, expected, `${at}: ${outcome.detail}`);
      assert.equal(lines.includes('.'), expected === 'accepted');
    }
    const notifier = createSmtp({ ...base, port: 1 }, { clock: wallClock });
    assert.match((await notifier.deliver(plainNotification, idle, AbortSignal.abort())).detail, /nothing sent \(withdrawn\)/);
  });

  test('the signal ends it: before the start nothing is sent, in the middle it is deferred', async () => {
    const abort = new AbortController();
    const lines: string[] = [];
    const server = await scripted('220 hi', { ...polite, RCPT: '' }, (line) => {
      lines.push(line);
      if (line.startsWith('RCPT')) abort.abort();
    });
    const early = await send({ port: server.port }, {}, wallClock, AbortSignal.abort());
    assert.equal(early.outcome, 'deferred');
    assert.deepEqual(lines, []);

    const late = await send({ port: server.port }, {}, wallClock, abort.signal);
    assert.equal(late.outcome, 'deferred');
  });

  test('a reply of more than 64 KiB is cut off', async () => {
    const server = await scripted('220 hi', { ...polite, MAIL: `${`250-${'x'.repeat(1_000)}\r\n`.repeat(200)}250 ok` });
    const outcome = await send({ port: server.port });

    assert.equal(outcome.outcome, 'deferred');
    assert.ok(outcome.detail.length < 400);
  });
});

describe('B13: recipients that the server treats differently', () => {
  /** A server that says each code to its address as often as the list goes, and then takes it. */
  async function choosy(codes: { readonly [address: string]: readonly number[] }) {
    const said = new Map<string, number>();
    return postOffice({
      onRcptTo({ address }, _session, done) {
        const time = said.get(address) ?? 0;
        said.set(address, time + 1);
        const responseCode = codes[address]?.[time];
        done(responseCode === undefined ? null : Object.assign(new Error('not this one'), { responseCode }));
      },
    });
  }
  const [ann, bob] = base.to;

  test('who is put off is named, and mailed alone; who has the mail gets no second one', async () => {
    const office = await choosy({ [bob]: [451] });
    const first = await send({ port: office.port });
    assert.equal(first.outcome, 'accepted', first.detail);
    assert.deepEqual('left' in first ? first.left : [], [bob]);
    assert.match(first.detail, /1 of 2 recipients/);

    const second = await send({ port: office.port }, { only: [bob] });
    assert.equal(second.outcome, 'accepted', second.detail);
    assert.ok(!('left' in second));
    assert.deepEqual(
      office.letters.map(({ to }) => to),
      [[ann], [bob]],
    );
  });

  test('who is refused for good is counted as not told, and not tried again', async () => {
    const office = await choosy({ [bob]: [550] });
    const outcome = await send({ port: office.port });

    assert.equal(outcome.outcome, 'accepted', outcome.detail);
    assert.deepEqual('refused' in outcome ? outcome.refused : [], [bob]);
    assert.ok(!('left' in outcome));
    assert.match(outcome.detail, /1 of 2 recipients, refused 1/);
  });

  test('one put off and one refused: only the first is tried again', async () => {
    const office = await choosy({ [ann]: [451], [bob]: [550] });
    const outcome = await send({ port: office.port });

    assert.equal(outcome.outcome, 'deferred', outcome.detail);
    assert.deepEqual('left' in outcome ? outcome.left : [], [ann]);
  });

  test('when none of those left is configured any more everybody is mailed', async () => {
    const office = await choosy({});
    const outcome = await send({ port: office.port }, { only: ['gone@example.org'] });

    assert.equal(outcome.outcome, 'accepted', outcome.detail);
    assert.deepEqual(office.letters[0]?.to, base.to);
  });
});
