// shell/run and shell/check against real programs.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { guarded } from '../../../adapters/kit/action-guard.ts';
import { createShellActions } from '../../../adapters/shell/action.ts';
import type { ShellConfig } from '../../../adapters/shell/config.ts';
import type { Json } from '../../../src/core/json.ts';
import type { ActionOutcome } from '../../../src/core/run/outcome.ts';
import type { Action } from '../../../src/ports/action.ts';
import { actionContract, type ActionSubject } from '../../contracts/action.ts';
import { hostileTexts, unsendable } from '../../support/hostile.ts';
import { end, lives, pidsIn, until } from '../../support/living.ts';

const idle = new AbortController().signal;
type Input = { readonly [name: string]: Json };

/** Compiling the schemas anew for each call would take longer than the calls. */
const made = new Map<string, readonly Action[]>();

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'quench-shell-test-'));
}

function script(home: string, name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function act(name: string, input: Input, config: ShellConfig, timeoutMs = 5_000): Promise<ActionOutcome> {
  const key = JSON.stringify(config);
  const actions = made.get(key) ?? guarded(createShellActions(config));
  made.set(key, actions);
  const action = actions.find((one) => one.name === name);
  assert.ok(action);
  return action.act({ input, key: 'run1/restart/1', timeoutMs }, idle);
}

function outputOf(outcome: ActionOutcome): { readonly [name: string]: Json } {
  assert.ok(outcome.outcome !== 'unknown', JSON.stringify(outcome));
  return outcome.output;
}

function errorOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'failed' ? outcome.error : outcome.outcome;
}

for (const [index, name] of ['shell/run', 'shell/check'].entries()) {
  actionContract(name, async (): Promise<ActionSubject> => {
    const home = folder();
    const count = join(home, 'count');
    const touch = script(home, 'touch', `echo once >> ${count}`);
    const endless = script(home, 'endless', 'sleep 60');
    const action = createShellActions({ allow: [home], killGraceMs: 100 })[index];
    assert.ok(action);
    return {
      action,
      good: { argv: [touch] },
      refused: { argv: [script(home, 'no', 'exit 3')] },
      endless: { argv: [endless] },
      wrong: [
        { argv: [] },
        { argv: touch },
        { argv: [touch, 7] },
        { argv: Array.from({ length: 65 }, () => touch) },
        { argv: [touch], env: { lower: 'x' } },
        { argv: [touch], env: { BAD_ARRAY: ['x'] } },
        { argv: [touch], env: { LD_PRELOAD: '/x.so' } },
        { argv: [touch], env: { PATH: '/x' } },
        { argv: [touch], env: { NODE_OPTIONS: '-r x' } },
        { argv: [touch], env: { BASH_ENV: '/x' } },
        { argv: [touch], env: { IFS: 'x' } },
        { argv: [touch], env: { QUENCH_KEY: 'x' } },
        { argv: [touch], okExitCodes: [256] },
        { argv: [touch], stdin: 'x'.repeat(1_048_577) },
      ],
      timeoutMs: 5_000,
      effects: () => (existsSync(count) ? readFileSync(count, 'utf8').split('\n').length - 1 : 0),
      stop: async () => rmSync(home, { recursive: true }),
    };
  });
}

