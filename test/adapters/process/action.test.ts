// process/restart and process/status against real processes.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { guarded } from '../../../adapters/kit/action-guard.ts';
import { createProcessActions } from '../../../adapters/process/action.ts';
import type { ProcessConfig, ProcessSpec } from '../../../adapters/process/config.ts';
import type { ActionOutcome } from '../../../src/core/run/outcome.ts';
import type { Action } from '../../../src/ports/action.ts';
import { actionContract, type ActionSubject } from '../../contracts/action.ts';
import { end, lives, pidsIn, until } from '../../support/living.ts';

const idle = new AbortController().signal;

let home: string;
let service: ProcessSpec;
const others: ChildProcess[] = [];

/** A directory with a service that notes its pids and stops when told. */
function settle(): void {
  home = mkdtempSync(join(tmpdir(), 'quench-process-test-'));
  service = {
    command: ['/bin/sh', script('service', `echo $$ >> ${home}/pids; sleep 60 & wait`)],
    pidFile: join(home, 'service.pid'),
    stopWaitMs: 300,
    startWaitMs: 50,
  };
}

function script(name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

function clear(): void {
  for (const pid of pidsIn(join(home, 'pids'))) end(-pid);
  for (const other of others.splice(0)) end(-(other.pid ?? 0));
  rmSync(home, { recursive: true });
}

function actions(config: ProcessConfig): { readonly restart: Action; readonly status: Action } {
  const [restart, status] = guarded(createProcessActions(config));
  assert.ok(restart && status);
  return { restart, status };
}

async function act(action: Action, name = 'service', timeoutMs = 5_000, signal: AbortSignal = idle): Promise<ActionOutcome> {
  return action.act({ input: { name }, key: 'k', timeoutMs }, signal);
}

function pidOf(outcome: ActionOutcome): number {
  assert.equal(outcome.outcome, 'ok', JSON.stringify(outcome));
  const pid = outcome.outcome === 'ok' ? outcome.output['pid'] : null;
  assert.ok(typeof pid === 'number');
  return pid;
}

/** Waits until so many services began, in all; that a program was started does not mean that it got to run yet. */
async function begun(count: number): Promise<void> {
  await until(`${count} began`, () => pidsIn(join(home, 'pids')).length >= count);
  assert.equal(pidsIn(join(home, 'pids')).length, count);
}

function errorOf(outcome: ActionOutcome): string {
  return outcome.outcome === 'failed' ? outcome.error : outcome.outcome;
}

/** What a process shares with others: its pipes and sockets beyond the first three files. */
function channelsOf(pid: number): readonly string[] {
  const files = readdirSync(`/proc/${pid}/fd`).filter((fd) => Number(fd) > 2);
  return files.map((fd) => linkOf(pid, fd)).filter((link) => /^(?:pipe|socket):/.test(link));
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return 'closed';
  }
}

/** Some other program of ours; never to be touched. */
async function bystander(...command: readonly [string, ...string[]]): Promise<number> {
  const [program, ...args] = command;
  const other = spawn(program, args, { stdio: 'ignore', detached: true });
  others.push(other);
  await until(
    'the bystander runs',
    () => other.pid !== undefined && readFileSync(`/proc/${other.pid}/cmdline`, 'utf8').startsWith(program),
  );
  assert.ok(other.pid);
  return other.pid;
}

for (const [index, name] of ['process/restart', 'process/status'].entries()) {
  actionContract(name, async (): Promise<ActionSubject> => {
    settle();
    const action = createProcessActions({ service })[index];
    assert.ok(action);
    return {
      action,
      good: { name: 'service' },
      refused: { name: 'nobody' },
      endless: null,
      wrong: [
        { name: 7 },
        { name: '' },
        { name: '../x' },
        { name: '__proto__' },
        { name: 'a'.repeat(65) },
        { name: 'service', command: ['/bin/true'] },
      ],
      timeoutMs: 5_000,
      effects: name === 'process/status' ? null : () => pidsIn(join(home, 'pids')).length,
      stop: async () => clear(),
    };
  });
}

