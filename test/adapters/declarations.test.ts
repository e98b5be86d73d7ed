// What our own actions say of themselves: playbooks are judged by nothing else, so a word that is lost here is a hole there.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { actionFamilies } from '../../adapters/action-registry.ts';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { createActions } from '../../adapters/kit/action-guard.ts';
import { registry } from '../../adapters/registry.ts';
import { roleAt } from '../../src/config/playbook/roles.ts';
import { loadPlaybooks } from '../../src/config/playbook/playbooks.ts';
import { shapeFaults } from '../../src/config/yaml/shape.ts';
import { linesOf } from '../config/support.ts';
import { wallClock } from '../support/wallclock.ts';

const actions = createActions(actionFamilies, {}, wallClock);
const membersOf = (input: object): readonly string[] => Object.keys((input as { readonly properties: object }).properties);

it('effect, probe, and what each member is', () => {
  const said = actions.map(({ name, effect, probe, input }) => {
    const roles = membersOf(input).map((member) => [member, roleAt(input, [member])]);
    return [name, effect, probe ?? false, Object.fromEntries(roles.filter(([, role]) => role !== null))];
  });
  assert.deepEqual(said, [
    ['shell/run', 'once', false, { argv: 'argument', cwd: 'address' }],
    ['shell/check', 'read', true, { argv: 'argument', cwd: 'address' }],
    ['http/request', 'once', false, { url: 'address' }],
    ['http/probe', 'read', true, { url: 'address' }],
    ['process/restart', 'once', false, { name: 'address' }],
    ['process/status', 'read', true, { name: 'address' }],
  ]);
});

it('what a pattern expects is said in words: nobody has to read a regular expression in a message of check', () => {
  const wordless = (schema: unknown, path: string): readonly string[] => {
    if (typeof schema !== 'object' || schema === null) return [];
    const members = Object.entries(schema).flatMap(([name, value]) => wordless(value, `${path}/${name}`));
    return 'pattern' in schema && typeof schema.pattern === 'string' && !('x-expects' in schema) ? [path, ...members] : members;
  };
  const kinds = [...registry.sources, ...registry.notifiers, ...registry.logs, ...actionFamilies];
  const said = kinds.flatMap(({ name, options }) => wordless(options, name));
  assert.deepEqual([...said, ...actions.flatMap(({ name, input }) => wordless(input, name))], []);
});

it('check refuses each address that a start would, and takes those that it takes', () => {
  const familyOf = (name: string) => actionFamilies.find((family) => family.name === name) ?? assert.fail(name);
  const { options, create } = familyOf('http');
  const judged = (allow: string): readonly boolean[] => {
    let isStarted = true;
    try {
      create({ allow: [allow] }, wallClock);
    } catch {
      isStarted = false;
    }
    return [shapeFaults(options, { allow: [allow] }).length === 0, isStarted];
  };
  for (const good of [
    'https://a.example/hooks/',
    'http://10.0.0.1:80',
    'https://[::1]:8/x',
    'a.example',
    'a_b',
    '10.0.0.0/8',
    '::1',
    'fd00::/8',
    '127.0.0.1',
  ])
    assert.deepEqual(judged(good), [true, true], good);
  for (const bad of ['a.example/hooks', 'ftp://a.example/', 'https://u:p@a.example/', 'a.example:443', '*.example', '', 'https://', 'a b'])
    assert.deepEqual(judged(bad), [false, false], bad);
  for (const name of ['slack', 'webhook', 'pagerduty']) {
    const kind = registry.notifiers.find((each) => each.name === name) ?? assert.fail(name);
    const told = (url: string): boolean => shapeFaults(kind.options, { url }).some(({ pointer }) => pointer === '/url');
    assert.deepEqual(
      ['hooks.example', 'mailto:a@b', 'https://u:p@a.example/', 'https://a.example/x?y=1'].map(told),
      [true, true, true, false],
      name,
    );
  }
});

describe('a value straight from the alert is refused', () => {
  for (const [uses, input, at] of [
    ['shell/run', '{ argv: [systemctl, restart, $alert.host] }', 'argv[2]'],
    ['shell/check', '{ argv: [systemctl, status, "x${alert.host}"] }', 'argv[2]'],
    ['shell/run', '{ argv: ["true"], cwd: $alert.host }', 'cwd'],
    ['http/request', '{ url: "http://${alert.host}/" }', 'url'],
    ['http/probe', '{ url: $incident.host }', 'url'],
    ['process/restart', '{ name: $alert.service }', 'name'],
    ['process/status', '{ name: $alert.service }', 'name'],
  ] as const) {
    it(`${uses}: ${at}`, () => {
      const lines = problemsOf(uses, input);
      const told = `steps[0].with.${at}: expected a parameter here, seen a value straight from the alert`;
      assert.ok(
        lines.some((line) => line.includes(told)),
        lines.join('\n') || '(it loaded)',
      );
    });
  }

  it('and taken where it is only data', () => {
    assert.deepEqual(problemsOf('shell/run', '{ argv: ["true"], env: { WHAT: $alert.summary }, stdin: $alert.summary }'), []);
    assert.deepEqual(
      problemsOf('http/request', '{ url: "http://a.example/", json: { what: $alert.summary }, query: { q: $alert.host } }'),
      [],
    );
  });
});

describe('both shell actions look at their command line themselves', () => {
  for (const uses of ['shell/run', 'shell/check']) {
    it(uses, () => {
      const lines = problemsOf(uses, '{ argv: [sh, -c, "echo ${params.x}"] }');
      assert.ok(
        lines.some((line) =>
          line.includes('argv[2]: expected a program text without references, seen one: sh would run what the value says'),
        ),
      );
    });
  }
});

function problemsOf(uses: string, input: string): readonly string[] {
  const text = `apiVersion: playbook/v1
name: one
version: 1.0.0
summary: s
owner: o
on: [{ alert: alert.name == "A" }]
params: { x: { type: string, from: alert.host } }
target: { resource: thing }
steps: [{ id: go, uses: ${uses}, with: ${input} }]
`;
  return linesOf(loadPlaybooks([{ file: 'one.yaml', text }], { actions, expressions: createExpressions() }));
}