describe('data is never code', () => {
  let home: string;
  let recorder: string;
  before(() => {
    home = folder();
    // What the kernel handed over, not what a shell made of it.
    recorder = script(home, 'recorder', 'cat /proc/$$/cmdline /proc/$$/environ - > "$OUT"');
  });
  after(() => rmSync(home, { recursive: true }));

  test('S1: every hostile text arrives byte for byte by all three ways, and none of it is obeyed', async () => {
    const canary = join(home, 'canary');
    const corpus = hostileTexts(canary);
    assert.ok(corpus.length >= 200, `${corpus.length} texts`);
    const one = async (text: string, index: number): Promise<void> => {
      const out = join(home, `out-${index}`);
      const shown = JSON.stringify(text.slice(0, 80));
      const input = { argv: [recorder, text, `x${text}`], env: { OUT: out, TEXT: text }, stdin: text };

      const outcome = await act('shell/run', input, { allow: [home] });

      assert.equal(outcome.outcome, 'ok', `${shown}: ${JSON.stringify(outcome)}`);
      const recorded = readFileSync(out);
      const bytes = Buffer.from(`${['/bin/sh', recorder, text, `x${text}`].join('\0')}\0`);
      assert.ok(recorded.subarray(0, bytes.length).equals(bytes), `argv: ${shown}`);
      assert.ok(recorded.subarray(bytes.length - 1).includes(Buffer.from(`\0TEXT=${text}\0`)), `env: ${shown}`);
      assert.ok(recorded.subarray(recorded.length - Buffer.byteLength(text)).equals(Buffer.from(text)), `stdin: ${shown}`);
    };

    for (let index = 0; index < corpus.length; index += 8)
      await Promise.all(corpus.slice(index, index + 8).map((text, at) => one(text, index + at)));

    assert.equal(existsSync(canary), false);
  });

  test('S1: text that cannot arrive unchanged is refused by all three ways, and nothing starts', async () => {
    const out = join(home, 'out-never');
    for (const text of unsendable) {
      for (const input of [{ argv: [recorder, text] }, { argv: [recorder], env: { TEXT: text } }, { argv: [recorder], stdin: text }]) {
        const outcome = await act('shell/run', { ...input, env: { OUT: out, ...('env' in input ? input.env : {}) } }, { allow: [home] });
        assert.equal(errorOf(outcome), 'invalid_input', JSON.stringify(input));
      }
    }
    assert.equal(existsSync(out), false);
  });

  test('S3: a program sees our variables and no others', async () => {
    process.env['QUENCH_TEST_SECRET'] = 'hunter2';

    const outcome = await act(
      'shell/run',
      { argv: ['env', '-0'], env: { COUNT: 3, DRY: true } },
      { allow: ['/usr/bin/env'], path: ['/usr/bin', '/bin'], env: { KUBECONFIG: '/etc/kube' } },
    );

    delete process.env['QUENCH_TEST_SECRET'];
    const seen = String(outputOf(outcome)['stdout']).split('\0').filter(Boolean).sort();
    const expected = [
      'COUNT=3',
      'DRY=true',
      'HOME=/nonexistent',
      'KUBECONFIG=/etc/kube',
      'LANG=C.UTF-8',
      'PATH=/usr/bin:/bin',
      'QUENCH_KEY=run1/restart/1',
    ];
    assert.deepEqual(seen, expected);
  });
});

