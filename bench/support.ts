// What the benches share: servers as processes of their own, wrk as the load, figures side by side.
// Only ratios within one run travel between machines; every table says what ran against what.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export function folder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'quench-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Waits until the address answers anything at all, at most 20 s. */
async function answering(url: string, child: ChildProcess): Promise<void> {
  for (let round = 0; round < 2_000; round += 1) {
    if (child.exitCode !== null) throw new Error(`${url}: the server ended with code ${child.exitCode}`);
    const up = await fetch(url).then(
      (answer) => answer.status < 500,
      () => false,
    );
    if (up) return;
    await sleep(10);
  }
  throw new Error(`${url} does not answer`);
}

async function started(
  name: string,
  child: ChildProcess,
  url: string,
  rest: { readonly token: string; readonly after: () => void },
): Promise<Server> {
  await answering(url, child);
  return {
    name,
    url,
    token: rest.token,
    pid: child.pid ?? 0,
    async stop() {
      await end(child);
      rest.after();
    },
  };
}

/** The gateway on an empty store, with one endpoint for the alerts API and nothing that pages or acts. */
export async function startQuench(change = ''): Promise<Server & { kill(): Promise<void>; restart(): Promise<void> }> {
  const dir = folder();
  const port = await freePort();
  writeFileSync(join(dir.path, 'ingest.token'), 'bench-ingest-token\n', { mode: 0o600 });
  writeFileSync(join(dir.path, 'admin.token'), 'bench-admin-token\n', { mode: 0o600 });
  mkdirSync(join(dir.path, 'playbooks'));
  writeFileSync(join(dir.path, 'quench.yaml'), configOf(port, change));
  const start = (): ChildProcess => {
    const args = [join(root, 'bin/quench.js'), 'serve', '--config', join(dir.path, 'quench.yaml')];
    return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  const url = `http://127.0.0.1:${port}`;
  let child = start();
  await answering(`${url}/readyz`, child);
  return {
    name: 'quench',
    url,
    token: 'bench-ingest-token',
    get pid() {
      return child.pid ?? 0;
    },
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    async restart() {
      child = start();
      await answering(`${url}/readyz`, child);
    },
    async stop() {
      await end(child);
      dir.remove();
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const killed = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(killed);
}

function configOf(port: number, change: string): string {
  return `listen: { host: 127.0.0.1, port: ${port} }
api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }
data: { dir: ./ }
endpoints: { prometheus: { source: prometheus, auth: { bearer: { file: ingest.token } }, alertsApi: true } }
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal, wait: 5m }] } }
playbooks: { dir: ./playbooks }
limits: { backlog: 5000000 }
${change}
`;
}

/** What a server costs that reads the body and says 202. */
export async function startBare(): Promise<Server> {
  const port = await freePort();
  const program = `require('node:http').createServer((req, res) => { let size = 0; req.on('data', (part) => { size += part.length; });
    req.on('end', () => { res.writeHead(202, { 'content-length': 0 }); res.end(); }); }).listen(${port}, '127.0.0.1')`;
  const child = spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
  const server = await started('node:http', child, `http://127.0.0.1:${port}/`, { token: '', after: () => {} });
  return { ...server, url: `http://127.0.0.1:${port}` };
}

/** The Alertmanager of that path, or Debian's; null when it is not installed. One that was built by hand knows no version of its own. */
export async function startAlertmanager(path?: string): Promise<Server | null> {
  const names = path === undefined ? ['prometheus-alertmanager', 'alertmanager'] : [path];
  const program = names.find((name) => spawnSync(name, ['--version']).status === 0);
  if (program === undefined) return null;
  const [, version] = /version (\d+\.\d+\.\d+)/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout) ?? [];
  const dir = folder();
  const port = await freePort();
  writeFileSync(join(dir.path, 'am.yml'), 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
  const args = [
    `--config.file=${dir.path}/am.yml`,
    `--storage.path=${dir.path}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
    '--log.level=error',
  ];
  const child = spawn(program, args, { stdio: 'ignore' });
  const server = await started(`alertmanager ${version ?? `at ${program}`}`, child, `http://127.0.0.1:${port}/-/ready`, {
    token: '',
    after: dir.remove,
  });
  return { ...server, url: `http://127.0.0.1:${port}` };
}

export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

export interface Shape {
  readonly seconds: number;
  readonly connections: number;
  readonly batch: number;
  /** Different alerts to choose from. */
  readonly kinds: number;
}

/** Loads POST /api/v2/alerts with wrk from one thread. */
export async function load(server: Server, shape: Shape): Promise<Load> {
  const { seconds, connections, batch, kinds } = shape;
  const script = join(root, 'bench/alerts.lua');
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, `${server.url}/api/v2/alerts`];
  const child = spawn('wrk', args, { env: { ...process.env, BATCH: String(batch), KINDS: String(kinds), TOKEN: server.token } });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString()));
  await once(child, 'close');
  const [, rate, p50, p99, failed] = /RESULT ([\d.]+) (\d+) (\d+) (\d+)/.exec(text) ?? [];
  if (rate === undefined) throw new Error(`wrk gave no result (apt-get install wrk): ${text.slice(0, 200)}`);
  return { perSecond: Number(rate) * batch, p50Ms: Number(p50) / 1_000, p99Ms: Number(p99) / 1_000, failed: Number(failed) };
}

export function wrkMissing(): boolean {
  return spawnSync('wrk', ['-v']).error !== undefined;
}

/** Inputs that the gateway has not turned yet, from its metrics. */
async function lagOf(server: Server): Promise<number> {
  const text = await fetch(`${server.url}/metrics`).then((answer) => answer.text());
  return Number(/^quench_inputs_lag (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

export async function caughtUp(server: Server): Promise<void> {
  for (let round = 0; round < 1_200; round += 1) {
    if ((await lagOf(server)) === 0) return;
    await sleep(100);
  }
  throw new Error('the gateway does not catch up');
}

export function rssMb(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A table for people and for bench/README.md. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
