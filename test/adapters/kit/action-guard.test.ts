// The guard before every action: what a bug in one of them may not do.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actionFamilies } from '../../../adapters/action-registry.ts';
import { createActions, guarded } from '../../../adapters/kit/action-guard.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { ActionOutcome } from '../../../src/core/run/outcome.ts';
import type { Action, Effect } from '../../../src/ports/action.ts';
import { wallClock } from '../../support/wallclock.ts';

const idle = new AbortController().signal;

async function outcomeOf(effect: Effect, act: Action['act']): Promise<ActionOutcome> {
  const input = { type: 'object', additionalProperties: false };
  const [action] = guarded([{ name: 'test/bug', summary: 'Has a bug.', effect, input, act }]);
  assert.ok(action);
  return action.act({ input: {}, key: 'k', timeoutMs: 20 }, idle);
}

describe('A2: an action with a bug', () => {
  test('that never ends is called off and answered for, a second after its timeout', async () => {
    let startedAt = 0;
    let calledOffAt = 0;

    const outcome = await outcomeOf('once', (_request, signal) => {
      startedAt = performance.now();
      signal.addEventListener('abort', () => (calledOffAt = performance.now()));
      return new Promise(() => {});
    });

    assert.equal(outcome.outcome, 'unknown');
    assert.ok(calledOffAt - startedAt >= 1_000, `called off after ${calledOffAt - startedAt}ms`);
    assert.ok(performance.now() - startedAt < 5_000);
  });

  test('that throws is `unknown` when it may have changed something, `failed` when it only looks', async () => {
    const thrower = (): never => {
      throw new TypeError('bug');
    };
    assert.equal((await outcomeOf('once', thrower)).outcome, 'unknown');
    assert.equal((await outcomeOf('idempotent', async () => thrower())).outcome, 'unknown');
    assert.equal((await outcomeOf('read', async () => thrower())).outcome, 'failed');
  });
});

describe('the list of actions', () => {
  test('nothing configured: every action is known and none may do anything', async () => {
    const actions = createActions(actionFamilies, {}, wallClock);
    const inputs: Record<string, Record<string, string | string[]>> = {
      'shell/run': { argv: ['/bin/true'] },
      'shell/check': { argv: ['/bin/true'] },
      'http/request': { url: 'http://127.0.0.1:9/' },
      'http/probe': { url: 'http://127.0.0.1:9/' },
      'process/restart': { name: 'service' },
      'process/status': { name: 'service' },
    };
    assert.deepEqual(
      actions.map(({ name }) => name),
      Object.keys(inputs),
    );
    for (const action of actions) {
      const outcome = await action.act({ input: inputs[action.name] ?? {}, key: 'k', timeoutMs: 500 }, idle);
      assert.equal(outcome.outcome === 'failed' && outcome.error, 'refused', action.name);
    }
  });

  test('a timeout that is none is refused', async () => {
    const [action] = createActions(actionFamilies, { shell: { allow: ['/bin/true'] } }, wallClock);
    assert.ok(action);
    for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
      const outcome = await action.act({ input: { argv: ['/bin/true'] }, key: 'k', timeoutMs }, idle);
      assert.equal(outcome.outcome === 'failed' && outcome.error, 'invalid_input', String(timeoutMs));
    }
  });

  test('a configuration that does not fit is refused, and the message says where', () => {
    const bad = [
      null,
      [],
      { shel: {} },
      { shell: { allow: ['relative'] } },
      { shell: { allow: ['/'] } },
      { shell: { killGraceMs: 5_000 } },
      { http: { allow: 'x' } },
      { http: { allow: ['a b'] } },
      { process: { 'Bad Name': {} } },
      { process: { web: { command: [], pidFile: '/x' } } },
      { process: { web: { command: ['/x'], pidFile: 'x' } } },
    ];
    for (const config of bad) {
      assert.throws(
        () => createActions(actionFamilies, config, wallClock),
        (error) => error instanceof GatewayError && error.code === 'invalid_config',
        JSON.stringify(config),
      );
    }
  });
});

describe('A3: a declaration that contradicts itself is refused before any playbook is read', () => {
  const good: Action = {
    name: 'test/do',
    summary: 'Does nothing.',
    effect: 'once',
    input: { type: 'object', additionalProperties: false },
    act: async () => ({ outcome: 'ok', output: {} }),
  };
  const made = (...actions: readonly Partial<Action>[]): readonly Action[] =>
    createActions([{ name: 'test', options: {}, create: () => actions.map((change) => Object.assign({}, good, change)) }], {}, wallClock);

  test('one that does not is made', () => assert.equal(made({}, { name: 'test/look', effect: 'read', probe: true }).length, 2));

  for (const [says, actions, told] of [
    ['a name of another family', [{ name: 'other/do' }], /expected a name like test\/do, seen other\/do/],
    ['a name twice', [{}, {}], /expected every action once, seen test\/do a second time/],
    ['a probe that changes something', [{ probe: true }], /expected a probe that only reads, seen test\/do, whose effect is once/],
    [
      'a schema with a reference',
      [{ input: { $ref: '#/$defs/x', $defs: { x: {} } } }],
      /expected an input schema without \$ref, seen one in test\/do/,
    ],
    ['a role that is none', [{ input: { type: 'object', 'x-quench': 'programm' } }], /x-quench/],
    ['a keyword that is none', [{ input: { type: 'object', maxLenght: 1 } }], /maxLenght/],
  ] as const) {
    test(`${says}: refused`, () => {
      assert.throws(
        () => made(...actions),
        (error) => error instanceof GatewayError && error.code === 'invalid_config' && told.test(error.message),
      );
    });
  }
});
