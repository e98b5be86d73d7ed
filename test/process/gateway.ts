// A real gateway in a process of its own, on a folder of its own, that a test may kill as often as it likes.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
}): Promise<RealGateway> {
  const dir = mkdtempSync(join(tmpdir(), 'quench-process-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const token = 'ingest-token-of-a-test';
  mkdirSync(join(dir, 'playbooks'));
  writeFileSync(join(dir, 'ingest.token'), token);
  writeFileSync(join(dir, 'admin.token'), 'admin-token-of-a-test');
  writeFileSync(join(dir, 'quench.yaml'), `listen: { host: 127.0.0.1, port: ${port} }\n${parts.config}`);
  for (const [name, text] of Object.entries(parts.playbooks)) writeFileSync(join(dir, 'playbooks', name), text);
  let child: ChildProcess | null = null;
  let said = '';

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
      const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      for (const stream of [started.stdout, started.stderr])
        stream.on('data', (part: Buffer) => (said = (said + part.toString()).slice(-4_000)));
      for (let round = 0; round < 400; round += 1) {
        if (started.exitCode !== null) throw new Error(`the gateway ended with code ${started.exitCode}: ${said}`);
        const up = await fetch(`${url}/readyz`).then(
          (answer) => answer.ok,
          () => false,
        );
        if (up) return;
        await sleep(25);
      }
      throw new Error(`the gateway does not come up: ${said}`);
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    async api(path) {
      const answer = await fetch(`${url}${path}`, { headers: { authorization: 'Bearer admin-token-of-a-test' } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
