// What every notifier over HTTP must hold, tried against a real server that answers well, badly, too late or not at all.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createHttp, type Http } from '../../adapters/kit/http-client.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import { plainNotification } from '../support/notification.ts';
import { deadPort, startReceiver, type Heard, type Receiver } from '../support/receiver.ts';
import { handClock, wallClock } from '../support/wallclock.ts';

export interface HttpNotifier {
  readonly name: string;
  create(origin: string, deps: { readonly http: Http; readonly clock: Clock }): Notifier;
  /** What the configuration holds that no person may read in an outcome. */
  readonly secrets: readonly string[];
  /** An answer that this vendor gives to a message it takes. */
  readonly welcome: { readonly status: number; readonly body: string };
  /** Whether a 2xx with the welcome body (when the status can have one) means accepted. */
  accepts(status: number): boolean;
  /** A reset after the status and half a body: what it is worth. */
  readonly brokenWelcome: 'accepted' | 'unknown';
  /** A welcome status with far more than 64 KiB behind it. */
  readonly endlessWelcome: 'accepted' | 'refused';
  /** What the receiver tells repeats by; null when the vendor has no such thing. */
  readonly dedup: ((heard: Heard) => string) | null;
}

const now = Date.UTC(2026, 10, 20, 12);
const deferredStatuses = new Set([408, 425, 429]);
const idle = new AbortController().signal;

function tableSays(status: number): 'deferred' | 'refused' {
  return deferredStatuses.has(status) || (status >= 500 && status <= 599) ? 'deferred' : 'refused';
}