describe('process/restart', () => {
  beforeEach(settle);
  afterEach(clear);

  test('starts what does not run, replaces what runs, and the old one is gone before the new one begins', async () => {
    const { restart, status } = actions({ service });
    assert.deepEqual(await act(status), { outcome: 'ok', output: { running: false, pid: null, uptimeMs: null } });

    const first = pidOf(await act(restart));
    await begun(1);
    const second = await act(restart);
    await begun(2);

    assert.ok(!lives(first));
    assert.ok(lives(pidOf(second)));
    assert.equal(second.outcome === 'ok' && second.output['previousPid'], first);
    assert.deepEqual(pidsIn(join(home, 'pids')), [first, pidOf(second)]);
    const seen = await act(status);
    assert.ok(seen.outcome === 'ok' && seen.output['running'] === true && Number(seen.output['uptimeMs']) < 5_000);
    assert.equal(pidOf(seen), pidOf(second));
  });

  test('a process that ignores its stop signal is killed after the wait, with its whole group', async () => {
    const text = `trap '' TERM; echo $$ >> ${home}/pids; sleep 60 & echo $! >> ${home}/pids; wait`;
    const { restart } = actions({ service: { ...service, command: ['/bin/sh', script('stubborn', text)] } });
    const first = pidOf(await act(restart));
    await begun(2);
    const old = pidsIn(join(home, 'pids'));
    assert.equal(old[0], first);

    const startedAt = performance.now();
    assert.equal((await act(restart)).outcome, 'ok');

    assert.ok(performance.now() - startedAt >= 300);
    assert.ok(old.every((pid) => !lives(pid)));
    await begun(4);
  });

  test('gets the stop signal that the operator chose', async () => {
    const text = `trap 'echo hup > ${home}/heard; exit 0' HUP; trap '' TERM; echo $$ >> ${home}/pids; while :; do sleep 0.05; done`;
    const { restart } = actions({
      service: { ...service, stopSignal: 'SIGHUP', stopWaitMs: 3_000, command: ['/bin/sh', script('hup', text)] },
    });
    await act(restart);
    await begun(1);

    await act(restart);
    await begun(2);

    assert.equal(readFileSync(join(home, 'heard'), 'utf8'), 'hup\n');
  });

  test('R4: the new process leads its own session, holds no pipe of ours, and carries no key', async () => {
    const log = join(home, 'service.log');
    const { restart } = actions({ service: { ...service, logFile: log, env: { MODE: 'blue' }, command: ['/bin/sleep', '78'] } });

    const pid = pidOf(await act(restart));

    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    assert.deepEqual([group, session], [String(pid), String(pid)]);
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    assert.deepEqual(environment.sort(), ['HOME=/nonexistent', 'LANG=C.UTF-8', 'MODE=blue', 'PATH=/usr/local/bin:/usr/bin:/bin']);
    assert.deepEqual(
      ['0', '1', '2'].map((fd) => linkOf(pid, fd)),
      ['/dev/null', log, log],
    );
    // The runner of this test may hand on channels of its own: a bystander has those, and only those.
    assert.deepEqual(channelsOf(pid), channelsOf(await bystander('/bin/sleep', '52')));
    end(pid);
  });

  test('R2: two restarts at once are one restart', async () => {
    const { restart } = actions({ service });
    const words = (await Promise.all([act(restart), act(restart), act(restart)])).map(errorOf);
    assert.deepEqual(words.sort(), ['busy', 'busy', 'ok']);
    await begun(1);
    await sleep(50);
    await begun(1);
  });

  test('a service that ends at once is said to be down, with its exit code', async () => {
    const { restart, status } = actions({
      service: { ...service, startWaitMs: 2_000, command: ['/bin/sh', script('dies', 'sleep 0.1; exit 7')] },
    });
    const outcome = await act(restart);
    assert.equal(errorOf(outcome), 'start');
    assert.match(outcome.outcome === 'failed' ? outcome.detail : '', /service is down: .*exit code 7/);
    const seen = await act(status);
    assert.equal(seen.outcome === 'ok' && seen.output['running'], false);
  });

  test('called off while the old one stops: unknown, and no new one begins', async () => {
    const text = `trap 'echo > ${home}/told' TERM; echo $$ >> ${home}/pids; while :; do sleep 0.05; done`;
    const { restart } = actions({ service: { ...service, stopWaitMs: 5_000, command: ['/bin/sh', script('slow', text)] } });
    await act(restart, 'service', 10_000);
    await begun(1);
    const aborter = new AbortController();

    const stopping = act(restart, 'service', 10_000, aborter.signal);
    await until('it was told to stop', () => existsSync(join(home, 'told')));
    aborter.abort();

    assert.equal((await stopping).outcome, 'unknown');
    await sleep(50);
    await begun(1);
  });
});

