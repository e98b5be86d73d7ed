// The demo's hold on its service: starts it, kills it, asks it, and stops what the gateway started in its place.
//   C1  A signal goes only to a process whose command line is demo/service.ts.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GivenUp } from './given-up.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const script = 'demo/service.ts';
const changeWithinMs = 10_000;
const lookEveryMs = 50;

/** `other`: something that is not ours holds the port. */
export type Health = { readonly is: 'up'; readonly pid: number } | { readonly is: 'down'; readonly why: string } | { readonly is: 'other' };

export interface Checkout {
  readonly address: string;
  health(): Promise<Health>;
  /** Gives up when its port is somebody else's. */
  mayStart(): Promise<void>;
  /** Stops one that an earlier play left, starts a new one and answers its pid. */
  start(): Promise<number>;
  /** SIGKILL; answers what /healthz says then. */
  kill(pid: number): Promise<string>;
  /** Ends the one that answers now, if any. */
  stop(): Promise<void>;
}

export function createCheckout(place: { readonly port: number; readonly data: string }): Checkout {
  const { port } = place;
  const address = `http://127.0.0.1:${port}/healthz`;

  async function health(): Promise<Health> {
    try {
      const response = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(2_000) });
      const said = (await response.json()) as { readonly pid?: unknown } | null;
      return typeof said?.pid === 'number' && isOurs(said.pid) ? { is: 'up', pid: said.pid } : { is: 'other' };
    } catch (error) {
      // Reset or closed: it is just ending, and the next look finds nobody.
      return ['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET'].includes(codeOf(error))
        ? { is: 'down', why: 'connection refused' }
        : { is: 'other' };
    }
  }

  async function until(is: Health['is'], isLost: () => boolean = () => false): Promise<Health> {
    const endsAt = performance.now() + changeWithinMs;
    for (let strange = 0; ;) {
      const now = await health();
      if (now.is === is) return now;
      strange = now.is === 'other' ? strange + 1 : 0; // Once may be ours that ended between its answer and our look at it.
      if (strange > 1 || isLost()) throw new GivenUp(taken(port));
      if (performance.now() > endsAt) throw new GivenUp(`expected checkout to be ${is} at ${address}, seen ${now.is}`);
      await sleep(lookEveryMs);
    }
  }

  async function stop(): Promise<void> {
    const now = await health();
    if (now.is !== 'up') return;
    process.kill(now.pid, 'SIGTERM');
    await until('down');
  }

  return {
    address,
    health,
    async mayStart() {
      if ((await health()).is === 'other') throw new GivenUp(taken(port));
    },
    async start() {
      await stop();
      // The gateway keeps the pid of the process that it will start here (actions.process in quench.yaml).
      mkdirSync(join(place.data, 'demo'), { recursive: true });
      const child = spawn(process.execPath, [script, String(port)], { cwd: root, stdio: 'ignore' });
      child.unref();
      const now = await until('up', () => child.exitCode !== null || child.signalCode !== null);
      return now.is === 'up' ? now.pid : 0;
    },
    async kill(pid) {
      if (isOurs(pid)) process.kill(pid, 'SIGKILL');
      const now = await until('down');
      return now.is === 'down' ? now.why : '';
    },
    stop,
  };
}

/** C1 */
function isOurs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(script);
  } catch {
    return false;
  }
}

function taken(port: number): string {
  return `port ${port} is taken by something that is not the demo's checkout. Stop that, or change the port in quench.yaml and playbooks/restart-service.yaml, start the gateway again and give the demo --service-port`;
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