export function notifierContract(subject: HttpNotifier): void {
  describe(`${subject.name} as a notifier`, () => {
    let receiver: Receiver;
    let http: Http;
    let notifier: Notifier;
    const welcome: Receiver['answer'] = (response) => response.writeHead(subject.welcome.status).end(subject.welcome.body);
    const make = (origin: string, clock: Clock = wallClock): Notifier => subject.create(origin, { http, clock });

    before(async () => {
      receiver = await startReceiver();
      http = createHttp({ clock: wallClock, policy: { allowPrivate: true, allow: [] } });
      notifier = make(receiver.origin);
    });
    after(async () => {
      http.close();
      await receiver.close();
    });

    test('every status means what the table says', async () => {
      const statuses = [...Array.from({ length: 400 }, (_, index) => 200 + index), 600, 999];
      const wrong: string[] = [];
      for (const status of statuses) {
        receiver.answer = (response) => response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(subject.welcome.body);
        const { outcome } = await notifier.deliver(plainNotification, idle);
        const expected = status < 300 && subject.accepts(status) ? 'accepted' : tableSays(status);
        if (outcome !== expected) wrong.push(`${status}: ${outcome}, expected ${expected}`);
      }

      assert.deepEqual(wrong, []);
      assert.equal(receiver.heard.length, statuses.length, 'one request each: no redirect followed, nothing retried');
    });

    for (const [header, waitMs] of [
      ['7', 7_000],
      ['86400', 3_600_000],
      ['9'.repeat(400), 3_600_000],
      [new Date(now + 90_000).toUTCString(), 90_000],
      [new Date(now - 90_000).toUTCString(), 0],
      [new Date(now + 86_400_000).toUTCString(), 3_600_000],
      ['soon', 0],
      ['-5', 0],
    ] as const) {
      test(`Retry-After ${header.slice(0, 40)} waits ${waitMs} ms`, async () => {
        receiver.answer = (response) => response.writeHead(429, { 'retry-after': header }).end();
        const outcome = await make(receiver.origin, handClock(now)).deliver(plainNotification, idle);

        assert.equal(outcome.outcome, 'deferred');
        assert.equal(outcome.outcome === 'deferred' && outcome.retryAfterMs, waitMs);
      });
    }

    test('a refused connection is deferred: nothing was sent', async () => {
      const outcome = await make(`http://127.0.0.1:${await deadPort()}`).deliver(plainNotification, idle);

      assert.equal(outcome.outcome, 'deferred');
      assert.match(outcome.detail, /ECONNREFUSED/);
    });

    test('a deadline before the request could be written is deferred', async () => {
      const silent = createServer();
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const { port } = silent.address() as { port: number };
      const clock = handClock(now);
      const slow = createHttp({ clock, policy: { allowPrivate: true, allow: [] } });

      // The server takes the connection and never answers the TLS greeting.
      const connected = once(silent, 'connection');
      const delivering = subject.create(`https://127.0.0.1:${port}`, { http: slow, clock }).deliver(plainNotification, idle);
      const [socket] = await connected;
      clock.ring();
      const outcome = await delivering;

      assert.equal(outcome.outcome, 'deferred');
      assert.match(outcome.detail, /deadline/);
      slow.close();
      socket.destroy();
      silent.close();
    });

    test('a deadline after the request was written is unknown, and leaves no timer or socket behind', async () => {
      const clock = handClock(now);
      const slow = createHttp({ clock, policy: { allowPrivate: true, allow: [] } });
      const open = receiver.open();
      receiver.answer = () => clock.ring();
      const outcome = await subject.create(receiver.origin, { http: slow, clock }).deliver(plainNotification, idle);

      assert.equal(outcome.outcome, 'unknown');
      assert.equal(clock.waiting(), 0);
      await settled(() => receiver.open() <= open);
      slow.close();
    });

    test('a connection reset instead of an answer is unknown', async () => {
      receiver.answer = (response) => response.socket?.resetAndDestroy();
      const outcome = await notifier.deliver(plainNotification, idle);

      assert.equal(outcome.outcome, 'unknown');
    });

    test(`a reset in the middle of a welcome is ${subject.brokenWelcome}`, async () => {
      receiver.answer = (response) => {
        response.writeHead(subject.welcome.status, { 'content-length': '100' });
        response.write(subject.welcome.body, () => setTimeout(() => response.socket?.resetAndDestroy(), 5));
      };
      const outcome = await notifier.deliver(plainNotification, idle);

      assert.equal(outcome.outcome, subject.brokenWelcome);
    });

    test('a protocol switch nobody asked for is unknown, not a hang', async () => {
      receiver.answer = (response) => response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
      const outcome = await notifier.deliver(plainNotification, idle);

      assert.equal(outcome.outcome, 'unknown');
    });

    test(`an answer without end is left after 64 KiB, and ${subject.endlessWelcome}`, async () => {
      // More than the buffers between the two ends can hold.
      const manyBytes = 67_108_864;
      let sentBytes = 0;
      receiver.answer = (response) => {
        response.writeHead(subject.welcome.status);
        response.on('error', () => {});
        const chunk = Buffer.alloc(65_536, 'x');
        const pour = (): void => {
          while (sentBytes < manyBytes && !response.destroyed) {
            sentBytes += chunk.length;
            if (!response.write(chunk)) return void response.once('drain', pour);
          }
          response.end();
        };
        pour();
      };
      const open = receiver.open();
      const outcome = await notifier.deliver(plainNotification, idle);

      assert.equal(outcome.outcome, subject.endlessWelcome);
      assert.ok(outcome.detail.length < 400, outcome.detail);
      await settled(() => receiver.open() < open || receiver.open() === 0);
      assert.ok(sentBytes < manyBytes, `${sentBytes} bytes were taken`);
    });

    test('aborted before: nothing is sent; aborted after: unknown', async () => {
      const early = await notifier.deliver(plainNotification, AbortSignal.abort());
      const requests = receiver.heard.length;
      const late = new AbortController();
      receiver.answer = () => late.abort();
      const outcome = await notifier.deliver(plainNotification, late.signal);

      assert.equal(early.outcome, 'deferred');
      assert.equal(receiver.heard.length, requests + 1);
      assert.equal(outcome.outcome, 'unknown');
    });

    test('a vendor that says our secrets back does not get them into an outcome', async () => {
      const forms = subject.secrets.flatMap((secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]);
      const seen: string[] = [];
      for (const form of forms) {
        for (const status of [subject.welcome.status, 400, 503]) {
          receiver.answer = (response) => response.writeHead(status).end(`no: ${form} ${'.'.repeat(100)} ${form}`);
          seen.push((await notifier.deliver(plainNotification, idle)).detail);
        }
      }
      for (const form of forms) {
        receiver.answer = (response) => {
          response.writeHead(400, { 'content-length': '9000' });
          // Half a secret, before the rest of it can arrive.
          response.write(`no: ${form.slice(0, -2)}`, () => setTimeout(() => response.socket?.resetAndDestroy(), 5));
        };
        seen.push((await notifier.deliver(plainNotification, idle)).detail);
      }
      receiver.answer = (response) => response.socket?.resetAndDestroy();
      seen.push((await notifier.deliver(plainNotification, idle)).detail);

      const leaks = seen.filter((detail) => forms.some((form) => detail.includes(form) || detail.includes(form.slice(0, 12))));
      assert.deepEqual(leaks, []);
    });

    test('attempts after a failure say the same thing under the same key', async () => {
      const from = receiver.heard.length;
      receiver.answer = (response) => response.writeHead(503).end();
      await notifier.deliver(plainNotification, idle);
      receiver.answer = welcome;
      const { outcome } = await notifier.deliver(plainNotification, idle);
      await notifier.deliver({ ...plainNotification, id: 'n8.p3.default', dedupKey: 'quench:i43.default' }, idle);

      const [first, second, other] = receiver.heard.slice(from);
      assert.ok(first && second && other);
      assert.equal(outcome, 'accepted');
      assert.equal(first.body, second.body);
      if (subject.dedup) {
        assert.equal(subject.dedup(first), subject.dedup(second));
        assert.notEqual(subject.dedup(first), subject.dedup(other));
      }
    });

    test('hostile texts arrive as text in one well-formed JSON body', async () => {
      receiver.answer = welcome;
      const nasty = 'x"},{"a":1}\u0000\r\nX-Evil: 1\u001b[2J<!channel>\ud800 @everyone {{7*7}} ${jndi:ldap://x}';
      const facts = [
        { name: '__proto__', value: nasty },
        { name: nasty, value: nasty },
      ];
      const links = [
        { text: nasty, href: 'javascript:alert(1)' },
        { text: nasty, href: 'not an address' },
      ];
      const outcome = await notifier.deliver(
        { ...plainNotification, title: nasty.repeat(100), text: nasty.repeat(400), source: nasty, facts, links },
        idle,
      );

      const last = receiver.heard.at(-1);
      assert.equal(outcome.outcome, 'accepted');
      assert.ok(last !== undefined);
      assert.equal(last.headers['x-evil'], undefined);
      assert.equal(typeof JSON.parse(last.body), 'object');
    });
  });
}

/** Waits for something that the other end's event loop must notice first; fails after two seconds. */
async function settled(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !holds(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(holds(), 'a socket was left open');
}
