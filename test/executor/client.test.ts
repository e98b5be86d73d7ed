// The executor process: what becomes of calls when it, or the gateway, dies, hangs, or is asked too much. Real processes throughout.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GatewayError } from '../../src/core/errors.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import { forkExecutor, type ForkedExecutor } from '../../src/executor/client.ts';
import { localExecutor } from '../../src/executor/local.ts';
import type { Action, ActionRequest } from '../../src/ports/action.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { callOf } from '../support/calls.ts';
import { end, lives, pidsIn, until } from '../support/living.ts';
import { wallClock } from '../support/wallclock.ts';

const program = fileURLToPath(new URL('../../src/gateway/executor-main.ts', import.meta.url));
const parentProgram = fileURLToPath(new URL('../support/executor-parent.ts', import.meta.url));
/** Ten times as fast as the machine's, for the deadlines on our side; what has ten seconds or more, as a child's start, keeps them. */
const fastClock: Clock = {
  now: wallClock.now,
  steady: () => wallClock.steady(),
  after: (span, call) => wallClock.after(span < 10_000 ? span / 10 : span, call),
};

let home: string;
const forked: ForkedExecutor[] = [];
let lastKey = 0;
let env: { readonly [name: string]: string };

function script(name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A command with a grandchild, none of which ends by itself or on TERM; notes its pids. */
function endless(name: string): { readonly argv: readonly string[]; readonly pids: () => readonly number[] } {
  const file = join(home, `${name}.pids`);
  const text = `trap '' TERM; echo $$ >> ${file}; sleep 60 & echo $! >> ${file}; wait`;
  return { argv: [script(name, text)], pids: () => pidsIn(file) };
}

function run(...argv: readonly string[]): ActionRequest {
  return { input: { argv }, key: `run1/step/${(lastKey += 1)}`, timeoutMs: 5_000 };
}

async function start(
  more: { readonly clock?: Clock; readonly inFlightMax?: number; readonly waitingMax?: number; readonly lost?: string[] } = {},
): Promise<ForkedExecutor> {
  const { clock = wallClock, inFlightMax = 16, waitingMax = 512, lost = [] } = more;
  const executor = await forkExecutor({
    program,
    config: { shell: { allow: [home, '/bin/true', '/bin/echo'] } },
    clock,
    env,
    inFlightMax,
    waitingMax,
    onLost: (detail) => lost.push(detail),
  });
  forked.push(executor);
  return executor;
}

function errorOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'failed' ? outcome.error : outcome.outcome;
}

before(() => {
  home = mkdtempSync(join(tmpdir(), 'quench-executor-test-'));
  env = { NODE_COMPILE_CACHE: join(home, 'cache'), TMPDIR: home };
});
after(async () => {
  await Promise.all(forked.map((executor) => executor.close()));
  rmSync(home, { recursive: true, force: true });
});

