// A critical alert behind a storm, on a running gateway whose disk is slow: it is decided and paged before what came ahead of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../src/core/records.ts';
import type { Store } from '../../src/ports/store.ts';
import { deliver, folder, house, open, until } from './house.ts';

const storm = 3_000;

async function warn(url: string, first: number, count: number): Promise<void> {
  const alerts = Array.from({ length: count }, (_, at) => ({
    status: 'firing',
    labels: { alertname: 'DiskSlow', severity: 'warning', instance: `w${first + at}:9100` },
    annotations: {},
    startsAt: '2026-11-29T03:00:00Z',
  }));
  const headers = { 'content-type': 'application/json', connection: 'close' };
  const body = JSON.stringify({ version: '4', status: 'firing', alerts });
  assert.equal((await fetch(`${url}/webhooks/am`, { method: 'POST', headers, body })).status, 200);
}

test(
  'F8: a critical behind a storm that is not decided yet is decided and paged first; all of the storm is decided, too',
  { timeout: 90_000 },
  async (t) => {
    const decided: string[] = [];
    const gate = { isShut: false, waiting: [] as (() => void)[] };
    const slow = (store: Store): Store => ({
      ...store,
      log: {
        ...store.log,
        async append(topic, batch) {
          if (topic === 'facts') {
            await new Promise((resolve) => setTimeout(resolve, 20));
            if (gate.isShut) await new Promise<void>((resolve) => void gate.waiting.push(resolve));
          }
          const offset = await store.log.append(topic, batch);
          if (topic === 'facts')
            for (const fact of batch.values as readonly Fact[]) if (fact.type === 'AlertDecided') decided.push(fact.fingerprint);
          return offset;
        },
      },
    });
    const { url, gateway, rang } = await open(t, folder(t, { 'quench.yaml': `${house}storm: { alerts: 100000 }\n` }), slow);
    await until('the policy', () => gateway.service.policy() !== null);
    gate.isShut = true;
    for (let first = 0; first < storm; first += 100) await warn(url, first, 100);
    assert.equal(await deliver(url, 'DatabaseDown'), 200);
    const before = decided.length;
    gate.isShut = false;
    for (const go of gate.waiting) go();
    await until('the page', () => /DatabaseDown/.test(rang()));
    assert.ok(decided.length - before < storm, `${decided.length - before} were decided before it was paged`);
    await until('the rest', () => decided.length >= storm + 1);
  },
);
