// What /healthz is answered in while others ask and send much: max and p99 beside each input, with as many alerts open as FINDINGS F1 asks about.
// and how long the main thread was held at a stretch (stretches.ts). The one who asks /healthz is a thread of its own, so that reading the answers does not count as waiting for them.
// Run: node bench/beside.ts [open alerts, 3000] [rounds, 3] [only inputs whose name holds this]
import { Agent, get } from 'node:http';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { caughtUp, folder, quantile, startQuench, table } from './support.ts';

const everyMs = 4;

interface Figures {
  readonly asked: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const patterns = Array.from({ length: 5 }, (_, index) => `filter=${encodeURIComponent(`instance=~"(h|g)*[0-9]+.{${index + 1},40}"`)}`).join(
  '&',
);

if (isMainThread) await measureAll();
else await poll(workerData as string);

/** Asks again and again; tells what it saw since the last time whenever it is asked. */
async function poll(url: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let took: number[] = [];
  parentPort?.on('message', () => {
    const figures: Figures = { asked: took.length, p50: quantile(took, 0.5), p99: quantile(took, 0.99), max: Math.max(...took) };
    took = [];
    parentPort?.postMessage(figures);
  });
  for (;;) {
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      get(`${url}/healthz`, { agent }, (res) => void res.resume().once('end', resolve)).once('error', reject);
    });
    took.push(performance.now() - began);
    await sleep(everyMs);
  }
}

