// From a POST to its decision, a storm of new alerts, memory at that many open alerts, and recovery after SIGKILL.
// Run: node bench/engine.ts [alerts]. The first two look inside one process (server and client share it); the last two outside.
import { setTimeout as sleep } from 'node:timers/promises';
import { bodyOf, deliver, startInside } from './inside.ts';
import { caughtUp, quantile, rssMb, startQuench, table } from './support.ts';

const storm = Number(process.argv[2] ?? 100_000);
const batch = 64;
const senders = 16;

async function latencies(): Promise<readonly number[]> {
  const inside = await startInside();
  const took: number[] = [];
  for (let number = 0; number < 600; number += 1) {
    const began = performance.now();
    const offset = inside.acceptedAt.size;
    await deliver(inside, bodyOf(number * 10_000, 1));
    const input = [...inside.acceptedAt.keys()].at(-1) ?? `0:${offset}`;
    while (!inside.decidedAt.has(input)) await sleep(1);
    if (number >= 100) took.push((inside.decidedAt.get(input) ?? 0) - began);
    await sleep(5);
  }
  await inside.stop();
  return took;
}

async function stormInside(): Promise<{
  readonly acceptMs: number;
  readonly allMs: number;
  readonly lags: readonly number[];
  readonly failed: number;
}> {
  const inside = await startInside();
  const bodies = Array.from({ length: Math.ceil(storm / batch) }, (_, place) => bodyOf(place * batch, batch));
  const began = performance.now();
  let next = 0;
  let failed = 0;
  const sender = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const answer = await deliver(inside, body);
      if (answer.status !== 'accepted') failed += 1;
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  const acceptMs = performance.now() - began;
  const alerts = bodies.length * batch;
  while (inside.decidedAt.size < alerts) await sleep(20);
  const allMs = performance.now() - began;
  const lags = [...inside.decidedAt].map(([offset, at]) => at - (inside.acceptedAt.get(offset) ?? 0));
  await inside.stop();
  return { acceptMs, allMs, lags, failed };
}

async function outside(): Promise<{ readonly rss: number; readonly recoveryMs: number; readonly projectedMs: number }> {
  const quench = await startQuench();
  const headers = { authorization: `Bearer ${quench.token}`, 'content-type': 'application/json' };
  const began = performance.now();
  for (let first = 0; first < storm; first += batch) {
    const answer = await fetch(`${quench.url}/webhooks/prometheus`, { method: 'POST', headers, body: bodyOf(first, batch) });
    await answer.arrayBuffer();
  }
  await caughtUp(quench);
  const alertsSeen = async (): Promise<number> => {
    const answer = await fetch(`${quench.url}/api/v1/summary`, { headers: { authorization: 'Bearer bench-admin-token' } });
    const summary = (await answer.json()) as { readonly alerts?: { readonly firing?: number } };
    return summary.alerts?.firing ?? 0;
  };
  while ((await alertsSeen()) < storm) await sleep(250);
  const projectedMs = performance.now() - began;
  const rss = rssMb(quench.pid);
  await quench.kill();
  const killed = performance.now();
  await quench.restart();
  const recoveryMs = performance.now() - killed;
  await quench.stop();
  return { rss, recoveryMs, projectedMs };
}

const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const took = await latencies();
console.log(
  table(['POST → decision durable', 'p50', 'p99'], [['one at a time, 500 new alerts', ms(quantile(took, 0.5)), ms(quantile(took, 0.99))]]),
);
const rose = await stormInside();
console.log(
  `\n${table(
    ['storm of new alerts, batches of 64', 'accepted', 'alerts/s', 'all decided', 'accept → decision p50', 'p99', 'max', 'failed'],
    [
      [
        storm,
        ms(rose.acceptMs),
        Math.round((storm / rose.acceptMs) * 1_000),
        ms(rose.allMs),
        ms(quantile(rose.lags, 0.5)),
        ms(quantile(rose.lags, 0.99)),
        ms(quantile(rose.lags, 1)),
        rose.failed,
      ],
    ],
  )}`,
);
const held = await outside();
console.log(
  `\n${table(['open alerts', 'RSS of the gateway', 'in the read model after', 'ready again after SIGKILL'], [[storm, `${held.rss} MB`, ms(held.projectedMs), ms(held.recoveryMs)]])}`,
);
process.exit(0);
