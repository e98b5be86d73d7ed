// `quench check`, `playbook check` and `playbook test`: no gateway, nothing touched.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { houseFiles, quench, scratch, write } from './support.ts';

const shipped = fileURLToPath(new URL('../../playbooks', import.meta.url));
const house = houseFiles();
const cases = (text: string): string => `playbook: ask\ncases:\n${text}`;
const good = `  - name: a stuck one is freed after a yes
    given:
      alerts:
        - { name: Stuck, severity: critical, entity: { host: web1 } }
        - { at: 5m, claim: cleared, name: Stuck, severity: critical, entity: { host: web1 } }
      approval: { at: 1m, approved: true }
    actions: { act: { outcome: ok, takes: 2s }, proof1: { outcome: ok, output: { exitCode: 0 } } }
    then:
      ended: succeeded
      paged: true
      calls:
        - { step: act, uses: shell/run, with: { argv: ["true"] } }
        - { step: proof1, uses: shell/check, with: { argv: ["true"] } }
`;

let place: ReturnType<typeof scratch>;
before(() => {
  place = scratch();
});
after(() => place.remove());

function dirWith(name: string, files: { readonly [name: string]: string }): string {
  write(place.dir, Object.fromEntries(Object.entries(files).map(([file, text]) => [`${name}/${file}`, text])));
  return join(place.dir, name);
}

