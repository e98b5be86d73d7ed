// `quench check` knows what the operator's lists would refuse, and which playbooks nobody waits for.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { problemLine, type ConfigProblem } from '../../src/config/yaml/problems.ts';
import { init } from '../../src/offline/init.ts';
import { checkConfig, usedConfig } from '../../src/offline/load.ts';

interface Parts {
  readonly step?: string;
  readonly diagnose?: string;
  readonly on?: string;
  readonly verify?: string;
  readonly escalate?: string;
  readonly mode?: string;
}

const fine = '{ id: act, uses: shell/run, with: { argv: [systemctl, restart, x.service] }, timeout: 30s }';

const playbook = ({
  step = fine,
  on = '{ alert: alert.name == "Down" }',
  verify = 'within: 30s',
  ...more
}: Parts): string => `apiVersion: playbook/v1
name: one
version: 1.0.0
summary: s
owner: o
mode: ${more.mode ?? 'auto'}
on: [${on}]
params: { path: { type: string, default: x } }
target: { resource: thing }
${more.diagnose === undefined ? '' : `diagnose: [${more.diagnose}]\n`}steps: [${step}]
verify: { ${verify}, all: [resolved] }
escalate: { ${more.escalate ?? 'say: It did not help.'} }
`;

/** What `init` writes, with one playbook. */
function house(t: TestContext, text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'quench-prospects-'));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'playbooks'));
  writeFileSync(join(dir, 'playbooks/one.yaml'), text);
  assert.ok(init({ dir, data: null, env: {} }).ok, 'what is refused at run time loads: the rest of the gateway is needed');
  return dir;
}

