// One command in its own process group: started without a shell, watched, and ended together with all that it started.
// Knows nothing of playbooks or outcomes; action.ts says what an ending means.
//   G1  It settles within timeout + grace + 250 ms, whoever still holds a pipe or ignores TERM.
//   G2  A command that was stopped leaves no member of its group behind.
//   G3  Memory is bounded: 64 KiB kept per stream, the rest dropped, and past 16 MiB the group is stopped.
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Millis } from '../../src/core/time.ts';
import { keptBytesMax } from '../kit/answer.ts';

const streamBytesMax = 16 * 1024 * 1024;
/** How long we read on after the command has ended while something else holds its pipe. */
const lingerMs: Millis = 250;
/** How long the kernel gets to carry out a SIGKILL before we report without having seen it. */
const reapMs: Millis = 200;

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly env: { readonly [name: string]: string };
  readonly cwd: string;
  readonly stdin: string | null;
  readonly timeoutMs: Millis;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: Millis;
  /** What outlives a command that ended by itself: left alone (a daemon it started), or killed. */
  readonly rest: 'leave' | 'kill';
}

export type StopReason = 'timeout' | 'aborted' | 'flooded';

export type Ending =
  | { readonly how: 'unstarted'; readonly code: string }
  | { readonly how: 'exited'; readonly code: number }
  | { readonly how: 'signalled'; readonly signal: string }
  | { readonly how: 'stopped'; readonly why: StopReason };

export interface Ended {
  readonly ending: Ending;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly truncated: boolean;
}

/** Runs the command to its end or stops it. Never rejects; `unstarted` carries the system's error code. */
export function runGroup(command: Command, signal: AbortSignal): Promise<Ended> {
  if (signal.aborted) return Promise.resolve(unstarted('aborted'));
  let child: ChildProcess;
  try {
    const [program, ...args] = command.argv;
    child = spawn(program, args, {
      cwd: command.cwd,
      env: { ...command.env },
      detached: true,
      shell: false,
      stdio: [command.stdin === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    return Promise.resolve(unstarted(codeOf(error)));
  }
  return watch(child, command, signal);
}

function watch(child: ChildProcess, command: Command, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    let stopped: StopReason | null = null;
    let settled = false;
    let timer: NodeJS.Timeout;
    const stdout = new Kept(child.stdout, () => stop('flooded'));
    const stderr = new Kept(child.stderr, () => stop('flooded'));
    const onAbort = (): void => stop('aborted');

    const settle = (ending: Ending): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (stopped !== null) signalGroup(child, 'SIGKILL'); // G2
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      resolve({ ending, stdout: stdout.bytes(), stderr: stderr.bytes(), truncated: stdout.truncated || stderr.truncated });
    };
    const stop = (why: StopReason): void => {
      if (stopped !== null || ended(child)) return;
      stopped = why;
      clearTimeout(timer);
      signalGroup(child, 'SIGTERM');
      timer = setTimeout(kill, command.graceMs, why);
    };
    const kill = (why: StopReason): void => {
      signalGroup(child, 'SIGKILL');
      if (ended(child)) settle({ how: 'stopped', why });
      else timer = setTimeout(settle, reapMs, { how: 'stopped', why }); // G1
    };

    child.once('error', (error) => {
      if (child.pid === undefined) settle({ how: 'unstarted', code: codeOf(error) });
    });
    child.once('exit', (code, killedBy) => {
      if (stopped !== null) {
        // Members that are still busy with TERM keep the rest of the grace.
        if (!signalGroup(child, 0)) settle({ how: 'stopped', why: stopped });
        return;
      }
      if (command.rest === 'kill') signalGroup(child, 'SIGKILL');
      const ending: Ending = code === null ? { how: 'signalled', signal: String(killedBy) } : { how: 'exited', code };
      clearTimeout(timer);
      timer = setTimeout(settle, lingerMs, ending); // G1
      child.once('close', () => settle(ending));
    });
    signal.addEventListener('abort', onAbort, { once: true });
    timer = setTimeout(stop, command.timeoutMs, 'timeout');
    child.stdin?.on('error', () => {}); // a program may end without having read its input
    child.stdin?.end(command.stdin);
  });
}

/** The first bytes of a stream; counts on past them and calls out once when the bound is reached. */
class Kept {
  readonly #chunks: Buffer[] = [];
  #seen = 0;

  constructor(stream: Readable | null, flooded: () => void) {
    stream?.on('error', () => {});
    stream?.on('data', (chunk: Buffer) => {
      const room = keptBytesMax - this.#seen;
      if (room > 0) this.#chunks.push(Buffer.from(chunk.subarray(0, room)));
      this.#seen += chunk.length;
      if (this.#seen > streamBytesMax) {
        stream.destroy();
        flooded();
      }
    });
  }

  get truncated(): boolean {
    return this.#seen > keptBytesMax;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

/** Signals every member of the child's group; false when there is none left. */
function signalGroup(child: ChildProcess, name: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, name);
  } catch {
    return false;
  }
}

function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function unstarted(code: string): Ended {
  return { ending: { how: 'unstarted', code }, stdout: new Uint8Array(), stderr: new Uint8Array(), truncated: false };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
