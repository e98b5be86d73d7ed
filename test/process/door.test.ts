// The door of a gateway that has much to decide, or that shall decide nothing: alerts are taken in, and what is critical reaches somebody.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until as soon } from '../support/living.ts';
import { freePort } from './gateway.ts';

const program = fileURLToPath(new URL('../../bin/quench.js', import.meta.url));
const house = `
data: { dir: data }
endpoints: { am: { source: prometheus, allowUnauthenticated: true } }
notifiers: { console: { type: console } }
ladders: { default: { rungs: [{ notify: console }] } }
failOpen: { after: 10s, notify: console }
`;

interface House {
  readonly url: string;
  /** What it wrote in this and all lives before. */
  said(): string;
  start(...more: readonly string[]): Promise<void>;
  end(signal: NodeJS.Signals): Promise<void>;
}

async function houseOf(t: TestContext): Promise<House> {
  const dir = mkdtempSync(join(tmpdir(), 'quench-door-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  mkdirSync(join(dir, 'playbooks'));
  writeFileSync(join(dir, 'quench.yaml'), `listen: { host: 127.0.0.1, port: ${port} }${house}`);
  const file = join(dir, 'said');
  let gateway: ReturnType<typeof spawn> | null = null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (gateway === null || gateway.exitCode !== null || gateway.signalCode !== null) return;
    const gone = once(gateway, 'exit');
    gateway.kill(signal);
    await gone;
  };
  t.after(async () => {
    await end('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    url,
    end,
    said: () => readFileSync(file, 'utf8'),
    async start(...more) {
      const out = openSync(file, 'a');
      gateway = spawn(process.execPath, [program, 'serve', '--config', dir, ...more], { cwd: dir, stdio: ['ignore', out, out] });
      for (let tries = 0; tries < 600; tries += 1) {
        if (gateway.exitCode !== null) throw new Error(`ended with ${gateway.exitCode}: ${readFileSync(file, 'utf8')}`);
        if (
          await fetch(`${url}/healthz`).then(
            ({ ok }) => ok,
            () => false,
          )
        )
          return;
        await sleep(50);
      }
      throw new Error(`does not listen: ${readFileSync(file, 'utf8')}`);
    },
  };
}

async function deliver(url: string, name: string, count = 1): Promise<number> {
  const alerts = Array.from({ length: count }, (_, index) => ({
    status: 'firing',
    labels: { alertname: name, severity: 'critical', instance: `${name.toLowerCase()}${index}:9100` },
    annotations: {},
    startsAt: '2026-11-29T03:00:00Z',
  }));
  const body = JSON.stringify({
    version: '4',
    status: 'firing',
    receiver: 'q',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    alerts,
  });
  const answer = await fetch(`${url}/webhooks/am`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return answer.status;
}

const until = (what: string, holds: () => Promise<boolean> | boolean, withinMs = 40_000): Promise<void> => soon(what, holds, withinMs);

test(
  'F2: with --intake-only alerts are taken in and critical ones paged as they came in, and a later start decides them',
  { timeout: 120_000 },
  async (t) => {
    const gateway = await houseOf(t);
    await gateway.start();
    await gateway.end('SIGTERM');
    await gateway.start('--intake-only');
    assert.equal(await deliver(gateway.url, 'Down'), 200);
    const ready = await fetch(`${gateway.url}/readyz`);
    assert.equal(ready.status, 200);
    assert.match(await ready.text(), /intake only: nothing is decided/);
    await until('the raw page', () => /\[undecided\]/.test(gateway.said()));
    await gateway.end('SIGTERM');
    await gateway.start();
    await until('the decided page', () => /\[critical\](?!.*undecided| decided:).*Down/.test(gateway.said()));
  },
);
