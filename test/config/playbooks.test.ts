import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { alertNames, incidentNames } from '../../src/config/playbook/names.ts';
import { loadPlaybook, loadPlaybooks } from '../../src/config/playbook/playbooks.ts';
import { PlaybookSchema } from '../../src/config/playbook/schema.ts';
import { alertEnvironment, incidentEnvironment } from '../../src/core/playbook/environment.ts';
import { exchanged, linesOf, playbookDeps } from './support.ts';

const good = `apiVersion: playbook/v1
name: demo
version: 1.0.0
summary: Restart a service.
owner: team/sre
mode: approve
on:
  - alert: alert.name == "Down"
    for: 1m
params:
  unit: { type: string, from: alert.labels.unit, pattern: "[a-z]+" }
  days: { type: integer, default: 7 }
target: { resource: $params.unit }
guards: { cooldown: 20m, attempts: 2 per 6h, approve: { within: 10m } }
diagnose:
  - { id: look, uses: shell/check, with: { argv: [systemctl, status, --, $params.unit] } }
  - { check: steps.look.exitCode == 3, otherwise: end, say: It runs. }
steps:
  - id: restart
    uses: shell/run
    with: { argv: [systemctl, restart, --, $params.unit], env: { WHAT: $alert.summary } }
    timeout: 90s
    retry: { times: 2, backoff: 5s to 60s }
    unknown: stop
    undo: { uses: shell/run, with: { argv: [systemctl, stop, --, $params.unit, $steps.restart.stdout] } }
verify:
  within: 5m
  stableFor: 30s
  all:
    - resolved
    - { uses: http/probe, with: { url: "http://\${params.unit}:8080/" }, expect: result.status == 200 }
  otherwise: rollback
escalate: { say: "\${params.unit} stays down" }
`;

const load = (text: string): ReturnType<typeof loadPlaybook> => loadPlaybook({ file: 'demo.yaml', text }, playbookDeps);

describe('a playbook that is well', () => {
  it('loads with its spans in milliseconds and its references untouched', () => {
    const loaded = load(good);
    assert.deepEqual(linesOf(loaded), []);
    assert(loaded.ok);
    const { playbook } = loaded.value;
    assert.deepEqual(playbook.guards, {
      cooldownMs: 1_200_000,
      attempts: { max: 2, perMs: 21_600_000 },
      concurrency: 1,
      confidence: 0,
      approveWithinMs: 600_000,
    });
    assert.deepEqual(playbook.triggers, [{ on: 'alert', when: 'alert.name == "Down"', forMs: 60_000 }]);
    assert.deepEqual(playbook.steps[0]?.retry, { times: 2, waitMs: 5_000, factor: 2, waitMaxMs: 60_000 });
    assert.equal(playbook.target, '$params.unit');
    assert.deepEqual(playbook.diagnose[1], { kind: 'check', check: 'steps.look.exitCode == 3', otherwise: 'end', say: 'It runs.' });
  });

  it('gets careful defaults for all it does not say', () => {
    const loaded = load(
      'apiVersion: playbook/v1\nname: small\nversion: 0.1.0\nsummary: s\nowner: o\non: [{ incident: incident.storm == false }]\n' +
        'target: { resource: the-one }\nsteps: [{ id: go, uses: http/request, with: { url: "https://a.example/" } }]\n',
    );
    assert(loaded.ok, linesOf(loaded).join('\n'));
    const { playbook } = loaded.value;
    assert.equal(playbook.mode, 'shadow');
    assert.deepEqual(playbook.guards.attempts, { max: 3, perMs: 21_600_000 });
    assert.equal('blastRadius' in playbook.guards, false, 'the default is core’s, so that it changes no digest');
    assert.equal(playbook.guards.cooldownMs, 300_000);
    assert.equal(playbook.steps[0]?.timeoutMs, 60_000);
    assert.equal(playbook.steps[0]?.onUnknown, 'stop');
    assert.deepEqual(playbook.verify, {
      withinMs: 600_000,
      everyMs: 10_000,
      stableForMs: 0,
      require: 'all',
      proofs: [{ kind: 'resolved' }],
      otherwise: 'escalate',
    });
  });

  it('has one digest for one meaning, whatever the order of keys, comments, file or spelled-out defaults', () => {
    const digest = (text: string, file = 'a.yaml'): string => {
      const loaded = loadPlaybook({ file, text }, playbookDeps);
      assert(loaded.ok, linesOf(loaded).join('\n'));
      return loaded.value.playbook.digest;
    };
    const lines = good.split('\n');
    const reordered = ['# a comment', ...lines.slice(1, 6), lines[0], ...lines.slice(6)].join('\n');
    assert.match(digest(good), /^sha256:[0-9a-f]{64}$/);
    assert.equal(digest(reordered, 'elsewhere/b.yaml'), digest(good));
    assert.equal(digest(exchanged(good, 'cooldown: 20m', 'concurrency: 1, cooldown: 1200s')), digest(good));
    const params = lines.slice(10, 12);
    assert.equal(digest([...lines.slice(0, 10), ...params.toReversed(), ...lines.slice(12)].join('\n')), digest(good));
    assert.equal(
      digest(
        exchanged(
          good,
          '{ argv: [systemctl, restart, --, $params.unit], env: { WHAT: $alert.summary } }',
          '{ env: { WHAT: $alert.summary }, argv: [systemctl, restart, --, $params.unit] }',
        ),
      ),
      digest(good),
    );
    assert.notEqual(digest(exchanged(good, 'cooldown: 20m', 'cooldown: 21m')), digest(good));
  });
});