describe('the executor process', () => {
  let executor: ForkedExecutor;
  before(async () => {
    executor = await start();
  });

  test('carries a call there and its outcome back, unchanged', async () => {
    const text = 'a "b" $(c)\n\u2028🔥';
    const outcome = await callOf(executor, 'shell/run', run('/bin/echo', text));
    assert.deepEqual(outcome, { outcome: 'ok', output: { exitCode: 0, stdout: `${text}\n`, stderr: '', truncated: false } });
  });

  test('checks the input before it acts, and knows which actions it has', async () => {
    assert.equal(errorOf(await callOf(executor, 'shell/run', { ...run(), input: { argv: ['/bin/true'], shell: true } })), 'invalid_input');
    assert.equal(errorOf(await callOf(executor, 'shell/boom', run('/bin/true'))), 'no_such_action');
    assert.equal(errorOf(await callOf(executor, '__proto__', run('/bin/true'))), 'no_such_action');
  });

  test("passes on nothing of the gateway's environment", () => {
    const names = readFileSync(`/proc/${executor.pid}/environ`, 'utf8')
      .split('\0')
      .filter(Boolean)
      .map((entry) => entry.split('=')[0]);
    const ours = new Set([...Object.keys(env), 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID']);
    assert.deepEqual(
      names.filter((name) => !ours.has(name ?? '')),
      [],
    );
  });

  test('many calls at once: so many run, so many wait their turn, one more is given no slot', async () => {
    const narrow = await start({ inFlightMax: 2, waitingMax: 3 });
    const file = join(home, 'slow.log');
    const slow = script('slow', `echo in >> ${file}; sleep 0.1; echo out >> ${file}`);
    const under = Array.from({ length: 5 }, () => callOf(narrow, 'shell/run', run(slow)));

    assert.equal(errorOf(await callOf(narrow, 'shell/run', run(slow))), 'no_slot');
    const outcomes = await Promise.all(under);

    assert.ok(outcomes.every(({ outcome }) => outcome === 'ok'));
    let inside = 0;
    let most = 0;
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) most = Math.max(most, (inside += line === 'in' ? 1 : -1));
    assert.deepEqual([inside, most], [0, 2]);
  });

  test('C10: steps that take all their slots hold up no look, and one playbook leaves slots to the others', async () => {
    const busy = await start({ inFlightMax: 4 });
    const slow = script('slow-step', 'sleep 1.5');
    const quick = { ...run('/bin/true'), timeoutMs: 1_000 };
    const steps = Array.from({ length: 6 }, () => callOf(busy, 'shell/run', run(slow), { lane: { isLook: false, playbook: 'a' } }));
    const began = wallClock.steady();

    const look = await callOf(busy, 'shell/run', { ...quick, key: 'look' }, { lane: { isLook: true, playbook: 'b' } });
    const step = await callOf(busy, 'shell/run', { ...quick, key: 'step' }, { lane: { isLook: false, playbook: 'b' } });

    assert.deepEqual([look.outcome, step.outcome], ['ok', 'ok']);
    assert.ok(wallClock.steady() - began < 1_400, 'while those slots were taken');
    assert.deepEqual(
      (await Promise.all(steps)).map(({ outcome }) => outcome),
      Array.from({ length: 6 }, () => 'ok'),
    );
    await busy.close();
  });

  test('C10: the time of a call counts from when it is handed over, however long it waited for a slot', async () => {
    const narrow = await start({ inFlightMax: 1 });
    const blocks = script('blocks', 'sleep 0.8');
    const first = callOf(narrow, 'shell/run', { ...run(blocks), timeoutMs: 30_000 });
    const said: string[] = [];

    const outcome = await callOf(narrow, 'shell/run', { ...run('/bin/true'), timeoutMs: 500 }, { onWaits: (why) => said.push(why) });

    assert.deepEqual(said, ['1 steps are under way, the most at once']);
    assert.deepEqual([outcome.outcome, (await first).outcome], ['ok', 'ok']);
  });

  test('E2: a call that no process takes in time was never made', async () => {
    const file = join(home, 'late.log');
    const late = script('late', `echo ran >> ${file}`);
    const dying = await start();
    const slot = await dying.slot({ isLook: false, playbook: '' }, { calledOff: new AbortController().signal, onWaits: () => {} });
    assert.ok(slot !== null && dying.pid !== null);
    process.kill(dying.pid, 'SIGKILL');
    await until('it is gone', () => dying.pid === null);

    const outcome = await dying.act('shell/run', run(late), { slot, beginWithinMs: 1 });

    assert.equal(errorOf(outcome), 'executor_unavailable');
    assert.equal((await callOf(dying, 'shell/run', run('/bin/true'))).outcome, 'ok');
    assert.equal(existsSync(file), false);
    await dying.close();
  });

  test('a flood of output leaves it small', async () => {
    const flood = script('flood', 'exec head -c 200000000 /dev/zero');
    assert.equal((await callOf(executor, 'shell/run', run(flood))).outcome, 'unknown');
    const peakKb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${executor.pid}/status`, 'utf8'))?.[1]);
    assert.ok(peakKb < 160_000, `peak of ${peakKb} kB`);
  });
});

test('is below 80 MB when its code comes from the compile cache', async () => {
  await (await start()).close();
  const executor = await start();
  await callOf(executor, 'shell/run', run('/bin/true'));
  const kb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${executor.pid}/status`, 'utf8'))?.[1]);
  await executor.close();
  assert.ok(kb < 80 * 1024, `${kb} kB`);
});