describe('only the operator says what may run', () => {
  let home: string;
  before(() => {
    home = folder();
    script(home, 'fine', 'pwd');
    script(home, 'other', 'true');
    symlinkSync('/', join(home, 'root'));
  });
  after(() => rmSync(home, { recursive: true }));

  test('S2: an empty list runs nothing and says so', async () => {
    const outcome = await act('shell/run', { argv: ['/bin/true'] }, {});

    assert.equal(errorOf(outcome), 'refused');
    assert.match(outcome.outcome === 'failed' ? outcome.detail : '', /no program may run.*shell\.allow.*empty/);
  });

  test('S2: a program beside the list, below a detour, or found elsewhere does not run', async () => {
    const config = { allow: [join(home, 'fine')], path: ['/usr/bin', home] };
    const names = [
      join(home, 'other'),
      join(home, 'fine', '..', 'other'),
      `${home}/./fine`,
      `${home}//fine`,
      `${home}/../${home}/fine`,
      'other',
      'env',
      '',
      '.',
      '..',
      '-c',
      './fine',
      '../fine',
      'fine;id',
      `${join(home, 'fine')}2`,
    ];
    for (const name of names) assert.equal(errorOf(await act('shell/run', { argv: [name] }, config)), 'refused', name);
    assert.equal((await act('shell/run', { argv: ['fine'] }, config)).outcome, 'ok');
    assert.equal((await act('shell/run', { argv: [join(home, 'fine')] }, config)).outcome, 'ok');
  });

  test('F14, S2: a link inside a listed directory that leads out of it does not run', async () => {
    const inside = join(home, 'inside');
    mkdirSync(inside);
    script(inside, 'real', 'pwd');
    symlinkSync(join(inside, 'real'), join(inside, 'near'));
    symlinkSync(join(home, 'other'), join(inside, 'far'));
    symlinkSync(inside, join(home, 'other-name'));
    const run = (name: string, allow = [inside]): Promise<ActionOutcome> => act('shell/run', { argv: [name] }, { allow });
    assert.equal((await run(join(inside, 'near'))).outcome, 'ok');
    assert.equal(errorOf(await run(join(inside, 'far'))), 'refused');
    assert.equal((await run(join(home, 'other-name', 'real'), [join(home, 'other-name')])).outcome, 'ok', 'the list may say it by a link');
  });

  test('F14, S3: a playbook sets variables that are words for data, ARG_…, or listed, and none else', async () => {
    const run = (name: string, variables: readonly string[] = []): Promise<ActionOutcome> =>
      act('shell/run', { argv: [join(home, 'fine')], env: { [name]: 'x' } }, { allow: [home], variables });
    for (const name of ['HOST', 'TARGET_HOST', 'TEXT2', 'ARG_DOCKER_HOST', 'ARG_X']) assert.equal((await run(name)).outcome, 'ok', name);
    const steering = [
      'DOCKER_HOST',
      'TAR_OPTIONS',
      'RSYNC_RSH',
      'PGHOST',
      'KUBECONFIG',
      'MAKEFLAGS',
      'NODE_PATH',
      'SSH_KEY',
      'ARG_',
      'A__B',
      'PERL5LIB',
    ];
    for (const name of steering) assert.equal(errorOf(await run(name)), 'invalid_input', name);
    assert.equal((await run('DOCKER_HOST', ['DOCKER_HOST'])).outcome, 'ok');
    assert.equal(errorOf(await run('QUENCH_KEY', ['QUENCH_KEY'])), 'invalid_input');
  });

  test('S2: a listed directory admits what is in it and nothing that only begins like it', async () => {
    assert.equal((await act('shell/run', { argv: [join(home, 'fine')] }, { allow: [`${home}/`] })).outcome, 'ok');
    assert.equal(errorOf(await act('shell/run', { argv: [join(home, 'fine')] }, { allow: [home.slice(0, -1)] })), 'refused');
  });

  test('a command runs in a scratch directory of its own that goes away, or below a listed directory', async () => {
    const config = { allow: [home], workDirs: [home] };
    const scratch = String(outputOf(await act('shell/run', { argv: [join(home, 'fine')] }, config))['stdout']).trim();
    const chosen = await act('shell/run', { argv: [join(home, 'fine')], cwd: home }, config);

    assert.match(scratch, /quench-[^/]+$/);
    assert.equal(existsSync(scratch), false);
    assert.equal(outputOf(chosen)['stdout'], `${home}\n`);
    for (const cwd of ['/', '/etc', `${home}/..`, 'relative']) {
      assert.equal(errorOf(await act('shell/run', { argv: [join(home, 'fine')], cwd }, config)), 'refused', cwd);
    }
  });

  test('a program that cannot be started has failed, not vanished', async () => {
    writeFileSync(join(home, 'notprogram'), 'x');
    for (const name of ['missing', 'notprogram']) {
      assert.equal(errorOf(await act('shell/run', { argv: [join(home, name)] }, { allow: [home] })), 'spawn', name);
    }
    const tooLong = Array.from({ length: 60 }, () => 'x'.repeat(131_000));
    assert.equal(errorOf(await act('shell/run', { argv: [join(home, 'fine'), ...tooLong] }, { allow: [home] })), 'spawn');
  });
});

describe('what a command says', () => {
  let home: string;
  const said = async (text: string, input: Input = {}): Promise<ActionOutcome> =>
    act('shell/check', { argv: [script(home, 'say', text)], ...input }, { allow: [home] });
  before(() => {
    home = folder();
  });
  after(() => rmSync(home, { recursive: true }));

  test('exit codes: 0 is ok unless the step names others', async () => {
    const outcome = await said('echo out; echo err >&2; exit 3');
    assert.equal(errorOf(outcome), 'exit');
    assert.deepEqual(outputOf(outcome), { exitCode: 3, stdout: 'out\n', stderr: 'err\n', truncated: false });
    assert.equal((await said('exit 3', { okExitCodes: [0, 3] })).outcome, 'ok');
    assert.equal(errorOf(await said('exit 0', { okExitCodes: [3] })), 'exit');
    assert.equal(errorOf(await said('kill -SEGV $$')), 'exit');
  });

  test('a JSON object is also given as `json`; anything else is text only', async () => {
    const json = async (text: string): Promise<Json | undefined> => outputOf(await said(`cat <<'EOT'\n${text}\nEOT`))['json'];
    assert.deepEqual(await json('{"free": 12, "mounts": ["/"]}'), { free: 12, mounts: ['/'] });
    assert.deepEqual(await json('{"a": 1, "__proto__": {"admin": true}}'), { a: 1 });
    for (const text of [
      '[1]',
      '7',
      '{"a":',
      '{"a":1} x',
      `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`,
      `${'{"a":'.repeat(12_000)}1${'}'.repeat(12_000)}`,
    ]) {
      assert.equal(await json(text), undefined, text.slice(0, 40));
    }
  });

  test('output beyond 64 KiB is dropped and said to be; bytes that are no text do no harm', async () => {
    const outcome = await said('head -c 3000000 /dev/zero; head -c 100 /dev/urandom >&2');
    const output = outputOf(outcome);
    assert.equal(outcome.outcome, 'ok');
    assert.equal(String(output['stdout']).length, 65_536);
    assert.equal(output['truncated'], true);
    assert.ok(String(output['stderr']).isWellFormed());
  });

  test('G3: a flood of 200 MB is stopped early', async () => {
    const startedAt = performance.now();
    const check = await said('trap "" TERM PIPE; head -c 200000000 /dev/zero');
    const run = await act('shell/run', { argv: [join(home, 'say')] }, { allow: [home] });
    assert.equal(errorOf(check), 'flooded');
    assert.equal(run.outcome, 'unknown');
    assert.ok(performance.now() - startedAt < 4_000);
  });

  test('a program that ignores a large input ends as usual', async () => {
    const outcome = await said('exit 0', { stdin: 'x'.repeat(1_000_000) });
    assert.equal(outcome.outcome, 'ok');
  });
});