interface Wrong {
  readonly says: string;
  readonly part: string;
  readonly by: string;
  readonly want: RegExp;
}

const wrongs: readonly Wrong[] = [
  {
    says: 'a misspelt key',
    part: 'timeout: 90s',
    by: 'timout: 90s',
    want: /^demo\.yaml:22:5: steps\[0\]\.timout: unknown key "timout"; did you mean "timeout"\?$/,
  },
  {
    says: 'a misspelt section',
    part: 'diagnose:',
    by: 'diagnoze:',
    want: /^demo\.yaml:15:1: diagnoze: unknown key "diagnoze"; did you mean "diagnose"\?$/,
  },
  {
    says: 'a key unlike any other',
    part: 'timeout: 90s',
    by: 'colour: red',
    want: /:22:5: .*unknown key "colour"; known here: id, uses, with, timeout/,
  },
  {
    says: 'another version of the format',
    part: 'playbook/v1',
    by: 'playbook/v2',
    want: /:1:13: apiVersion: expected "playbook\/v1", seen "playbook\/v2"/,
  },
  { says: 'a missing section', part: 'owner: team/sre\n', by: '', want: /:1:1: expected the key "owner", seen none/ },
  {
    says: 'a mode that is none',
    part: 'mode: approve',
    by: 'mode: aprove',
    want: /:6:7: mode: expected one of off, shadow, approve, auto, seen "aprove"; did you mean "approve"\?/,
  },
  {
    says: 'a span without a unit',
    part: 'timeout: 90s',
    by: 'timeout: 90',
    want: /:22:14: steps\[0\]\.timeout: expected a span such as 90s, 10m or 1h30m, seen 90$/,
  },
  {
    says: 'a span in words',
    part: 'timeout: 90s',
    by: 'timeout: 5 minutes',
    want: /:22:14: .*expected a span such as 90s.*seen "5 minutes"/,
  },
  { says: 'a span too long', part: 'timeout: 90s', by: 'timeout: 7h', want: /:22:14: .*expected 1 s to 6 h, seen 7h/ },
  {
    says: 'a rate that is none',
    part: '2 per 6h',
    by: 'twice',
    want: /:14:36: guards\.attempts: expected a rate such as "3 per 6h", or none, seen "twice"/,
  },
  {
    says: 'C18: a blast radius that is a share of what nobody has counted',
    part: 'cooldown: 20m',
    by: 'cooldown: 20m, blastRadius: 25%',
    want: /:14:\d+: guards\.blastRadius: expected target\.group beside it, the name of a group whose members quench\.yaml counts, seen none/,
  },
  {
    says: 'C18: a floor of what nobody has counted',
    part: 'cooldown: 20m',
    by: 'cooldown: 20m, keepHealthy: 60%',
    want: /:14:\d+: guards\.keepHealthy: expected target\.group beside it/,
  },
  {
    says: 'C18: more than all',
    part: 'cooldown: 20m',
    by: 'cooldown: 20m, keepHealthy: 160%',
    want: /:14:\d+: guards\.keepHealthy: expected how many members of its group stay healthy, such as 3 or 60%, seen "160%"/,
  },
  {
    says: 'C18: a group that an alert would choose',
    part: 'resource: $params.unit',
    by: 'resource: $params.unit, group: $alert.service',
    want: /target\.group: expected the name of a group of quench\.yaml, seen "\$alert\.service"/,
  },
  { says: 'a name that no file system likes', part: 'name: demo', by: 'name: De mo', want: /:2:7: name: expected a name of small letters/ },
  {
    says: 'an unknown action',
    part: 'uses: shell/run\n',
    by: 'uses: shel/run\n',
    want: /:20:11: steps\[0\]\.uses: unknown action "shel\/run"; did you mean "shell\/run"\?/,
  },
  {
    says: 'a version of an action',
    part: 'uses: shell/run\n',
    by: 'uses: shell/run@1\n',
    want: /:20:11: .*versions of actions are not supported yet: write shell\/run/,
  },
  {
    says: 'CEL that does not parse',
    part: 'alert.name == "Down"',
    by: 'alert.name == ',
    want: /:8:12: on\[0\]\.alert: expected CEL over alert, incident, seen .*EOF/,
  },
  {
    says: 'CEL over a name that is not there',
    part: 'alert.name == "Down"',
    by: 'alrt.name == "Down"',
    want: /:8:12: .*Unknown variable: alrt/,
  },
  {
    says: 'a field that alerts do not have',
    part: 'alert.name == "Down"',
    by: 'alert.severty == "error"',
    want: /:8:12: .*an alert has no "severty"; did you mean "severity"\?/,
  },
  {
    says: 'a condition that is a text',
    part: 'alert.name == "Down"',
    by: 'string(alert.name)',
    want: /:8:12: .*expected a condition, true or false; seen .* which is string/,
  },
  {
    says: 'CEL of types that do not fit',
    part: 'steps.look.exitCode == 3',
    by: '1 + "a" == 3',
    want: /:17:14: diagnose\[1\]\.check: .*no such overload/,
  },
  {
    says: 'two kinds of trigger in one',
    part: '    for: 1m',
    by: '    incident: "true"',
    want: /:8:5: on\[0\]: expected either "alert" or "incident" with a condition, seen both or none/,
  },
  {
    says: 'a parameter that is not declared',
    part: 'argv: [systemctl, restart, --, $params.unit]',
    by: 'argv: [systemctl, restart, --, $params.unti]',
    want: /:21:\d+: steps\[0\]\.with\.argv\[3\]: params\.unti is not declared; did you mean "unit"\?/,
  },
  {
    says: 'the result of a step that runs later',
    part: 'argv: [systemctl, status, --, $params.unit]',
    by: 'argv: [systemctl, status, --, $steps.restart.stdout]',
    want: /:16:\d+: diagnose\[0\]\.with\.argv\[3\]: steps\.restart has no result yet here: it runs later/,
  },
  {
    says: 'the result of a step that is not there',
    part: 'steps.look.exitCode',
    by: 'steps.lok.exitCode',
    want: /:17:14: .*there is no step "lok"; did you mean "look"\?/,
  },
  {
    says: 'a reference inside a text without braces',
    part: 'WHAT: $alert.summary',
    by: 'WHAT: "is $alert.summary now"',
    want: /with\.env\.WHAT: .*a reference within a text is written \$\{…\}/,
  },
  {
    says: 'an expression that does not end',
    part: 'WHAT: $alert.summary',
    by: 'WHAT: "is ${alert.summary now"',
    want: /with\.env\.WHAT: .*an expression ends with "}"/,
  },
  {
    says: 'an input that the action does not have',
    part: 'env: { WHAT',
    by: 'enw: { WHAT',
    want: /:21:\d+: steps\[0\]\.with\.enw: shell\/run: unknown key "enw"; did you mean "env"\?/,
  },
  {
    says: 'an input of another kind',
    part: '[systemctl, restart, --, $params.unit]',
    by: 'systemctl restart',
    want: /:21:\d+: steps\[0\]\.with\.argv: shell\/run: expected a list, seen "systemctl restart"/,
  },
  {
    says: 'a number where the action wants text',
    part: '[systemctl, restart, --, $params.unit]',
    by: '[find, -mtime, $params.days]',
    want: /argv\[2\]: shell\/run: expected text, seen \$params\.days, which is integer: write "\$\{params\.days\}" for text/,
  },
  {
    says: 'a missing input',
    part: 'argv: [systemctl, restart, --, $params.unit], ',
    by: '',
    want: /:21:11: steps\[0\]\.with: shell\/run: expected the key "argv", seen none/,
  },
  {
    says: 'a step id twice',
    part: '- id: restart',
    by: '- id: look',
    want: /:19:9: steps\[0\]\.id: expected every id once, seen "look" a second time/,
  },
  {
    says: 'a retry of a step that acts once, without a word on unknown',
    part: '    unknown: stop\n',
    by: '',
    want: /:23:12: steps\[0\]\.retry: expected "unknown: stop" or "unknown: retry" in words/,
  },
  {
    says: 'unknown: retry without a retry',
    part: '    retry: { times: 2, backoff: 5s to 60s }\n    unknown: stop',
    by: '    unknown: retry',
    want: /:23:14: steps\[0\]\.unknown: expected "retry: \{ times: … \}"/,
  },
  { says: 'a backoff that shrinks', part: '5s to 60s', by: '60s to 5s', want: /:23:\d+: steps\[0\]\.retry\.backoff: .*small before big/ },
  {
    says: 'a look that changes something',
    part: 'uses: shell/check',
    by: 'uses: shell/run',
    want: /:16:\d+: diagnose\[0\]\.uses: expected an action that only reads, seen shell\/run/,
  },
  {
    says: 'a proof that changes something',
    part: 'uses: http/probe',
    by: 'uses: http/request',
    want: /verify\.all\[1\]\.uses: expected an action that only reads, seen http\/request/,
  },
  {
    says: 'a proof without a condition',
    part: ', expect: result.status == 200',
    by: '',
    want: /verify\.all\[1\]: expected the key "expect" \(a CEL expression as text\), seen none/,
  },
  {
    says: 'a proof that is only a word',
    part: '- resolved',
    by: '- resolvd',
    want: /verify\.all\[0\]: expected "resolved", or an action with "uses" and "expect", seen "resolvd"/,
  },
  {
    says: 'a rollback without an undo',
    part: '    undo: { uses: shell/run, with: { argv: [systemctl, stop, --, $params.unit, $steps.restart.stdout] } }\n',
    by: '',
    want: /:\d+:14: verify\.otherwise: .*there is nothing to roll back/,
  },
  {
    says: 'a hold-off without an end that anybody would wait for',
    part: 'escalate: { say:',
    by: 'escalate: { after: 73h, say:',
    want: /escalate\.after: expected 0 s to 72 h, seen 73h/,
  },
  {
    says: 'a stability longer than the time for it',
    part: 'stableFor: 30s',
    by: 'stableFor: 5m',
    want: /verify\.stableFor: .*it could never be proven/,
  },
  {
    says: 'both all and any',
    part: '  all:\n',
    by: '  any: [resolved]\n  all:\n',
    want: /verify\.any: expected either "all" or "any", seen both/,
  },
  {
    says: 'an empty target',
    part: 'target: { resource: $params.unit }',
    by: 'target: { resource: " " }',
    want: /:13:21: target\.resource: .*empty or \* never means all/,
  },
  {
    says: 'a target that means all',
    part: 'target: { resource: $params.unit }',
    by: 'target: { resource: "host/*" }',
    want: /:13:21: target\.resource: .*empty or \* never means all/,
  },
  {
    says: 'a member of the input beside the name of the action',
    part: 'timeout: 90s',
    by: 'env: { A: b }',
    want: /steps\[0\]\.env: expected "env" as a key of "with", seen it beside "uses"/,
  },
  {
    says: 'a target straight from the alert',
    part: 'target: { resource: $params.unit }',
    by: 'target: { resource: $alert.host }',
    want: /:13:21: target\.resource: expected CEL over params/,
  },
  {
    says: 'a parameter that can never have a value',
    part: 'days: { type: integer, default: 7 }',
    by: 'days: { type: integer }',
    want: /:12:9: params\.days: expected "from" or "default", seen neither/,
  },
  {
    says: 'a default of another type',
    part: 'default: 7',
    by: 'default: seven',
    want: /:12:\d+: params\.days\.default: expected integer, seen string/,
  },
  {
    says: 'a pattern on a number',
    part: 'default: 7',
    by: 'default: 7, pattern: "[0-9]+"',
    want: /params\.days\.pattern: expected pattern on a string only/,
  },
  {
    says: 'a pattern that cannot be matched in linear time',
    part: 'pattern: "[a-z]+"',
    by: 'pattern: "(a)\\\\1"',
    want: /params\.unit\.pattern: expected a linear-time pattern \(RE2\)/,
  },
  {
    says: 'a whole command line from a result',
    part: '[systemctl, restart, --, $params.unit]',
    by: '$steps.look.json',
    want: /:21:19: steps\[0\]\.with\.argv: expected a list that begins with the program, seen a reference/,
  },
  {
    says: 'a program that a value chooses',
    part: '[systemctl, restart, --, $params.unit]',
    by: '[$params.unit, restart]',
    want: /argv\[0\]: expected the program by name, seen a reference: a value must not choose what runs/,
  },
  {
    says: 'a program text with a value in it',
    part: '[systemctl, restart, --, $params.unit]',
    by: '[sh, -c, "systemctl restart ${params.unit}"]',
    want: /argv\[2\]: expected a program text without references, seen one: sh would run what the value says/,
  },
  {
    says: 'a value straight from the alert in a command line',
    part: '[systemctl, restart, --, $params.unit]',
    by: '[systemctl, restart, --, $alert.labels.unit]',
    want: /argv\[3\]: expected a parameter here, seen a value straight from the alert/,
  },
];