test('loads the actions and what they need, nothing else', () => {
  const imports = (file: string): readonly string[] =>
    [...readFileSync(file, 'utf8').matchAll(/^import (?!type).* from '(.+)';$/gm)].map((match) => match[1] ?? '');
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const seen = new Set<string>();
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const name of imports(file).filter((one) => one.startsWith('.'))) walk(fileURLToPath(new URL(name, `file://${file}`)));
  };
  walk(program);
  const files = [...seen].map((file) => file.slice(root.length));
  const allowed =
    /^(?:src\/gateway\/(?:executor-[a-z]+|clock)\.ts|src\/executor\/executor\.ts|src\/core\/[a-z/]+\.ts|src\/ports\/(?:action|json-schema)\.ts|adapters\/action-registry\.ts|adapters\/(?:kit|shell|http|process)\/[a-z0-9-]+\.ts)$/;
  assert.deepEqual(
    files.filter((file) => !allowed.test(file)),
    [],
  );
});

test('E2: killed in mid call: that call is unknown, what it ran is ended, and the next call works', async () => {
  const lost: string[] = [];
  const executor = await start({ lost });
  const { argv, pids } = endless('crash');
  const under = callOf(executor, 'shell/run', run(...argv));
  await until('the command runs', () => pids().length === 2);
  const first = executor.pid;
  assert.ok(first);

  process.kill(first, 'SIGKILL');

  assert.equal((await under).outcome, 'unknown');
  assert.equal((await callOf(executor, 'shell/run', run('/bin/echo', 'back'))).outcome, 'ok');
  assert.notEqual(executor.pid, first);
  assert.equal(lost.length, 1);
  await until('nothing of the lost call runs on', () => pids().every((pid) => !lives(pid)), 5_000);
  await executor.close();
});

test('C14: called off: the group and what left it are ended at once, and the answer says that it may have happened', async () => {
  const executor = await start();
  const file = join(home, 'called-off.pids');
  const long = script('long', `trap '' TERM; setsid sh -c 'echo $$ >> ${file}; sleep 60' & echo $$ >> ${file}; sleep 20`);
  const aborter = new AbortController();
  const under = callOf(executor, 'shell/run', { ...run(long), timeoutMs: 30_000 }, { calledOff: aborter.signal });
  await until('both run', () => pidsIn(file).length === 2);
  const startedAt = performance.now();

  aborter.abort();

  const outcome = await under;
  assert.ok(performance.now() - startedAt < 3_000);
  assert.equal(outcome.outcome, 'unknown');
  assert.match(outcome.detail, /was called off; its process group was killed/);
  await until('nothing is left', () => pidsIn(file).every((pid) => !lives(pid)), 3_000);
  const late = await callOf(executor, 'shell/run', run('/bin/true'), { calledOff: aborter.signal });
  assert.equal(errorOf(late), 'no_slot');
  await executor.close();
});

test('E4: a call that waits for its turn is called off without a trace', async () => {
  const executor = await start({ inFlightMax: 1 });
  const { argv } = endless('holds');
  const first = callOf(executor, 'shell/run', { ...run(...argv), timeoutMs: 1_000 });
  const aborter = new AbortController();
  const mark = join(home, 'never.pids');
  const waiting = callOf(executor, 'shell/run', run(script('marks', `echo $$ >> ${mark}`)), { calledOff: aborter.signal });
  aborter.abort();
  assert.equal(errorOf(await waiting), 'no_slot');
  await first;
  await callOf(executor, 'shell/run', run('/bin/true'));
  assert.deepEqual(pidsIn(mark), []);
  await executor.close();
});

test('E3: a call that killed the executor is not made again', async () => {
  const executor = await start();
  const count = join(home, 'murder.pids');
  // The parent of the command is the executor.
  const murder = script('murder', `echo $$ >> ${count}; kill -9 $PPID; sleep 60`);

  const outcome = await callOf(executor, 'shell/run', run(murder));
  assert.equal((await callOf(executor, 'shell/run', run('/bin/true'))).outcome, 'ok');

  await executor.close();
  assert.equal(outcome.outcome, 'unknown');
  assert.equal(pidsIn(count).length, 1);
});