describe('nothing is left running', () => {
  let home: string;
  before(() => {
    home = folder();
  });
  after(() => {
    for (const pid of pidsIn(join(home, 'pids'))) end(pid);
    rmSync(home, { recursive: true });
  });

  test('G2: a timeout ends the whole group, grandchildren that ignore TERM included', async () => {
    const pids = join(home, 'pids');
    const child = script(home, 'child', `trap '' TERM; echo $$ >> ${pids}; sleep 60 & echo $! >> ${pids}; wait`);
    const parent = script(home, 'parent', `trap '' TERM; echo $$ >> ${pids}; ${child} & ${child} & wait`);
    const startedAt = performance.now();

    const outcome = await act('shell/run', { argv: [parent] }, { allow: [home] }, 2_000);

    assert.equal(outcome.outcome, 'unknown');
    assert.ok(performance.now() - startedAt < 10_000);
    assert.equal(pidsIn(pids).length, 5);
    await until('every process is gone', () => pidsIn(pids).every((pid) => !lives(pid)), 5_000);
  });

  test('G2: members that outlive a leader which obeyed TERM are ended too', async () => {
    const pids = join(home, 'pids-leader');
    const parent = script(home, 'obeys', `(trap '' TERM; echo start; exec sleep 60) & echo $! > ${pids}; exec sleep 60`);

    const outcome = await act('shell/check', { argv: [parent] }, { allow: [home], killGraceMs: 100 }, 2_000);

    assert.equal(errorOf(outcome), 'timeout');
    assert.equal(pidsIn(pids).length, 1);
    await until('the rest is gone', () => pidsIn(pids).every((pid) => !lives(pid)), 5_000);
  });

  test('G1: a grandchild that holds the pipe does not hold up the answer; only a check ends it', async () => {
    for (const [name, stays] of [
      ['shell/run', true],
      ['shell/check', false],
    ] as const) {
      const pids = join(home, `pids-${stays}`);
      const parent = script(home, 'daemon', `sleep 60 & echo $! > ${pids}; echo ready`);
      const startedAt = performance.now();

      const outcome = await act(name, { argv: [parent] }, { allow: [home] });

      assert.equal(outputOf(outcome)['stdout'], 'ready\n');
      assert.ok(performance.now() - startedAt < 1_000);
      const [pid] = pidsIn(pids);
      assert.ok(pid !== undefined);
      if (stays) assert.ok(lives(pid));
      else await until('the rest is gone', () => !lives(pid), 5_000);
      end(pid);
    }
  });

  test('C14: a child that left the group by setsid is ended with a check and with what was stopped, and left by a run that ended', async () => {
    for (const [name, seconds, stays] of [
      ['shell/check', 0, false],
      ['shell/check', 20, false],
      ['shell/run', 20, false],
      ['shell/run', 0, true],
    ] as const) {
      const pids = join(home, `pids-setsid-${name.slice(6)}-${seconds}`);
      const text = `setsid sh -c 'echo $$ > ${pids}; exec sleep 60' >/dev/null 2>&1 & until [ -s ${pids} ]; do sleep 0.05; done; sleep ${seconds}`;
      await act(name, { argv: [script(home, 'leaves', text)] }, { allow: [home] }, 1_500);
      const [pid] = pidsIn(pids);
      assert.ok(pid !== undefined, name);
      if (stays) assert.ok(lives(pid));
      else await until(`what left ${name} is gone`, () => !lives(pid), 5_000);
      end(pid);
    }
  });
});