const later: readonly (readonly [part: string, by: string, key: string])[] = [
  ['mode: approve', 'mode: approve\nextends: base/linux@1', 'extends'],
  ['mode: approve', 'mode: approve\nrollback: undo', 'rollback'],
  ['mode: approve', 'mode: approve\nladder: [a]', 'ladder'],
  ['mode: approve', 'mode: approve\nlabels: { a: b }', 'labels'],
  ['    for: 1m', '    confidence: 0.8', 'confidence'],
  ['    for: 1m', '    schedule: nightly', 'schedule'],
  ['default: 7', 'default: 7, format: hostname', 'format'],
  ['resource: $params.unit', 'resource: $params.unit, each: $params.hosts', 'each'],
  ['within: 10m', 'within: 10m, count: 2', 'count'],
  ['timeout: 90s', 'foreach: $params.hosts', 'foreach'],
  ['timeout: 90s', 'batches: [1]', 'batches'],
  ['timeout: 90s', 'parallel: []', 'parallel'],
  ['timeout: 90s', 'needs: [look]', 'needs'],
  ['timeout: 90s', 'playbook: other@1', 'playbook'],
  ['timeout: 90s', 'ladder: []', 'ladder'],
  ['timeout: 90s', 'run: echo hello', 'run'],
  ['times: 2,', 'times: 2, jitter: 1s,', 'jitter'],
  ['escalate: { say:', 'escalate: { page: oncall, say:', 'page'],
];