interface Said {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

function saidOf(dir: string): Said {
  const warnings: ConfigProblem[] = [];
  const checked = checkConfig(dir, {}, (warning) => warnings.push(warning));
  const lines = (found: readonly ConfigProblem[]): readonly string[] =>
    found.map((one) => problemLine(one).replace(`${dir}/playbooks/one.yaml:`, ''));
  return { problems: checked.ok ? [] : lines(checked.error), warnings: lines(warnings) };
}

const unlistedIn = (dir: string): string | undefined => {
  const used = usedConfig(dir, {});
  assert.ok(used.ok);
  return used.value.policy.playbooks[0]?.unlisted;
};

test("C19: README's first playbook is fine under the default configuration, and nothing of it is on no list", (t) => {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const text = /^    apiVersion: playbook\/v1\n(?:    .*\n)+/m.exec(readme)?.[0].replace(/^ {4}/gm, '');
  assert.ok(text);
  const dir = house(t, text);
  assert.deepEqual(saidOf(dir), { problems: [], warnings: [] });
  assert.equal(unlistedIn(dir), undefined);
  writeFileSync(join(dir, 'playbooks/one.yaml'), text.replace('mode: shadow', 'mode: auto'));
  assert.deepEqual(saidOf(dir), { problems: [], warnings: [] });
});

const refused = [
  [
    'a program by its path',
    { step: '{ id: act, uses: shell/run, with: { argv: [/opt/x/fix, a] } }' },
    'shell',
    '- /opt/x/fix',
    /^step act: program \/opt\/x\/fix is not on the list actions\.shell\.allow$/,
  ],
  [
    'a program by its name',
    { step: '{ id: act, uses: shell/run, with: { argv: [fixit] } }' },
    'shell',
    '- /usr/bin/fixit',
    /program fixit is not on the list/,
  ],
  [
    'an address',
    { step: '{ id: act, uses: http/request, with: { url: "https://deploy.example/hooks/${params.path}/run" } }' },
    'http',
    '- https://deploy.example/hooks/',
    /^step act: address https:\/\/deploy\.example\/… is not on the list actions\.http\.allow$/,
  ],
  [
    'a look',
    { diagnose: '{ id: see, uses: http/probe, with: { url: "https://status.example/" } }' },
    'http',
    '- https://status.example/',
    /^look see: /,
  ],
  [
    'an undo',
    {
      step: `{ id: act, uses: shell/run, with: { argv: [systemctl, stop, x] }, undo: { uses: shell/run, with: { argv: [/opt/x/back] } } }`,
      verify: 'within: 30s, otherwise: rollback',
    },
    'shell',
    '- /opt/x/back',
    /^undo of act: /,
  ],
] as const;

for (const [name, parts, family, line, unlisted] of refused) {
  test(`C19: ${name} that is on no list is an error with the line to paste, and fine once it is pasted`, (t) => {
    const dir = house(t, playbook(parts));
    const { problems } = saidOf(dir);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.ok(problems[0]?.includes(`write in quench.yaml: ${line} `), problems[0]);
    assert.match(unlistedIn(dir) ?? '', unlisted);
    const config = readFileSync(join(dir, 'quench.yaml'), 'utf8');
    const pasted = config.replace(new RegExp(`(\\n  ${family}:\\n    allow:.*\\n)`), (allow) => `${allow}      ${line}\n`);
    assert.notEqual(pasted, config);
    writeFileSync(join(dir, 'quench.yaml'), pasted);
    assert.deepEqual(saidOf(dir).problems, []);
    assert.equal(unlistedIn(dir), undefined);
  });
}

test('C19: a process, a directory and a variable that nobody listed are told, and what only a value can settle is not', (t) => {
  const asked = (step: string): readonly string[] => saidOf(house(t, playbook({ step }))).problems;
  assert.match(
    asked('{ id: act, uses: process/restart, with: { name: worker } }')[0] ?? '',
    /actions: \{ process: \{ worker: \{ command: /,
  );
  assert.match(
    asked('{ id: act, uses: shell/run, with: { argv: [df], cwd: /srv/app } }')[0] ?? '',
    /actions: \{ shell: \{ workDirs: \[\/srv\/app\] \} \}/,
  );
  assert.match(
    asked('{ id: act, uses: shell/run, with: { argv: [df], env: { LD_PRELOAD: x } } }')[0] ?? '',
    /list it in actions\.shell\.variables/,
  );
  assert.deepEqual(asked('{ id: act, uses: http/request, with: { url: $params.path } }'), []);
  assert.deepEqual(asked('{ id: act, uses: http/request, with: { url: "https://${params.path}.example/x" } }'), []);
  assert.deepEqual(
    saidOf(house(t, playbook({ step: '{ id: act, uses: shell/run, with: { argv: [/opt/x] } }', mode: '"off"' }))).problems,
    [],
  );
});

test('C19: a call that a run can end well without is told, and keeps the playbook from nothing', (t) => {
  const dir = house(t, playbook({ diagnose: '{ id: see, uses: shell/check, with: { argv: [/opt/x/see] }, continueOnError: true }' }));
  assert.equal(saidOf(dir).problems.length, 1);
  assert.equal(unlistedIn(dir), undefined);
});

test('C13: `for`, or the longest time of a run, beyond the hold-off is a warning with what to write; writing it ends the warning', (t) => {
  const warned = (parts: Parts): readonly string[] => {
    const { problems, warnings } = saidOf(house(t, playbook(parts)));
    assert.deepEqual(problems, []);
    return warnings;
  };
  const late = '{ alert: alert.name == "Down", for: 3m }';
  assert.deepEqual(warned({}), []);
  assert.deepEqual(warned({ on: late }), [
    '7:42: on[0].for: a person is paged before it acts: for 3m is longer than holdOff 2m; write escalate: { after: 4m }',
  ]);
  assert.deepEqual(warned({ on: late, escalate: 'after: 4m' }), []);
  const retried = fine.replace('}, timeout', '}, retry: { times: 2, backoff: 10s }, unknown: stop, timeout');
  assert.match(warned({ step: retried })[0] ?? '', /it can take 2m20s .*longer than holdOff 2m; write escalate: \{ after: 3m \}/);
  assert.match(warned({ verify: 'within: 10m', escalate: 'after: 5m' })[0] ?? '', /it can take 10m30s .*longer than escalate\.after 5m/);
  assert.deepEqual(warned({ verify: 'within: 10m', mode: 'shadow' }), [], 'nobody waits for what never acts');
  assert.equal(warned({ on: late, mode: 'shadow' }).length, 1);
});

test('a playbook that asks, where nobody may answer, is a warning with what to write; a token that may operate or an approver ends it', (t) => {
  const dir = house(t, playbook({ mode: 'approve' }));
  const file = join(dir, 'quench.yaml');
  const text = readFileSync(file, 'utf8');
  const warned = (by: string, more = ''): readonly string[] => {
    writeFileSync(file, `${text.replace('role: admin', `role: ${by}`)}${more}`);
    const { problems, warnings } = saidOf(dir);
    assert.deepEqual(problems, []);
    return warnings;
  };
  assert.deepEqual(warned('admin'), []);
  assert.deepEqual(warned('operate'), []);
  assert.match(
    warned('read').join('\n'),
    /^[^\n]*quench\.yaml:\d+:\d+: [^\n]*nobody can say yes to one, which is in mode approve: write a token/,
  );
  assert.deepEqual(warned('read', 'approvals: { byLink: true }\n'), []);
});