describe('playbook test', () => {
  it('every case of every shipped playbook holds, and says how long it took', async () => {
    const said = await quench(['playbook', 'test', shipped, '-o', 'json']);
    assert.equal(said.exit, 0, said.out);
    const { ok, cases: all } = JSON.parse(said.out) as {
      ok: boolean;
      cases: { playbook: string; tookMs: number; differences: string[] }[];
    };
    assert.ok(ok && all.length >= 20);
    for (const { tookMs } of all) assert.ok(tookMs > 0);
  });

  it('a case that holds is a line, and the end a count on stderr', async () => {
    const dir = dirWith('good', { 'ask.yaml': house['playbooks/ask.yaml'] ?? '', 'ask.test.yaml': cases(good) });
    const said = await quench(['playbook', 'test', dir]);
    assert.match(said.out, /^ok {6}ask: a stuck one is freed after a yes \(\d+\.\d ms\)\n$/);
    assert.match(said.err, /^1 cases, 0 failed, in \d+ ms\n$/);
    assert.equal(said.exit, 0);
  });

  const broken: readonly { readonly says: string; readonly from: string; readonly to: string; readonly tells: RegExp }[] = [
    { says: 'another end', from: 'ended: succeeded', to: 'ended: failed', tells: /expected to end failed, seen succeeded \(verified\)/ },
    { says: 'a page that did not come', from: 'paged: true', to: 'paged: false', tells: /expected no page, seen a page/ },
    {
      says: 'another input',
      from: 'uses: shell/run, with: { argv: ["true"] }',
      to: 'uses: shell/run, with: { argv: ["false"] }',
      tells: /call 1: expected act: shell\/run \{"argv":\["false"\]\}, seen act: shell\/run \{"argv":\["true"\]\}/,
    },
    {
      says: 'a call too few',
      from: '        - { step: proof1, uses: shell/check, with: { argv: ["true"] } }\n',
      to: '',
      tells: /call 2: expected none, seen proof1: shell\/check/,
    },
    {
      says: 'an action that fails',
      from: 'outcome: ok, takes: 2s',
      to: 'outcome: failed, takes: 2s',
      tells: /seen failed \(.*step act: scripted\)/,
    },
    { says: 'an action that takes longer than it may', from: 'takes: 2s', to: 'takes: 1h', tells: /seen (working|unknown)/ },
    { says: 'a no', from: 'approved: true', to: 'approved: false', tells: /expected to end succeeded, seen denied/ },
    {
      says: 'an answer that came too late',
      from: 'approval: { at: 1m',
      to: 'approval: { at: 59m',
      tells: /seen noop \(every alert cleared/,
    },
    { says: 'shadow mode', from: '    given:\n', to: '    given:\n      mode: shadow\n', tells: /seen shadowed/ },
    {
      says: 'a host that fits no pattern',
      from: 'host: web1',
      to: 'host: "web1; reboot"',
      tells: /seen refused \(params: parameter host: does not match/,
    },
    {
      says: 'an alert that it is not for',
      from: 'name: Stuck, severity: critical, entity',
      to: 'name: Other, severity: critical, entity',
      tells: /seen none \(no playbook was chosen\)/,
    },
  ];
  for (const { says, from, to, tells } of broken) {
    it(`a case that expects otherwise fails, and tells both: ${says}`, async () => {
      assert.ok(good.includes(from));
      const dir = dirWith(`broken-${says}`, {
        'ask.yaml': house['playbooks/ask.yaml'] ?? '',
        'ask.test.yaml': cases(good.replaceAll(from, to)),
      });
      const said = await quench(['playbook', 'test', dir]);
      assert.equal(said.exit, 1, said.out);
      assert.match(said.out, /^FAILED {2}ask: a stuck one/);
      assert.match(said.out, tells);
    });
  }

  it('for pipes it names the cases that failed, and only those', async () => {
    const two = cases(good + good.replace('a stuck one is freed', 'it is not freed').replace('ended: succeeded', 'ended: failed'));
    const dir = dirWith('piped', { 'ask.yaml': house['playbooks/ask.yaml'] ?? '', 'ask.test.yaml': two });
    const said = await quench(['playbook', 'test', dir, '-q']);
    assert.deepEqual([said.exit, said.out], [1, 'ask: it is not freed after a yes\n']);
  });

  it('no case at all is a failure: a test that tests nothing must not be green', async () => {
    const dir = dirWith('none', { 'ask.yaml': house['playbooks/ask.yaml'] ?? '' });
    const said = await quench(['playbook', 'test', dir]);
    assert.equal(said.exit, 1);
    assert.match(said.err, /no case in /);
  });

  it('a directory that is not there is 3', async () => {
    const said = await quench(['playbook', 'test', join(place.dir, 'nowhere')]);
    assert.equal(said.exit, 3);
  });
});

describe('check', () => {
  it('a whole configuration is fine, counts what it has, and makes no token', async () => {
    const dir = dirWith('whole', { 'quench.yaml': house['quench.yaml'] ?? '', 'playbooks/ask.yaml': house['playbooks/ask.yaml'] ?? '' });
    const said = await quench(['check', '--config', join(dir, 'quench.yaml')]);
    assert.deepEqual([said.exit, said.out], [0, ''], said.err);
    assert.match(said.err, /fine, 1 endpoints, 1 notifiers, 1 ladders, 1 playbooks/);
    assert.ok(!existsSync(join(dir, 'data')));
    assert.deepEqual(JSON.parse((await quench(['check', '--config', dir, '-o', 'json'])).out), {
      ok: true,
      problems: [],
      warnings: [],
      endpoints: 1,
      notifiers: 1,
      ladders: 1,
      playbooks: 1,
    });
  });

  it('C13: a warning is told with its place, and leaves the exit code alone', async () => {
    const late = (house['playbooks/ask.yaml'] ?? '').replace(/^on:.*$/m, 'on: [{ alert: alert.name == "Ask", for: 3m }]');
    assert.match(late, /for: 3m/);
    const dir = dirWith('late', { 'quench.yaml': house['quench.yaml'] ?? '', 'playbooks/ask.yaml': late });
    const said = await quench(['check', '--config', join(dir, 'quench.yaml')]);
    assert.equal(said.exit, 0);
    assert.match(said.out, /ask\.yaml:\d+:\d+: on\[0\]\.for: warning: a person is paged before it acts/);
  });

  it('tells every problem of configuration and playbooks by file, line and column, with advice', async () => {
    const dir = dirWith('faulty', {
      'quench.yaml': (house['quench.yaml'] ?? '').replace('notify: terminal', 'notify: terminl'),
      'playbooks/ask.yaml': (house['playbooks/ask.yaml'] ?? '').replace('shell/run', 'shell/runn'),
    });
    const said = await quench(['check', '--config', dir]);
    assert.equal(said.exit, 1);
    const lines = said.out.trimEnd().split('\n');
    assert.equal(lines.length, 2, said.out);
    for (const line of lines)
      assert.match(line, /faulty\/(quench|playbooks\/ask)\.yaml:\d+:\d+: .*did you mean "(terminal|shell\/run)"\?$/);
    assert.equal(said.err, '2 problems\n');
    const { ok, problems } = JSON.parse((await quench(['check', '--config', dir, '-o', 'json'])).out) as {
      ok: boolean;
      problems: { line: number }[];
    };
    assert.deepEqual([ok, problems.length], [false, 2]);
    assert.ok(problems.every(({ line }) => line > 1));
  });

  it('a configuration that is not there is a problem, not a crash', async () => {
    const said = await quench(['check', '--config', join(place.dir, 'nowhere.yaml')]);
    assert.equal(said.exit, 1);
    assert.match(said.out, /nowhere\.yaml:1:1: expected a configuration file/);
  });

  it('playbook check looks at playbooks and their cases, of the configuration or a directory', async () => {
    const dir = dirWith('cases', {
      'quench.yaml': house['quench.yaml'] ?? '',
      'playbooks/ask.yaml': house['playbooks/ask.yaml'] ?? '',
      'playbooks/ask.test.yaml': cases(good),
    });
    const fine = await quench(['playbook', 'check', '--config', dir]);
    assert.match(fine.err, /fine, 1 playbooks, 1 cases/);
    write(dir, { 'playbooks/ask.test.yaml': cases(good.replaceAll('step: act', 'step: atc')) });
    const said = await quench(['playbook', 'check', join(dir, 'playbooks')]);
    assert.equal(said.exit, 1);
    assert.match(said.out, /ask\.test\.yaml:\d+:\d+: .*no step "atc"; did you mean "act"\?/);
  });
});
