// Patterns that take much work, silences by the hundred and bodies of brackets, sent to a gateway of its own, while /healthz is asked all along.
// Run: node bench/matching.ts. The inputs are those of F1, F2, F3 and F11 in the findings of issue 8.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adminToken, createGateway, ingestToken } from '../test/senders/gateway.ts';
import { table } from './support.ts';

const dir = mkdtempSync(join(tmpdir(), 'quench-bench-'));
const gateway = await createGateway(dir);
await gateway.start();
const rows: (readonly (string | number)[])[] = [];

async function call(token: string, path: string, body?: string | object): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const text = body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) };
  const answer = await fetch(`${gateway.url}${path}`, { headers, signal: AbortSignal.timeout(120_000), ...text });
  await answer.arrayBuffer();
  return answer.status;
}

/** Runs it, and asks /healthz every 20 ms beside it. */
async function beside(what: string, run: () => Promise<readonly number[]>): Promise<void> {
  const waits: number[] = [];
  const done = { yet: false };
  const asking = (async (): Promise<void> => {
    while (!done.yet) {
      const began = performance.now();
      await fetch(`${gateway.url}/healthz`).then((answer) => answer.arrayBuffer());
      waits.push(performance.now() - began);
      await sleep(20);
    }
  })();
  const began = performance.now();
  const statuses = await run();
  const took = performance.now() - began;
  done.yet = true;
  await asking;
  const counted = [...Map.groupBy(statuses, (status) => status)].map(([status, of]) => `${of.length} × ${status}`).join(', ');
  rows.push([what, counted, Math.round(took), Math.round(Math.max(...waits)), waits.length]);
}

const alerts = (count: number, labels: (at: number) => object): object =>
  Array.from({ length: count }, (_, at) => ({ labels: { alertname: 'Bait', severity: 'warning', ...labels(at) } }));
const bait = Array.from({ length: 1_000 }, (_, at) => ((at * 7_919) % 13 < 6 ? 'a' : 'b')).join('');
const post = (body: string | object): Promise<number> => call(ingestToken, '/api/v2/alerts', body);
const silence = (matchers: readonly object[]): Promise<number> =>
  call(adminToken, '/api/v1/silences', { matchers, endsAt: Date.now() + 3_600_000, comment: 'bench' });

try {
  await post(alerts(200, (at) => ({ host: `h${at}`, v: bait })));
  await sleep(2_000);
  const filters = Array.from({ length: 10 }, (_, at) => `filter=${encodeURIComponent(`v=~"(?:[ab]*a[ab]{${400 + at}}[ab]*)"`)}`);
  await beside('F1: 10 filters of 400 steps on 200 values of 1,000', async () => [
    await call(adminToken, `/api/v2/alerts?${filters.join('&')}`),
  ]);
  const heavy = Array.from({ length: 20 }, (_, at) => ({ name: 'v', op: '=~', value: `.*a.{${300 + at}}(?:n)?.*` }));
  await beside('F2: 60 silences of 20 heavy matchers', () => Promise.all(Array.from({ length: 60 }, () => silence(heavy))));
  await beside('F2: 10 alerts afterwards', async () => [await post(alerts(10, (at) => ({ host: `x${at}`, v: bait })))]);
  await beside('F3: 900 silences with a pattern each', async () => {
    const statuses: number[] = [];
    for (let at = 0; at < 900; at += 1) {
      statuses.push(
        await silence([
          { name: 'host', op: '=', value: `s${at}` },
          { name: 'v', op: '=~', value: `p${at}.*` },
        ]),
      );
    }
    return statuses;
  });
  await beside('F3: 20 alerts afterwards', async () => [await post(alerts(20, (at) => ({ host: `s${at}`, v: 'q' })))]);
  await beside('F11: 1 MB of [', async () => [await post('['.repeat(1_000_000))]);
  const labels = `{${Array.from({ length: 60_000 }, (_, at) => `"l${at}":""`).join(',')}}`;
  await beside('F11: 60,000 labels', async () => [await post(`[{"labels":${labels}}]`)]);
  for (let at = 0; at < 60; at += 1) await post(`{"n":${at},"x":"${'y'.repeat(900_000)}"}`);
  await beside('F11: the list of 60 dead letters of 900 kB', async () => [await call(adminToken, '/api/v1/deadletters?limit=200')]);
  console.log(table(['sent', 'answered', 'took ms', 'longest /healthz ms', '/healthz asked'], rows));
} finally {
  await gateway.stop();
  rmSync(dir, { recursive: true });
}