test('E1: hung: the call is unknown at its deadline, and the executor is replaced', async () => {
  const executor = await start({ clock: fastClock });
  const first = executor.pid;
  assert.ok(first);
  process.kill(first, 'SIGSTOP');
  const startedAt = performance.now();

  const outcome = await callOf(executor, 'shell/run', { ...run('/bin/true'), timeoutMs: 1_000 });

  assert.equal(outcome.outcome, 'unknown');
  assert.ok(performance.now() - startedAt < 2_500);
  assert.ok(lives(first), 'answered only because the process was lost');
  await until('the hung one is gone and noticed', () => !lives(first) && executor.pid !== first);
  assert.equal((await callOf(executor, 'shell/run', { ...run('/bin/echo', 'x'), timeoutMs: 20_000 })).outcome, 'ok');
  await executor.close();
});

test('a configuration that it refuses is told at the start, and leaves no process', async () => {
  const starting = forkExecutor({ program, config: { shell: { allow: 'all' } }, clock: wallClock, env });
  await assert.rejects(
    starting,
    (error) => error instanceof GatewayError && error.code === 'invalid_config' && /shell/.test(error.message),
  );
});

test('a program that does not come up is told, and leaves no process', async () => {
  const starting = forkExecutor({ program: join(home, 'missing.js'), config: {}, clock: wallClock, env });
  await assert.rejects(starting, (error) => error instanceof GatewayError && error.code === 'executor_unavailable');
});

test('close calls off what is under way, ends the process, and takes no more', async () => {
  const executor = await start();
  const { argv, pids } = endless('closing');
  const { pid } = executor;
  const under = callOf(executor, 'shell/run', run(...argv));
  await until('the command runs', () => pids().length === 2);

  await executor.close();

  assert.equal((await under).outcome, 'unknown');
  assert.ok(pid !== null && !lives(pid));
  await until('the command is gone', () => pids().every((one) => !lives(one)), 5_000);
  assert.equal(errorOf(await callOf(executor, 'shell/run', run('/bin/true'))), 'no_slot');
});

test('Z1: when the gateway is killed, executor and commands are gone within two seconds; a restarted service stays', async () => {
  const { argv, pids } = endless('orphan');
  const service = { command: ['/bin/sleep', '77'], pidFile: join(home, 'service.pid'), stopWaitMs: 100, startWaitMs: 50 };
  const config = { shell: { allow: [home] }, process: { service } };
  const gateway = spawn(process.execPath, [parentProgram, JSON.stringify({ program, config, argv })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(gateway.stdout, 'data')) as [Buffer];
  const { executor, started } = JSON.parse(String(line)) as { executor: number; started: ActionOutcome };
  const servicePid = started.outcome === 'ok' ? Number(started.output['pid']) : 0;
  await until('the command runs', () => pids().length === 2);

  gateway.kill('SIGKILL');

  await until('executor and command are gone', () => ![executor, ...pids()].some(lives), 2_000);
  assert.ok(lives(servicePid));
  end(servicePid);
});

describe('the local executor', () => {
  const echo: Action = {
    name: 'test/echo',
    summary: 'Answers its input.',
    effect: 'read',
    input: {},
    act: async ({ input }, signal) => (signal.aborted ? { outcome: 'unknown', detail: 'late' } : { outcome: 'ok', output: input }),
  };
  const broken: Action = { ...echo, name: 'test/broken', act: () => Promise.reject(new Error('bug')) };

  test('acts in this process, never rejects, and ends', async () => {
    const executor = localExecutor([echo, broken]);
    const request = { input: { a: 1 }, key: 'k', timeoutMs: 100 };
    assert.deepEqual(await callOf(executor, 'test/echo', request), { outcome: 'ok', output: { a: 1 } });
    assert.equal((await callOf(executor, 'test/broken', request)).outcome, 'unknown');
    assert.equal(errorOf(await callOf(executor, 'test/other', request)), 'no_such_action');
    await executor.close();
    assert.equal(errorOf(await callOf(executor, 'test/echo', request)), 'no_slot');
  });
});