describe('a playbook that is wrong says where and what to write', () => {
  for (const { says, part, by, want } of wrongs) {
    it(says, () => {
      const lines = linesOf(load(exchanged(good, part, by)));
      assert(
        lines.some((line) => want.test(line)),
        `expected a line like ${String(want)}, seen:\n${lines.join('\n') || '(it loaded)'}`,
      );
      for (const line of lines) assert.match(line, /^demo\.yaml:\d+:\d+: /);
    });
  }

  for (const [part, by, key] of later) {
    it(`a key of the full format is refused by name: ${key} (${by.split('\n').at(-1)?.trim()})`, () => {
      const lines = linesOf(load(exchanged(good, part, by)));
      assert(
        lines.some((line) => line.includes(`"${key}" is not supported yet`)),
        lines.join('\n') || '(it loaded)',
      );
    });
  }

  it('everything that is wrong in a file is told in one reading, in order of lines', () => {
    const text = exchanged(
      exchanged(exchanged(good, 'alert.name == "Down"', 'alert.nam == "Down"'), 'timeout: 90s', 'timout: 90s'),
      'uses: http/probe',
      'uses: http/prob',
    );
    const lines = linesOf(load(text));
    assert.deepEqual(
      lines.map((line) => Number(line.split(':')[1])),
      [8, 22, 31],
      lines.join('\n'),
    );
  });

  it('two playbooks of one name are refused, and both files are named', () => {
    const lines = linesOf(
      loadPlaybooks(
        [
          { file: 'b.yaml', text: good },
          { file: 'a.yaml', text: good },
        ],
        playbookDeps,
      ),
    );
    assert.deepEqual(lines, ['b.yaml:2:7: name: expected every name once, seen "demo", which a.yaml has too']);
  });

  it('whatever one character is taken out, it loads or complains with a place, and never throws', () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.constantFrom('', ':', '"', '{', '- ', '$', '*x', '&x ', '!!str '), (at, by) => {
        for (const line of linesOf(load(good.slice(0, at) + by + good.slice(at + 1)))) assert.match(line, /^demo\.yaml:\d+:\d+: \S/);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the shipped playbooks', () => {
  const dir = new URL('../../playbooks', import.meta.url).pathname;
  const files = readdirSync(dir).filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'));
  const loaded = loadPlaybooks(
    files.map((name) => ({ file: name, text: readFileSync(join(dir, name), 'utf8') })),
    playbookDeps,
  );

  it('load, and each is named like its file', () => {
    assert.deepEqual(linesOf(loaded), []);
    assert(loaded.ok);
    assert(loaded.value.length >= 7);
    for (const { playbook, file } of loaded.value) assert.equal(file.file, `${playbook.name}.yaml`);
  });

  it('only those of the demo act without being asked', () => {
    assert(loaded.ok);
    const auto = loaded.value.filter(({ playbook }) => playbook.mode === 'auto').map(({ playbook }) => playbook.name);
    assert.deepEqual(auto.sort(), ['demo-restart-payments', 'restart-service']);
  });
});

describe('the names that expressions may use', () => {
  it('are those that core gives', () => {
    // Both functions only read members; what is not read here may be missing.
    const alert = { entity: {}, labels: {} } as unknown as Parameters<typeof alertEnvironment>[0];
    const desk = { tables: { alerts: { rows: new Map() } } } as unknown as Parameters<typeof incidentEnvironment>[0];
    const incident = { score: {} } as unknown as Parameters<typeof incidentEnvironment>[1];
    assert.deepEqual(Object.keys(alertEnvironment(alert)).sort(), [...alertNames].sort());
    assert.deepEqual(Object.keys(incidentEnvironment(desk, incident)).sort(), [...incidentNames].sort());
  });
});

describe('the schema that editors are served', () => {
  it('is plain JSON that survives being written and read', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(PlaybookSchema)), PlaybookSchema);
  });
});