async function measureAll(): Promise<void> {
  const open = Number(process.argv[2] ?? 3_000);
  const rounds = Number(process.argv[3] ?? 3);
  const notes = folder();
  process.env['QUENCH_BENCH_STRETCHES'] = notes.path;
  process.env['NODE_OPTIONS'] =
    `--cpu-prof --cpu-prof-interval 500 --cpu-prof-dir=/tmp/d1prof --import ${new URL('stretches.ts', import.meta.url).href}`;
  const quench = await startQuench();
  const stretches = async (): Promise<readonly number[]> => {
    await sleep(300);
    const text = await readFile(`${notes.path}/stretches`, 'utf8').catch(() => '');
    await rm(`${notes.path}/stretches`, { force: true });
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  };
  const admin = { authorization: 'Bearer bench-admin-token' };
  const sender = { authorization: `Bearer ${quench.token}`, 'content-type': 'application/json' };
  const ask = async (path: string): Promise<void> => drain(await fetch(`${quench.url}${path}`, { headers: admin }));
  const send = async (path: string, body: string, headers: { readonly [name: string]: string } = sender): Promise<number> => {
    const res = await fetch(`${quench.url}${path}`, { method: 'POST', headers, body });
    await drain(res);
    return res.status;
  };
  const all = async (count: number, one: (index: number) => Promise<unknown>): Promise<void> =>
    void (await Promise.all(Array.from({ length: count }, (_, index) => one(index))));

  for (let first = 0; first < open; first += 64) await send('/api/v2/alerts', alertsOf(first, Math.min(64, open - first)));
  await all(200, (index) => send('/webhooks/prometheus', `{"not": "understood ${index}", "padding": "${'x'.repeat(8_000)}"}`));
  for (let index = 0; index < 100; index += 1) {
    const matchers = [{ name: 'instance', op: '=~', value: `h9${index}.*[ab]{1,5}` }];
    const silence = { matchers, endsAt: Date.now() + 3_600_000, comment: 'bench' };
    await send('/api/v1/silences', JSON.stringify(silence), { ...admin, 'content-type': 'application/json' });
  }
  await caughtUp(quench);
  await sleep(2_000);

  const large = alertsOf(1_000_000, 30_000);
  const garbage = `[${'{"labels":{"a":"b"}},'.repeat(600_000)}`;
  const inputs: readonly (readonly [name: string, input: () => Promise<unknown>])[] = [
    ['nothing', () => sleep(2_000)],
    ['50 × GET /api/v2/alerts', () => all(50, () => ask('/api/v2/alerts'))],
    ['50 × the same with 5 patterns', () => all(50, () => ask(`/api/v2/alerts?${patterns}`))],
    ['50 × GET /api/v2/alerts/groups', () => all(50, () => ask('/api/v2/alerts/groups'))],
    ['50 × GET /api/v1/alerts?limit=200', () => all(50, () => ask('/api/v1/alerts?limit=200'))],
    [
      '50 × GET /api/v1/alerts with a pattern',
      () => all(50, () => ask(`/api/v1/alerts?limit=200&match=${encodeURIComponent('label1=~"(x|y)*z"')}`)),
    ],
    [
      '50 × GET /api/v2/silences with a filter',
      () => all(50, () => ask(`/api/v2/silences?filter=${encodeURIComponent('instance=~".*9[0-9]+"')}`)),
    ],
    ['50 × GET /api/v1/deadletters?limit=200', () => all(50, () => ask('/api/v1/deadletters?limit=200'))],
    ['50 × GET /api/v1/log/facts/0?limit=1000', () => all(50, () => ask('/api/v1/log/facts/0?limit=1000'))],
    ['50 × GET /metrics', () => all(50, () => ask('/metrics'))],
    ['200 × GET /ack/…', () => all(200, (index) => ask(`/ack/e30${index}.e30`))],
    [
      '100 event streams, 6,400 alerts',
      () =>
        streams(`${quench.url}/api/v1/events`, admin, () =>
          all(100, (index) => send('/api/v2/alerts', alertsOf(500_000 + 64 * index, 64))),
        ),
    ],
    [`one body of ${megabytes(large)} MB`, () => send('/api/v2/alerts', large)],
    [`${megabytes(garbage)} MB that is no JSON`, () => send('/api/v2/alerts', garbage)],
  ];
  const poller = new Worker(new URL(import.meta.url), { workerData: quench.url });
  const rows: (string | number)[][] = [];
  for (const [name, input] of inputs.filter(([each]) => each.includes(process.argv[4] ?? ''))) {
    await figuresOf(poller);
    await stretches();
    const began = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      await input();
      await sleep(100);
    }
    const tookMs = (performance.now() - began) / rounds - 100;
    const { asked, p50, p99, max } = await figuresOf(poller);
    const held = await stretches();
    const over = held.filter((ms) => ms > 5).length;
    rows.push([name, Math.round(tookMs), asked, ...[p50, p99, max, Math.max(0, ...held)].map((ms) => ms.toFixed(1)), over]);
    console.error(rows.at(-1)?.join('  '));
    await caughtUp(quench);
    await sleep(500);
  }
  console.log(
    table(
      [
        'beside',
        'answered within, ms',
        '/healthz asked',
        'p50 ms',
        'p99 ms',
        'max ms',
        'longest stretch, ms of CPU',
        'stretches over 5 ms',
      ],
      rows,
    ),
  );
  await poller.terminate();
  await quench.stop();
  notes.remove();
}

function alertsOf(first: number, count: number): string {
  const alerts = Array.from({ length: count }, (_, place) => ({
    labels: {
      alertname: `Rule${(first + place) % 7}`,
      instance: `h${first + place}.example.org:9100`,
      severity: 'warning',
      ...Object.fromEntries(Array.from({ length: 6 }, (__, index) => [`label${index}`, `value-${index}-${'x'.repeat(24)}`])),
    },
    annotations: { summary: `h${first + place} does not answer`, description: 'The host has not answered its probe for five minutes.' },
    startsAt: new Date().toISOString(),
  }));
  return JSON.stringify(alerts);
}

/** Opens a hundred streams, lets happen what they tell of, and closes them. */
async function streams(url: string, headers: { readonly [name: string]: string }, happen: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const opened = await Promise.all(Array.from({ length: 100 }, () => fetch(url, { headers, signal: stop.signal })));
  const read = opened.map((res) => drain(res).catch(() => {}));
  await happen();
  await sleep(1_000);
  stop.abort();
  await Promise.all(read);
}

async function figuresOf(poller: Worker): Promise<Figures> {
  const heard = once(poller, 'message');
  poller.postMessage('figures');
  return ((await heard) as [Figures])[0];
}

async function drain(res: Response): Promise<void> {
  for await (const _ of res.body ?? []);
}

function megabytes(text: string): string {
  return (text.length / 1e6).toFixed(0);
}
