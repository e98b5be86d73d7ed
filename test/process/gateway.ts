// A real gateway in a process of its own, on a folder of its own, that a test may kill as often as it likes.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface RealGateway {
  readonly dir: string;
  readonly url: string;
  readonly token: string;
  start(): Promise<void>;
  /** SIGKILL, and the process is gone when it resolves. */
  kill(): Promise<void>;
  /** SIGTERM, in order. */
  stop(): Promise<void>;
  /** SIGSTOP and SIGCONT; resolves at once. */
  signal(name: NodeJS.Signals): void;
  /** Null when it does not run. */
  readonly pid: number | null;
  /** The end of what it wrote, over all its lives. */
  log(): string;
  api(path: string): Promise<unknown>;
  remove(): void;
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export async function realGateway(parts: {
  readonly config: string;
  readonly playbooks: { readonly [name: string]: string };
  /** Where it listens in every life; default: a free one. */
  readonly port?: number;
  /** Default: 30 s, for a machine that does much else. */
  readonly startWithinMs?: number;
}): Promise<RealGateway> {
  const dir = mkdtempSync(join(tmpdir(), 'quench-process-'));
  const port = parts.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const token = 'ingest-token-of-a-test';
  mkdirSync(join(dir, 'playbooks'));
  writeFileSync(join(dir, 'ingest.token'), token, { mode: 0o600 });
  writeFileSync(join(dir, 'admin.token'), 'admin-token-of-a-test', { mode: 0o600 });
  writeFileSync(join(dir, 'quench.yaml'), `listen: { host: 127.0.0.1, port: ${port} }\n${parts.config}`);
  for (const [name, text] of Object.entries(parts.playbooks)) writeFileSync(join(dir, 'playbooks', name), text);
  const logFile = join(dir, 'gateway.log');
  const log = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8').slice(-4_000) : '');
  let child: ChildProcess | null = null;
  process.on('exit', () => child?.kill('SIGKILL')); // a test that breaks takes it along

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    child = null;
  }

  return {
    dir,
    url,
    token,
    async start() {
      const args = [join(root, 'bin/quench.js'), 'serve', '--config', join(dir, 'quench.yaml')];
      const out = openSync(logFile, 'a');
      const started = spawn(process.execPath, args, { stdio: ['ignore', out, out] });
      closeSync(out);
      child = started;
      const until = performance.now() + (parts.startWithinMs ?? 30_000);
      while (performance.now() < until) {
        if (started.exitCode !== null || started.signalCode !== null)
          throw new Error(`the gateway ended with code ${started.exitCode ?? started.signalCode}: ${log()}`);
        const up = await fetch(`${url}/readyz`).then(
          (answer) => answer.ok,
          () => false,
        );
        if (up) return;
        await sleep(25);
      }
      throw new Error(`the gateway does not come up: ${log()}`);
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    signal: (name) => void child?.kill(name),
    get pid() {
      return child !== null && child.exitCode === null && child.signalCode === null ? (child.pid ?? null) : null;
    },
    log,
    async api(path) {
      const answer = await fetch(`${url}${path}`, { headers: { authorization: 'Bearer admin-token-of-a-test' } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Its one action is a program that gets the host; whoever counts what it did finds each act once. */
export const ledgerPlaybook = (script: string): string => `apiVersion: playbook/v1
name: fix
version: 1.0.0
summary: Writes one line into a ledger for each time it acts.
owner: team/test
mode: auto
on: [{ alert: alert.name == "Fix" }]
params: { host: { type: string, from: alert.host } }
target: { resource: "host/\${params.host}" }
guards: { cooldown: 0s, attempts: none, concurrency: 50, blastRadius: none }
steps:
  - { id: act, uses: shell/run, with: { argv: ["${script}", $params.host] }, timeout: 10s }
verify: { within: 5s, every: 1s, all: [resolved] }
escalate: { say: It did not help. }
`;
