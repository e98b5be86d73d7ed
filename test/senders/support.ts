// What the sender tests stand on: programs that are installed or named as missing, daemons that are started and stopped by
// pid, and waiting that ends with a clear message.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, globSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

// ---------------------------------------------------------------- waiting

export interface Wait<T> {
  readonly withinMs: number;
  readonly look: () => Promise<T | null>;
  /** What there is instead, for the message. */
  readonly seen: () => Promise<string>;
}

/** Looks five times a second until there is something; the error says what was expected and what there is. */
export async function until<T>(expected: string, { withinMs, look, seen }: Wait<T>): Promise<T> {
  const endsAt = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > endsAt) throw new Error(`expected within ${withinMs / 1_000} s: ${expected}\nseen: ${await seen()}`);
    await sleep(200);
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const folders: string[] = [];

/** An empty folder that goes when the tests end. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'quench-senders-'));
  folders.push(path);
  return path;
}

// ---------------------------------------------------------------- daemons

export interface Daemon {
  readonly pid: number;
  running(): boolean;
  log(): string;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Process groups that live; a test run that ends takes them and the folders along, whatever happened. */
const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) signal(pid, 'SIGKILL');
  for (const path of folders) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
});
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(1));

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // It is gone already.
  }
}

/** Starts a program in a process group of its own, its output in a file. */
export function startDaemon(
  program: string,
  args: readonly string[],
  at: { readonly log: string; readonly env?: { readonly [name: string]: string } },
): Daemon {
  const out = openSync(at.log, 'a');
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', out, out], detached: true, env: { ...process.env, ...at.env } });
  closeSync(out);
  const { pid } = child;
  assert.ok(pid !== undefined, `${program} does not start`);
  groups.add(pid);
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = async (name: NodeJS.Signals): Promise<void> => {
    if (running()) {
      const gone = once(child, 'exit');
      process.kill(pid, name);
      const late = setTimeout(() => signal(pid, 'SIGKILL'), 10_000);
      await gone;
      clearTimeout(late);
    }
    signal(pid, 'SIGKILL'); // children that it left behind
    groups.delete(pid);
  };
  return { pid, running, log: () => readFileSync(at.log, 'utf8').slice(-4_000), kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}

/** Waits until the address answers with a success. */
export async function ready(daemon: Daemon, url: string): Promise<void> {
  await until(`${url} answers`, {
    withinMs: 20_000,
    async look() {
      assert.ok(daemon.running(), `the program behind ${url} ended:\n${daemon.log()}`);
      return fetch(url).then(
        (answer) => (answer.ok ? true : null),
        () => null,
      );
    },
    seen: async () => daemon.log(),
  });
}

// ---------------------------------------------------------------- programs

/** Programs by name, or files by pattern, each with the Debian package that test/senders/install.sh installs for it. */
export interface Programs {
  readonly [program: string]: string;
}

export interface Presence {
  /** For `describe`: why the suite cannot run here, or false. */
  readonly skip: string | false;
  /** For `before`: fails when something is missing although QUENCH_REQUIRE_SERVICES=1 asks for it. */
  demand(): void;
}

/** Installs what is missing where that is possible. */
export function presenceOf(programs: Programs): Presence {
  if (missingOf(programs).length > 0) spawnSync('sh', [join(root, 'test/senders/install.sh')], { stdio: ['ignore', 2, 2] });
  const missing = missingOf(programs);
  const required = process.env['QUENCH_REQUIRE_SERVICES'] === '1';
  const reason = missing.length === 0 ? false : `not installed: ${missing.join(', ')}; as root on Debian: sh test/senders/install.sh`;
  return {
    skip: required ? false : reason,
    demand: () => assert.equal(reason, false, 'QUENCH_REQUIRE_SERVICES=1'),
  };
}

function missingOf(programs: Programs): readonly string[] {
  const absent = Object.keys(programs).filter(
    (program) => globSync(program).length === 0 && spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin command -v "$0"', program]).status !== 0,
  );
  return [...new Set(absent.map((program) => programs[program] ?? program))];
}
