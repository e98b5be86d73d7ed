// packaging/quench.service, by systemd's own judgement where the machine has it, and held against what it starts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commands } from '../../src/cli/commands.ts';
import { readOptions } from '../../src/cli/options.ts';

const text = readFileSync(fileURLToPath(new URL('../../packaging/quench.service', import.meta.url)), 'utf8');
/** By systemd's scale of 0 (nothing is open to it) to 10. */
const exposureMax = 2;

const valuesOf = (name: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

describe('packaging/quench.service', () => {
  let dir = '';
  let file = '';
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'quench-unit-'));
    file = join(dir, 'quench.service');
    // verify wants the program to be there.
    writeFileSync(file, text.replaceAll('/usr/local/bin/quench', '/bin/true'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('runs commands that exist, with options that they take', () => {
    const lines = [...valuesOf('ExecStart'), ...valuesOf('ExecReload')].filter((line) => line.includes('/quench '));
    assert.equal(lines.length, 2);
    for (const line of lines) {
      const given = readOptions(line.split(' ').slice(1));
      const command = commands.find(({ words }) => words === given.words[0]);
      assert.ok(command !== undefined, line);
      assert.deepEqual(
        given.names.filter((name) => !command.options.includes(name)),
        [],
        line,
      );
    }
  });

  it('comes back always, checks before it reloads, and lets the gateway end its own children', () => {
    assert.deepEqual(valuesOf('Restart'), ['always']);
    assert.deepEqual(valuesOf('StartLimitIntervalSec'), ['0']);
    assert.deepEqual(
      valuesOf('ExecReload').map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['/usr/local/bin/quench check', '/bin/kill -HUP'],
    );
    assert.deepEqual(valuesOf('KillMode'), ['mixed']);
  });

  it('writes where `quench init --data` of its first lines puts the data, and nowhere else', () => {
    const data = /quench init \/etc\/quench --data (\S+)/.exec(text)?.[1];
    assert.equal(data, `/var/lib/${valuesOf('StateDirectory')[0]}`);
    assert.deepEqual(valuesOf('ProtectSystem'), ['strict']);
    assert.deepEqual(valuesOf('ReadWritePaths'), []);
    assert.deepEqual([...valuesOf('NoNewPrivileges'), ...valuesOf('CapabilityBoundingSet')], ['yes', '']);
  });

  it(
    'is valid for systemd, which finds little exposed',
    { skip: hasSystemd ? false : 'no systemd-analyze (apt-get install systemd)' },
    () => {
      const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
      assert.deepEqual([verified.status, verified.stderr.trim()], [0, '']);
      const judged = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], { encoding: 'utf8' });
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(judged.stdout)?.[1]);
      assert.ok(exposure <= exposureMax, `exposure ${exposure}, at most ${exposureMax}: ${judged.stderr}`);
    },
  );
});
