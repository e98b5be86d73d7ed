// What our own actions say of themselves: playbooks are judged by nothing else, so a word that is lost here is a hole there.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { actionFamilies } from '../../adapters/action-registry.ts';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { createActions } from '../../adapters/kit/action-guard.ts';
import { roleAt } from '../../src/config/playbook/roles.ts';
import { loadPlaybooks } from '../../src/config/playbook/playbooks.ts';
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