describe('R1: a process that is not ours is never touched', () => {
  beforeEach(settle);
  afterEach(clear);

  test('a pid that another program got since is left alone, and the service starts', async () => {
    const { restart } = actions({ service });
    await act(restart);
    const note = JSON.parse(readFileSync(service.pidFile, 'utf8')) as Record<string, unknown>;
    end(Number(note['pid']));
    const stranger = await bystander('/bin/sleep', '50');
    const same = await bystander(...service.command);
    for (const pid of [stranger, same]) {
      writeFileSync(service.pidFile, JSON.stringify({ ...note, pid }));
      assert.equal((await act(restart)).outcome, 'ok');
      assert.ok(lives(pid), 'another process was ended');
    }
  });

  test('the same pid and start time in another boot is another process', async () => {
    const { restart } = actions({ service });
    const pid = pidOf(await act(restart));
    const note = JSON.parse(readFileSync(service.pidFile, 'utf8')) as Record<string, unknown>;
    writeFileSync(service.pidFile, JSON.stringify({ ...note, boot: 'another' }));

    assert.equal((await act(restart)).outcome, 'ok');

    assert.ok(lives(pid));
  });

  test('a plain pid file counts only for exactly our command line', async () => {
    const { restart } = actions({ service: { ...service, command: ['/bin/sleep', '51'] } });
    const stranger = await bystander('/bin/sleep', '5151');
    const own = await bystander('/bin/sleep', '51');
    writeFileSync(service.pidFile, `${stranger}\n`);
    const started = pidOf(await act(restart));
    assert.ok(lives(stranger));
    writeFileSync(service.pidFile, `${own}\n`);
    const again = await act(restart);
    for (const pid of [started, pidOf(again)]) end(pid);
    assert.equal(again.outcome === 'ok' && again.output['previousPid'], own);
    assert.ok(!lives(own));
  });

  test('one that now runs another command line is doubtful: neither ended nor doubled, unless the operator gave its title', async () => {
    // The shell replaces itself, as a program does that renames itself, after we noted its command line.
    const command = ['/bin/sh', script('renames', `echo $$ >> ${home}/pids; sleep 0.5; exec sleep 61`)] as const;
    const spec = { ...service, command };
    const { restart, status } = actions({ service: spec });
    const pid = pidOf(await act(restart));
    await until('it has renamed itself', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));

    assert.equal(errorOf(await act(restart)), 'doubtful');
    assert.equal(errorOf(await act(status)), 'doubtful');
    assert.ok(lives(pid));
    assert.equal(pidsIn(join(home, 'pids')).length, 1);
    assert.equal((await act(actions({ service: { ...spec, title: 'sleep 61' } }).restart)).outcome, 'ok');
    assert.ok(!lives(pid));
  });

  test('a pid file that makes no sense stops everything', async () => {
    const { restart } = actions({ service });
    for (const text of [
      '-1',
      '1',
      '0',
      'x',
      '{"pid":-1,"start":"1","boot":"b","cmdline":[]}',
      '{"pid":2}',
      'null',
      '12 13',
      '99999999999999999999',
    ]) {
      writeFileSync(service.pidFile, text);
      assert.equal(errorOf(await act(restart)), 'doubtful', text);
    }
    assert.equal(pidsIn(join(home, 'pids')).length, 0);
  });
});

describe('R3: what can be known to fail leaves the old process running', () => {
  beforeEach(settle);
  afterEach(clear);

  test('a program, directory or pid file that cannot be used, or too little time', async () => {
    const pid = pidOf(await act(actions({ service }).restart));
    writeFileSync(join(home, 'data'), '');
    const bad: readonly ProcessSpec[] = [
      { ...service, command: ['/nonexistent/service'] },
      { ...service, command: [join(home, 'data')] },
      { ...service, command: ['sleep', '60'] },
      { ...service, cwd: '/nonexistent' },
      { ...service, logFile: '/nonexistent/log' },
      { ...service, pidFile: '/nonexistent/pid' },
      { ...service, stopWaitMs: 10_000 },
    ];
    for (const spec of bad) assert.equal(errorOf(await act(actions({ service: spec }).restart)), 'not_startable', JSON.stringify(spec));
    assert.ok(lives(pid));
  });
});
