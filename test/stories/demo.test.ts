// The demo as a person runs it: the gateway in a process of its own with the shipped quench.yaml and playbooks, and demo/play.ts
// in another, from its first line to its last. What it claims is asked again, of the gateway and of the service itself.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { end, lives } from '../support/living.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Doc {
  readonly id: string;
  readonly state: string;
  readonly storm: boolean;
  readonly resolvedBy?: string;
  readonly members: number;
  readonly incident: string;
  readonly source: string;
  readonly reason: string;
  readonly ackedBy?: string;
}
type Whole = Doc & { readonly alerts: readonly Doc[]; readonly pages: readonly Doc[] };

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the demo', { timeout: 120_000 }, () => {
  let dir = '';
  let url = '';
  let servicePort = 0;
  let gateway: ChildProcess;
  const pids = new Set<number>();

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'quench-demo-'));
    servicePort = await freePort();
    prepare();
    gateway = spawn(process.execPath, ['bin/quench.js', 'serve', '--config', join(dir, 'quench.yaml')], { cwd: root });
    url = await addressOf(gateway);
  });

  after(async () => {
    for (const pid of pids) if (lives(pid)) end(pid);
    if (gateway.exitCode === null && gateway.kill('SIGTERM')) await once(gateway, 'exit');
    rmSync(dir, { recursive: true, force: true });
  });

  /** The shipped files in a folder of their own; ports that nobody else has, and a shorter look at new incidents. */
  function prepare(): void {
    cpSync(join(root, 'playbooks'), join(dir, 'playbooks'), { recursive: true });
    for (const name of readdirSync(join(dir, 'playbooks'))) {
      change(join(dir, 'playbooks', name), (text) => text.replaceAll('127.0.0.1:18080', `127.0.0.1:${servicePort}`));
    }
    cpSync(join(root, 'quench.yaml'), join(dir, 'quench.yaml'));
    change(join(dir, 'quench.yaml'), (text) =>
      text
        .replace('port: 8686', 'port: 0')
        .replace('settle: 15s', 'settle: 4s')
        .replaceAll('18080', String(servicePort))
        .replaceAll('./node_modules/', join(root, 'node_modules/'))
        .replaceAll('cwd: ./', `cwd: ${root}`),
    );
  }

  const demo = (...more: readonly string[]): Promise<Ended> =>
    run(['demo/play.ts', '--url', url, '--data', join(dir, 'data'), '--service-port', String(servicePort), ...more]);

  async function ask<T>(path: string): Promise<T> {
    const token = readFileSync(join(dir, 'data/admin.token'), 'utf8').trim();
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, 200, path);
    return (await response.json()) as T; // the API's own documents
  }

  const list = async (path: string): Promise<readonly Doc[]> => (await ask<{ readonly items: readonly Doc[] }>(path)).items;

  /** Asks the service itself, again and again, who it is. */
  async function watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const said = await fetch(`http://127.0.0.1:${servicePort}/healthz`)
        .then((response) => response.json() as Promise<{ readonly pid: number }>)
        .catch(() => null);
      if (said !== null) pids.add(said.pid);
      await sleep(50);
    }
  }

  it('heals a killed service without a page, pages once for what it cannot heal and once for a storm of 2,000', async () => {
    const watching = new AbortController();
    const watched = watch(watching.signal);
    const { code, stdout, stderr } = await demo();
    watching.abort();
    await watched;
    assert.equal(code, 0, stdout + stderr);

    const seen = await Promise.all(
      (await list('/api/v1/incidents?state=open,acknowledged,resolved&children=show&limit=200')).map(({ id }) =>
        ask<Whole>(`/api/v1/incidents/${encodeURIComponent(id)}`),
      ),
    );
    const sourcesOf = (incident: Whole): string => [...new Set(incident.alerts.map(({ source }) => source))].sort().join();
    const healed = seen.filter((incident) => sourcesOf(incident).includes('nagios'));
    assert.equal(healed.length, 1, 'three sources, one incident');
    assert.equal(sourcesOf(healed[0] ?? never()), 'nagios,prometheus,zabbix');
    assert.equal(healed[0]?.members, 3);
    assert.equal(healed[0]?.resolvedBy, 'playbook');
    assert.deepEqual(healed[0]?.pages, []);
    // The first one is killed within a moment, which a busy machine may give our own polling no time to see.
    const told = [...stdout.matchAll(/as pid (\d+)/g)].map(([, pid]) => Number(pid));
    assert.equal(new Set(told).size, 2, `the service answered under two pids: ${told.join()}`);
    assert.ok(pids.has(told.at(-1) ?? 0), `we saw the restarted one ourselves: ${[...pids].join()}`);

    const failed = seen.filter((incident) => sourcesOf(incident) === 'newrelic');
    assert.equal(failed.length, 1);
    assert.equal(failed[0]?.pages.length, 1);
    assert.match(failed[0]?.pages[0]?.reason ?? '', /demo-restart-payments ended failed: .*it ended at once, with exit code 1/);
    assert.equal(failed[0]?.pages[0]?.ackedBy, 'admin');
    assert.match(stdout, /because playbook demo-restart-payments ended failed/);

    const storms = seen.filter((incident) => incident.storm);
    assert.equal(storms.length, 1);
    assert.equal(storms[0]?.pages.length, 1);
    assert.equal((storms[0]?.members ?? 0) + seen.length - 3, 2_000, 'every alert is in the storm or in an incident below it');
    assert.match(stdout, /2,000 alerts accepted, each durable, in [\d,]+ ms/);

    assert.equal((await list('/api/v1/pages')).length, 2, 'nobody was paged for anything else');
    assert.deepEqual(await list('/api/v1/alerts?state=firing'), [], 'the demo leaves nothing burning');
    assert.deepEqual(
      seen.filter(({ state }) => state !== 'resolved'),
      [],
    );
    assert.deepEqual(
      [...pids].filter((pid) => lives(pid)),
      [],
      'the demo leaves no process',
    );
    assert.deepEqual(
      stdout.split('\n').filter((line) => line.length > 100 || line.includes('\u001b')),
      [],
      'plain lines of at most 100 columns',
    );
  });

  it('says to start the gateway when there is none, and before anything was done', async () => {
    const port = await freePort();
    const { code, stderr } = await demo('--url', `http://127.0.0.1:${port}`);
    assert.equal(code, 1);
    assert.match(stderr, /no gateway answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Start it first, in another shell: npm start/);
    const without = await demo('--data', join(dir, 'nowhere'));
    assert.equal(without.code, 1);
    assert.match(without.stderr, /there is no .*admin\.token.*npm start/);
  });

  for (const wrong of ['admin', 'ingest'] as const) {
    it(`names the ${wrong} token that the gateway does not take`, async () => {
      const data = join(dir, `wrong-${wrong}`);
      mkdirSync(data);
      for (const name of ['admin', 'ingest']) {
        const secret = name === wrong ? 'not the secret' : readFileSync(join(dir, `data/${name}.token`), 'utf8');
        writeFileSync(join(data, `${name}.token`), secret);
      }
      const { code, stderr } = await demo('--data', data);
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`does not take the token in .*${wrong}\\.token \\(401\\)`));
    });
  }

  it("leaves a stranger on the service's port alone and says that the port is taken", async () => {
    const stranger = createServer((_, response) => response.end(JSON.stringify({ service: 'checkout', pid: process.pid })));
    stranger.listen(servicePort, '127.0.0.1');
    await once(stranger, 'listening');
    try {
      const { code, stderr } = await demo();
      assert.equal(code, 1);
      assert.match(stderr, /port \d+ is taken by something that is not the demo's checkout/);
    } finally {
      stranger.close();
      stranger.closeAllConnections();
    }
  });
});

function change(file: string, how: (text: string) => string): void {
  writeFileSync(file, how(readFileSync(file, 'utf8')));
}

function never(): never {
  assert.fail('there is no such incident');
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP
  server.close();
  await once(server, 'close');
  return port;
}

async function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    said += String(chunk);
    const address = /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
    if (address === undefined) continue;
    child.stdout?.resume();
    return address;
  }
  assert.fail(`the gateway did not start: ${said}`);
}

async function run(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], timeout: 100_000 });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number | null]; // its documented arguments
  return { code, stdout, stderr };
}
