// A disk that something else fills under a gateway: a small tmpfs of its own, so only where we may mount one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/living.ts';
import { deliver } from './alert.ts';
import { realGateway, type RealGateway } from './gateway.ts';

const mib = 1_048_576;
const config = `
data: { dir: data }
endpoints: { am: { source: prometheus, allowUnauthenticated: true } }
notifiers: { console: { type: console } }
ladders: { default: { rungs: [{ notify: console }] } }
settle: 5s
holdOff: 5s
failOpen: { after: 10s, notify: console }
`;

/** Null where a disk of our own cannot be mounted. */
async function onSmallDisk(t: TestContext): Promise<RealGateway | null> {
  const gateway = await realGateway({ config, playbooks: {} });
  const data = join(gateway.dir, 'data');
  mkdirSync(data, { mode: 0o700 });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=0700', 'tmpfs', data]).status === 0;
  t.after(async () => {
    await gateway.kill();
    if (mounted) spawnSync('umount', [data]);
    gateway.remove();
  });
  if (!mounted) return null;
  await gateway.start();
  return gateway;
}

/** Leaves so much of it; and the gateway has looked: it asks the disk when it is asked whether it is ready, and once per MiB written. */
async function fill(gateway: RealGateway, leave: number): Promise<void> {
  const { bavail, bsize } = statfsSync(join(gateway.dir, 'data'));
  try {
    writeFileSync(join(gateway.dir, 'data/fill'), Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  } catch (error) {
    // The gateway has written meanwhile: the disk is as full as it gets.
    if (leave > 0 || !(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
  await until('not ready', async () => (await fetch(`${gateway.url}/readyz`)).status === 503, 20_000);
}

const written = ({ dir }: RealGateway): string => readFileSync(join(dir, 'gateway.log'), 'utf8');
const pagesOf = (gateway: RealGateway, name: string): number =>
  (written(gateway).match(new RegExp(`^(?!\\s*- ).*\\[critical\\](?!.*undecided).*${name}`, 'gm')) ?? []).length;

test('F6: below 64 MiB what was accepted rings, and deliveries are refused', { timeout: 120_000 }, async (t) => {
  const gateway = await onSmallDisk(t);
  if (gateway === null) return t.skip('skipped "below 64 MiB what was accepted rings": no tmpfs can be mounted here');
  assert.equal(await deliver(gateway, 'Accepted'), 200);
  await fill(gateway, 40 * mib);
  assert.equal(await deliver(gateway, 'Refused'), 503);
  await until('its page', () => pagesOf(gateway, 'Accepted') > 0, 30_000);
  assert.equal((await fetch(`${gateway.url}/readyz`)).status, 503);
  assert.doesNotMatch(written(gateway), /undecided/);
});

test('F6: on a disk without a byte one raw page says what is held, and room ends it', { timeout: 120_000 }, async (t) => {
  const gateway = await onSmallDisk(t);
  if (gateway === null) return t.skip('skipped "on a disk without a byte": no tmpfs can be mounted here');
  assert.equal(await deliver(gateway, 'Held'), 200);
  await sleep(500); // it is watched by now, for five seconds
  await fill(gateway, 0);
  await until('the raw page', () => /nothing can be decided: 1 held and 0 ringing/.test(written(gateway)), 60_000);
  assert.equal(pagesOf(gateway, 'Held'), 0);
  rmSync(join(gateway.dir, 'data/fill'));
  await until('its end', () => /decided: the log takes records again/.test(written(gateway)), 30_000);
  await until('the page of the ladder', () => pagesOf(gateway, 'Held') > 0, 30_000);
});
