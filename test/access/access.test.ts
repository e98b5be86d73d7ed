import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGate, type EndpointAuth } from '../../src/access/gate.ts';
import { scopeMeant } from '../../src/access/scopes.ts';
import { allows, createTokens, roles, type ApiToken } from '../../src/access/tokens.ts';
import { GatewayError } from '../../src/core/errors.ts';

const basic = (password: string): string => `Basic ${Buffer.from(`any:${password}`).toString('base64')}`;
const signedBy =
  (good: string) =>
  (secrets: readonly string[]) =>
  ({ body }: { readonly body: Buffer }): boolean =>
    secrets.includes(good) && body.toString() === 'signed';

test('A1: a token is found by its whole secret alone, as bearer or as the password of basic', () => {
  const token = (name: string, secret: string): ApiToken => ({ name, role: 'read', secret, scopes: null });
  const find = createTokens(() => [token('ann', 'secret-of-ann'), token('bob', 'secret-of-bob'), token('nobody', '')]);
  assert.equal(find({ authorization: 'Bearer secret-of-bob' })?.name, 'bob');
  assert.equal(find({ authorization: basic('secret-of-ann') })?.name, 'ann');
  for (const authorization of [
    'Bearer secret-of-an',
    'Bearer secret-of-annn',
    'Bearer ',
    basic(''),
    'secret-of-ann',
    'Digest secret-of-ann',
    '',
  ])
    assert.equal(find({ authorization }), null, authorization);
  assert.equal(find({}), null);
});

test('a token without scopes sees all of them; one with a list sees that list, and an empty list nothing', () => {
  const find = createTokens(() => [
    { name: 'all', role: 'admin', secret: 'a', scopes: null },
    { name: 'some', role: 'admin', secret: 'b', scopes: ['acme'] },
    { name: 'none', role: 'admin', secret: 'c', scopes: [] },
  ]);
  const scopes = ['a', 'b', 'c'].map((secret) => find({ authorization: `Bearer ${secret}` })?.scopes);
  assert.deepEqual(scopes, ['all', ['acme'], []]);
});

test('each role includes the ones before it, and none behind it', () => {
  const table = roles.map((role) => roles.filter((asked) => allows(role, asked)));
  assert.deepEqual(table, [['read'], ['read', 'operate'], ['read', 'operate', 'admin']]);
});

test('A2: an endpoint that asks for nothing takes nothing; one that says none in words takes everything', () => {
  const passes = (auth: readonly EndpointAuth[], authorization: string, body = 'signed'): boolean => {
    const gate = createGate(auth, signedBy('key'));
    return gate.headers({ authorization }) && gate.body({}, Buffer.from(body), 0);
  };
  assert.equal(passes([], ''), false);
  assert.equal(passes([{ kind: 'none' }], ''), true);
  const both: readonly EndpointAuth[] = [
    { kind: 'bearer', secrets: ['old', 'new'] },
    { kind: 'hmac', secrets: ['key'] },
  ];
  assert.equal(passes(both, 'Bearer new'), true);
  assert.equal(passes(both, 'Bearer old'), true);
  assert.equal(passes(both, 'Bearer other'), false);
  assert.equal(passes(both, 'Bearer new', 'changed'), false);
  assert.equal(passes([{ kind: 'hmac', secrets: [''] }], '', 'signed'), false);
});

test('a command is meant for the scope that it names, the gateway’s own, or the caller’s only one', () => {
  assert.equal(scopeMeant('all', undefined, 'own'), 'own');
  assert.equal(scopeMeant('all', 'any', 'own'), 'any');
  assert.equal(scopeMeant(['own', 'b'], undefined, 'own'), 'own');
  assert.equal(scopeMeant(['b'], undefined, 'own'), 'b');
  assert.equal(scopeMeant(['b', 'c'], 'c', 'own'), 'c');
  const refused = (call: () => string): string => {
    try {
      return call();
    } catch (error) {
      return error instanceof GatewayError ? error.code : 'a bug';
    }
  };
  assert.equal(
    refused(() => scopeMeant(['b', 'c'], undefined, 'own')),
    'invalid_request',
  );
  assert.equal(
    refused(() => scopeMeant([], undefined, 'own')),
    'invalid_request',
  );
  assert.equal(
    refused(() => scopeMeant(['b'], 'own', 'own')),
    'not_found',
  );
});
