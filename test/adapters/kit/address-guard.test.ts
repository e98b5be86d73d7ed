import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { after, before, beforeEach, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { createGuard, isPublicAddress, type AddressPolicy, type Resolve } from '../../../adapters/kit/address-guard.ts';
import { createHttp, targetOf, type Exchange } from '../../../adapters/kit/http-client.ts';
import { startReceiver, type Receiver } from '../../support/receiver.ts';
import { wallClock } from '../../support/wallclock.ts';

const idle = new AbortController().signal;

/** Hosts in every spelling known to have fooled a filter; `#` stands for the port of a listening server. */
const spellings = [
  '127.0.0.1 127.1 127.0.1 127.000.000.001 127.0.0.1. 127.255.255.254 0 0.0.0.0 0.1 00000000 2130706433 017700000001',
  '0x7f000001 0x7f.1 0177.0.0.1 0x7f.0x0.0x0.0x1 0177.0.0x1 127.0x1 0x7F000001 0300.0250.1 %31%32%37.0.0.1 １２７.0.0.1',
  '127。0。0。1 ①②⑦.⓪.⓪.① %30x7f000001 127.0.0.1%00 127.0.0.1%0a 127%2e0%2e0%2e1 [::1] [::] [0:0:0:0:0:0:0:1] [0000::0001]',
  '[::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:0001] [0:0:0:0:0:ffff:127.0.0.1] [::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::] [fe80::1] [fe80::1%25eth0] [fc00::1]',
  '[fd12:3456::1] [fec0::1] [ff02::1] [2001:db8::1] [100::1] [5f00::1] 10.0.0.1 10.255.255.255 100.64.0.1 169.254.169.254',
  '172.16.0.1 172.31.255.255 192.168.0.1 192.0.0.8 198.18.0.1 203.0.113.7 224.0.0.1 240.0.0.1 255.255.255.255 2852039166',
  '0xa9fea9fe 0251.0376.0251.0376 localhost LOCALHOST localhost. foo.localhost ⓛocalhost private.example mapped.example',
  'odd.example empty.example user@127.0.0.1 127.0.0.1:80@private.example private.example\\@8.8.8.8 127.0.0.1#.example.org',
].flatMap((row) => row.split(' '));

const names = new Map<string, readonly LookupAddress[]>([
  ['private.example', [{ address: '10.1.2.3', family: 4 }]],
  ['mapped.example', [{ address: '::ffff:127.0.0.1', family: 6 }]],
  ['odd.example', [{ address: '127.1', family: 4 }]],
  ['empty.example', []],
]);
const resolve: Resolve = (host, _options, done) => done(null, names.get(host) ?? [{ address: '127.0.0.1', family: 4 }]);

describe('address guard', () => {
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver.close());

  async function knock(address: string, policy: AddressPolicy, by: Resolve = resolve): Promise<Exchange | 'no target'> {
    const http = createHttp({ clock: wallClock, policy, resolve: by });
    try {
      const url = targetOf(address, 'test');
      return await http.send({ method: 'POST', url, headers: {}, body: 'x', timeoutMs: 2_000 }, idle);
    } catch {
      return 'no target';
    } finally {
      http.close();
    }
  }

  test('R13: no spelling of a private address is connected to', async () => {
    const from = receiver.connections();
    const through: string[] = [];
    for (const host of spellings) {
      for (const scheme of ['http', 'https']) {
        const answer = await knock(`${scheme}://${host}:${receiver.port}/`, { allowPrivate: false, allow: [] });
        const held =
          answer === 'no target' || (answer.kind === 'unwritten' && (answer.trouble === 'blocked' || answer.code === 'ENOTFOUND'));
        if (!held) through.push(`${scheme} ${host}: ${JSON.stringify(answer)}`);
      }
    }

    assert.ok(new Set(spellings).size >= 60, `${new Set(spellings).size} spellings`);
    assert.deepEqual(through, []);
    assert.equal(receiver.connections() - from, 0);
  });

  test('the check above can fail: with the guard off, many of the same spellings do connect', async () => {
    const from = receiver.connections();
    for (const host of ['127.0.0.1', '127.1', '0', '2130706433', '0x7f.1', '127。0。0。1', 'localhost', 'foo.localhost']) {
      const answer = await knock(`http://${host}:${receiver.port}/`, { allowPrivate: true, allow: [] });
      assert.ok(answer !== 'no target' && answer.kind === 'answered', host);
    }

    assert.equal(receiver.connections() - from, 8);
  });

  test('IPv4 and IPv6 are told apart from public ones at the edges of each block', () => {
    const closed = ['9.255.255.255 10.0.0.0', '11.0.0.0 10.255.255.255', '100.63.255.255 100.64.0.0', '100.128.0.0 100.127.255.255'];
    closed.push('126.255.255.255 127.0.0.0', '128.0.0.0 127.255.255.255', '172.15.255.255 172.16.0.0', '172.32.0.0 172.31.255.255');
    closed.push('223.255.255.255 224.0.0.0', '2000:: 1fff:ffff::', '2001:200:: 2001:1ff::', '2003:: 2002:ffff::', '3ffe:: 4000::');
    for (const [open, shut] of closed.map((pair) => pair.split(' '))) {
      assert.equal(isPublicAddress(open ?? ''), true, open);
      assert.equal(isPublicAddress(shut ?? ''), false, shut);
    }
  });

  test('IPv4 in any IPv6 clothes is never public, and text that is no address neither', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.string(), (address, noise) => {
        const clothes = [`::ffff:${address}`, `::${address}`, `64:ff9b::${address}`, `::ffff:0:${address}`];
        return clothes.every((text) => !isPublicAddress(text)) && !isPublicAddress(`${noise} `);
      }),
      { numRuns: 500 },
    );
  });

  describe('under a name whose answers change', () => {
    let other: Receiver;
    let answers: (readonly string[])[];
    let lookups: number;
    // 127.0.0.2 stands for an allowed address, 127.0.0.1 for the private one behind it.
    const policy = { allowPrivate: false, allow: ['127.0.0.2/32'] };
    const flipping: Resolve = (_host, _options, done) => {
      lookups += 1;
      const next = answers.length > 1 ? answers.shift() : answers[0];
      done(
        null,
        (next ?? []).map((address) => ({ address, family: 4 })),
      );
    };
    before(async () => {
      other = await startReceiver({ host: '127.0.0.2' });
    });
    after(() => other.close());
    beforeEach(() => {
      lookups = 0;
    });

    test('G1: the address that was vetted is the address that is connected to, with one lookup', async () => {
      answers = [['127.0.0.2'], ['127.0.0.1']];
      const from = receiver.connections();
      const first = await knock(`http://flip.example:${other.port}/`, policy, flipping);
      assert.ok(first !== 'no target' && first.kind === 'answered');
      assert.equal(lookups, 1);

      const second = await knock(`http://flip.example:${receiver.port}/`, policy, flipping);
      assert.deepEqual(second, { kind: 'unwritten', trouble: 'blocked', code: 'EBLOCKED' });
      assert.equal(receiver.connections() - from, 0);
    });

    test('one bad address among good ones spoils the answer', async () => {
      answers = [['127.0.0.2', '127.0.0.1']];
      const [here, there] = [receiver.connections(), other.connections()];
      const answer = await knock(`http://flip.example:${other.port}/`, policy, flipping);

      assert.ok(answer !== 'no target' && answer.kind === 'unwritten' && answer.trouble === 'blocked');
      assert.deepEqual([receiver.connections(), other.connections()], [here, there]);
    });

    test('a redirect to a private address is an answer, not a way', async () => {
      answers = [['127.0.0.2']];
      other.answer = (response) => response.writeHead(307, { location: `http://127.0.0.1:${receiver.port}/` }).end();
      const from = receiver.connections();
      const answer = await knock(`http://flip.example:${other.port}/`, policy, flipping);

      assert.ok(answer !== 'no target' && answer.kind === 'answered' && answer.status === 307);
      assert.equal(receiver.connections() - from, 0);
    });
  });

  test('no address at all is a failure of the lookup in both of its forms, never a crash', () => {
    const { lookup } = createGuard({ allowPrivate: true, allow: [] }, (_host, _options, done) => done(null, []));
    for (const all of [true, false]) {
      const codes: unknown[] = [];
      lookup('empty.example', { all }, (error) => codes.push(error?.code));
      assert.deepEqual(codes, ['ENOTFOUND']);
    }
  });

  test('the operator opens a private target by block, by address or by name, and nothing beside it', async () => {
    const open = async (host: string, allow: readonly string[]): Promise<boolean> => {
      const answer = await knock(`http://${host}:${receiver.port}/`, { allowPrivate: false, allow });
      return answer !== 'no target' && answer.kind === 'answered';
    };

    assert.ok(await open('127.0.0.1', ['127.0.0.0/8']));
    assert.ok(await open('127.0.0.1', ['127.0.0.1']));
    assert.ok(await open('hooks.internal', ['Hooks.Internal.']));
    assert.ok(!(await open('127.0.0.1', ['127.0.0.2', '10.0.0.0/8', 'hooks.internal'])));
    assert.ok(!(await open('x.hooks.internal', ['hooks.internal'])));
  });

  for (const entry of [
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    '*',
    '*.example.org',
    'http://example.org',
    '',
    `${'a'.repeat(80)}!`,
  ]) {
    test(`an allow-list entry ${JSON.stringify(entry)} is refused at the start`, () => {
      const policy = { allowPrivate: false, allow: [entry] };
      assert.throws(() => createHttp({ clock: wallClock, policy }), { code: 'invalid_config' });
    });
  }
});
