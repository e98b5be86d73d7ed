// A gateway in a process of its own whose output cannot be written, and to which signals come that are no business of its own: it goes on.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './gateway.ts';

const program = fileURLToPath(new URL('../../bin/quench.js', import.meta.url));
const house = `
data: { dir: data }
endpoints: { am: { source: prometheus, allowUnauthenticated: true } }
notifiers: { console: { type: console } }
ladders: { default: { rungs: [{ notify: console }] } }
`;

async function withGateway(out: 'closed' | '/dev/full', ask: (gateway: ChildProcess, url: string, said: () => string) => Promise<void>) {
  const dir = mkdtempSync(join(tmpdir(), 'quench-output-'));
  const port = await freePort();
  mkdirSync(join(dir, 'playbooks'));
  writeFileSync(join(dir, 'quench.yaml'), `listen: { host: 127.0.0.1, port: ${port} }${house}`);
  const full = openSync('/dev/full', 'w');
  const stdio = out === 'closed' ? 'pipe' : full;
  const gateway = spawn(process.execPath, [program, 'serve', '--config', dir], { cwd: dir, stdio: ['ignore', stdio, stdio] });
  closeSync(full);
  let said = '';
  gateway.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    const url = `http://127.0.0.1:${port}`;
    while (gateway.exitCode === null && !(await isAlive(url))) await sleep(50);
    await ask(gateway, url, () => said);
  } finally {
    if (gateway.exitCode === null && gateway.kill('SIGTERM')) await once(gateway, 'exit');
    rmSync(dir, { recursive: true, force: true });
  }
}

async function isAlive(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** A hang-up makes the gateway write to its log each time. */
async function makeItWrite(gateway: ChildProcess): Promise<void> {
  for (let time = 0; time < 5; time += 1) {
    gateway.kill('SIGHUP');
    await sleep(100);
  }
}

test('F5: a gateway whose standard output and error are full goes on', { timeout: 60_000 }, async () => {
  await withGateway('/dev/full', async (gateway, url) => {
    await makeItWrite(gateway);
    assert.equal(gateway.exitCode, null);
    assert.equal(await isAlive(url), true);
  });
});

test('F5: a gateway whose reader has gone goes on, and still ends in order', { timeout: 60_000 }, async () => {
  await withGateway('closed', async (gateway, url) => {
    gateway.stdout?.destroy();
    gateway.stderr?.destroy();
    await makeItWrite(gateway);
    assert.equal(gateway.exitCode, null);
    assert.equal(await isAlive(url), true);
    const gone = once(gateway, 'exit');
    gateway.kill('SIGTERM');
    assert.deepEqual(await gone, [0, null]);
  });
});

test('F12: SIGUSR2 is ignored and SIGUSR1 opens no debugger', { timeout: 60_000 }, async () => {
  await withGateway('closed', async (gateway, url, said) => {
    gateway.kill('SIGUSR2');
    gateway.kill('SIGUSR1');
    await makeItWrite(gateway);
    assert.equal(gateway.exitCode, null);
    assert.equal(await isAlive(url), true);
    assert.doesNotMatch(said(), /Debugger listening/);
  });
});
