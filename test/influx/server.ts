// A real InfluxDB for tests: Debian's, on 127.0.0.1, with data of its own. For stopping, killing and freezing it under a client.
//   U1  Every wait is bounded, and its error shows the end of the server's log.
//   U2  Servers go when the test process ends (test/senders/support.ts).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, ready, root, startDaemon, type Daemon, type Presence } from '../senders/support.ts';
import { tied } from '../kafka/tied.ts';

const isThere = (): boolean => spawnSync('sh', ['-c', 'command -v influxd']).status === 0;

/** For `describe` and `before`: why a suite cannot run here. */
export function influxPresence(): Presence {
  if (!isThere()) spawnSync('sh', [join(root, 'test/influx/install.sh')], { stdio: ['ignore', 2, 2] });
  const reason = isThere() ? false : 'not installed: influxdb; as root on Debian: sh test/influx/install.sh';
  return {
    skip: process.env['QUENCH_REQUIRE_SERVICES'] === '1' ? false : reason,
    demand: () => assert.equal(reason, false, 'QUENCH_REQUIRE_SERVICES=1'),
  };
}

export interface Influx {
  readonly url: string;
  /** Runs a statement past our own client; the answer as the server wrote it. */
  ask(statement: string, database?: string): Promise<string>;
  kill(): Promise<void>;
  /** Starts it again on its data and port. */
  start(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  stop(): Promise<void>;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** `login`: nobody else may do anything. */
export async function startInflux(login: Login | null = null): Promise<Influx> {
  const dir = mkdtempSync(join(tmpdir(), 'quench-influx-'));
  const [port, rpc] = [await freePort(), await freePort()];
  const config = join(dir, 'influxdb.conf');
  writeFileSync(config, configOf(dir, { port, rpc, isClosed: login !== null }));
  const url = `http://127.0.0.1:${port}`;
  let daemon: Daemon;
  const start = async (): Promise<void> => {
    daemon = startDaemon('influxd', ['-config', config], { log: join(dir, 'log') });
    await ready(daemon, `${url}/ping`);
  };
  await start();
  const headers = login === null ? {} : { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}` };
  const ask = async (statement: string, database = ''): Promise<string> => {
    const body = new URLSearchParams({ q: statement, db: database });
    const answer = await fetch(`${url}/query`, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) });
    return answer.text();
  };
  if (login !== null)
    assert.ok(!(await ask(`CREATE USER "${login.username}" WITH PASSWORD '${login.password}' WITH ALL PRIVILEGES`)).includes('error'));
  return {
    url,
    ask,
    kill: () => daemon.kill(),
    start,
    signal: (name) => process.kill(daemon.pid, name),
    async stop() {
      await daemon.kill();
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function configOf(
  dir: string,
  { port, rpc, isClosed }: { readonly port: number; readonly rpc: number; readonly isClosed: boolean },
): string {
  return `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${dir}/meta"
[data]
  dir = "${dir}/data"
  wal-dir = "${dir}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[continuous_queries]
  run-interval = "1s"
[http]
  bind-address = "127.0.0.1:${port}"
  auth-enabled = ${isClosed}
  log-enabled = false
`;
}

export interface Gate {
  readonly url: string;
  /** Bytes of requests that passed. */
  heard(): string;
  /** Closed: connections are refused and those that are open end. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** A way to the server that a test may shut, and that remembers what passed. */
export async function gateTo(url: string): Promise<Gate> {
  const target = new URL(url);
  const port = await freePort();
  const sockets = new Set<Socket>();
  let heard = '';
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    tied(sockets, [near, far]);
    near.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    near.pipe(far);
    far.pipe(near);
  });
  const open = async (): Promise<void> => void (await once(server.listen(port, '127.0.0.1'), 'listening'));
  await open();
  return {
    url: `http://127.0.0.1:${port}`,
    heard: () => heard,
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
    open,
  };
}
