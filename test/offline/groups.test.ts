// `quench check` knows of how many members a share is one: counted in quench.yaml, listed there, or listed in a file.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { problemLine } from '../../src/config/yaml/problems.ts';
import type { Playbook } from '../../src/core/playbook/document.ts';
import { minute } from '../../src/core/time.ts';
import { init } from '../../src/offline/init.ts';
import { checkConfig, usedConfig } from '../../src/offline/load.ts';

interface House {
  readonly dir: string;
  readonly problems: () => readonly string[];
  readonly playbook: () => Playbook;
}

function house(t: TestContext, { guards, groups, group = 'web' }: { guards: string; groups: string; group?: string }): House {
  const dir = mkdtempSync(join(tmpdir(), 'quench-groups-'));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'playbooks'));
  writeFileSync(
    join(dir, 'playbooks/one.yaml'),
    `apiVersion: playbook/v1
name: one
version: 1.0.0
summary: s
owner: o
mode: auto
on: [{ alert: alert.name == "Down" }]
target: { resource: thing, group: ${group} }
guards: { ${guards} }
steps: [{ id: act, uses: shell/run, with: { argv: [systemctl, restart, x.service] }, timeout: 30s }]
verify: { within: 30s, all: [resolved] }
escalate: { say: It did not help. }
`,
  );
  assert.ok(init({ dir, data: null, env: {} }).ok);
  writeFileSync(join(dir, 'quench.yaml'), `${readFileSync(join(dir, 'quench.yaml'), 'utf8')}\n${groups}\n`);
  return {
    dir,
    problems() {
      const checked = checkConfig(dir, {}, () => {});
      return checked.ok ? [] : checked.error.map((one) => problemLine(one).replace(`${dir}/`, ''));
    },
    playbook() {
      const used = usedConfig(dir, {});
      assert.ok(used.ok);
      return used.value.policy.playbooks[0] ?? assert.fail('it loads');
    },
  };
}

const shares = 'blastRadius: 25%, keepHealthy: 60%';

test('C18: shares of a group that is counted, listed or listed in a file come to numbers, rounded so that less is done', (t) => {
  const counted = house(t, { guards: shares, groups: 'groups: { web: { count: 11 } }' });
  assert.deepEqual(counted.problems(), []);
  const { guards, unlisted } = counted.playbook();
  assert.deepEqual(
    [guards.blastRadius, guards.floor, unlisted],
    [{ max: 2, perMs: 10 * minute }, { name: 'web', members: 11, healthy: 7 }, undefined],
  );

  const listed = house(t, { guards: 'blastRadius: 50% per 1h, keepHealthy: 1', groups: 'groups: { web: { members: [a, b, B, c, d] } }' });
  assert.deepEqual(listed.problems(), []);
  assert.deepEqual(listed.playbook().guards.blastRadius, { max: 2, perMs: 60 * minute });
  assert.deepEqual(listed.playbook().guards.floor, { name: 'web', members: 4, healthy: 1 });

  const filed = house(t, { guards: shares, groups: 'groups: { web: { file: web.hosts } }' });
  writeFileSync(join(filed.dir, 'web.hosts'), '# imported\nweb1\nweb2 # spare\n\nWEB2\nweb3\nweb4\r\n');
  assert.deepEqual(filed.problems(), []);
  assert.deepEqual(filed.playbook().guards.floor, { name: 'web', members: 4, healthy: 3 });
});

test('C18: without a count a share is refused by check with what to write, and before it begins with why', (t) => {
  const unknown = house(t, { guards: shares, groups: 'groups: { wep: { count: 4 } }' });
  const [line, ...more] = unknown.problems();
  assert.deepEqual(more, []);
  assert.match(line ?? '', /^playbooks\/one\.yaml:8:\d+: target\.group: .*group.*"web".*write groups: \{ web: \{ count: 40 \} \}/);
  assert.equal(unknown.playbook().unlisted, 'nothing says how many members web has');

  const gone = house(t, { guards: shares, groups: 'groups: { web: { file: nowhere.hosts } }' });
  assert.ok(gone.problems().some((one) => /groups\.web\.file: expected a file that can be read at .*nowhere\.hosts, seen none/.test(one)));
});

test('C18: a share that is nobody, a floor that lets nobody be acted on, and a group said twice are told', (t) => {
  const few = house(t, { guards: 'blastRadius: 25%', groups: 'groups: { web: { count: 3 } }' });
  assert.match(
    few.problems()[0] ?? '',
    /guards\.blastRadius: expected a share of at least one of the 3 members of web, seen 25%: write 34% or more/,
  );
  assert.equal(few.playbook().unlisted, '25% of web is nobody');
  const all = house(t, { guards: 'keepHealthy: 3', groups: 'groups: { web: { count: 3 } }' });
  assert.match(all.problems()[0] ?? '', /guards\.keepHealthy: expected fewer than the 3 members of web, seen 3 that are to stay healthy/);
  const twice = house(t, { guards: shares, groups: 'groups: { web: { count: 3, file: a } }' });
  assert.ok(twice.problems().some((one) => /groups\.web: expected one of count, members and file, seen count and file/.test(one)));
});

test('C18: what a group says holds for every playbook that acts on it: a radius for those that say none, a floor for all', (t) => {
  const groups = 'groups: { web: { count: 20, blastRadius: 10% per 1h, keepHealthy: 80% } }';
  const silent = house(t, { guards: 'cooldown: 5m', groups });
  assert.deepEqual(silent.problems(), []);
  assert.deepEqual(silent.playbook().guards.blastRadius, { max: 2, perMs: 60 * minute });
  assert.deepEqual(silent.playbook().guards.floor, { name: 'web', members: 20, healthy: 16 });

  const bold = house(t, { guards: 'blastRadius: none, keepHealthy: 5', groups });
  assert.deepEqual([bold.playbook().guards.blastRadius, bold.playbook().guards.floor?.healthy], [null, 16]);
  const careful = house(t, { guards: 'blastRadius: 1 per 1h, keepHealthy: 18', groups });
  assert.deepEqual([careful.playbook().guards.blastRadius?.max, careful.playbook().guards.floor?.healthy], [1, 18]);
  const never = house(t, { guards: 'cooldown: 5m', groups: 'groups: { web: { count: 20, blastRadius: 10% per 0s } }' });
  assert.match(never.problems()[0] ?? '', /groups\.web\.blastRadius: expected a rate such as "10 per 10m", seen "10% per 0s"/);
  const wrong = house(t, { guards: 'cooldown: 5m', groups: 'groups: { web: { count: 20, blastRadius: 10 } }' });
  assert.ok(
    wrong.problems().some((one) => /groups\.web\.blastRadius: expected how many targets within a window/.test(one)),
    wrong.problems().join('\n'),
  );
});
