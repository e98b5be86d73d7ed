// A long run of mixed load, and whether everything stays level in it: memory, files, latencies. Alerts begin, are repeated and end in balance, by
// Alertmanager's webhook and by its API, offered by the clock; the store has a budget (limits.disk) that it reaches early on and has to keep.
// Run: node bench/long.ts. MINUTES (30), RATE of alerts a second (500), OPEN alerts (2,000). Writes bench/pictures/long.svg; exit 1 when something
// is not level: the median of the last third of the run against that of the middle third.
import { statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { realGateway, type RealGateway } from '../test/process/gateway.ts';
import { openLine, type Line } from './line.ts';
import { plot } from './plot.ts';
import { median, quantile, rssMb, table } from './support.ts';

const minutes = Number(process.env['MINUTES'] ?? 30);
const rate = Number(process.env['RATE'] ?? 500);
const openWanted = Number(process.env['OPEN'] ?? 2_000);
const diskMb = 256;
const sampleMs = 5_000;
const connections = 32;
const MB = 1_048_576;

const config = `api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }
data: { dir: ./data }
endpoints:
  webhook: { source: prometheus, auth: { bearer: { file: ingest.token } } }
  direct: { source: prometheus, auth: { bearer: { file: ingest.token } } }
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal, wait: 5m }] } }
playbooks: { dir: ./playbooks }
limits: { disk: ${diskMb}MiB, retention: 1h }
`;

interface Sample {
  readonly minute: number;
  readonly rss: number;
  readonly heap: number;
  readonly store: number;
  readonly logFile: number;
  readonly stateFile: number;
  readonly walFiles: number;
  readonly open: number;
  readonly waiting: number;
  readonly behind: number;
  readonly p50: number;
  readonly p99: number;
}

const gateway = await realGateway({ config, playbooks: {} });
const samples: Sample[] = [];
let failed = 0;
try {
  await gateway.start();
  await run(gateway);
} finally {
  await gateway.stop();
  gateway.remove();
}
report();

async function run(at: RealGateway): Promise<void> {
  const lines = await Promise.all(Array.from({ length: connections }, () => openLine(at.url)));
  const idle = [...lines];
  const late: (readonly [due: number, request: string])[] = [];
  const load = startLoad(at);
  let took: number[] = [];
  const began = performance.now();
  const end = began + minutes * 60_000;
  const send = (line: Line, due: number, request: string): void =>
    line.post(request, (status) => {
      if (status !== 202 && status !== 200) failed += 1;
      took.push(performance.now() - due);
      const next = late.shift();
      if (next === undefined) idle.push(line);
      else send(line, ...next);
    });
  let nextSample = began + sampleMs;
  for (let offered = 0; performance.now() < end;) {
    const now = performance.now();
    for (const dueNow = Math.floor(((now - began) / 1_000) * rate); offered < dueNow; offered += 1) {
      const due = began + ((offered + 1) / rate) * 1_000;
      const line = idle.pop();
      if (line === undefined) late.push([due, load.next()]);
      else send(line, due, load.next());
    }
    if (now >= nextSample) {
      nextSample += sampleMs;
      const tookNow = took;
      took = [];
      void sample(at, (now - began) / 60_000, tookNow, load.open());
    }
    await sleep(1);
  }
  for (const line of lines) line.close();
}

/** Alerts that begin, are told again and end; as many end as begin once so many are open. */
function startLoad({ url, token }: RealGateway): { next(): string; open(): number } {
  const host = new URL(url).host;
  const open: number[] = [];
  let born = 0;
  let turn = 0;
  const request = (number: number, status: 'firing' | 'resolved'): string => {
    const labels = {
      alertname: `Rule${number % 40}`,
      instance: `host-${number}.example.org:9100`,
      severity: ['warning', 'error', 'info'][number % 3],
      team: `team${number % 12}`,
    };
    const now = new Date().toISOString();
    const alert = { labels, annotations: { summary: `something is wrong with host-${number}` }, startsAt: now, status };
    const ended = { ...alert, ...(status === 'resolved' ? { endsAt: now } : {}) };
    const isWebhook = number % 2 === 0;
    const body = JSON.stringify(
      isWebhook ? { version: '4', groupKey: 'g', status, receiver: 'quench', alerts: [ended] } : [{ ...ended, status: undefined }],
    );
    const path = isWebhook ? '/webhooks/webhook' : '/webhooks/direct/api/v2/alerts';
    const head = [`POST ${path} HTTP/1.1`, `host: ${host}`, 'content-type: application/json', `authorization: Bearer ${token}`];
    return `${[...head, `content-length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`;
  };
  return {
    open: () => open.length,
    next() {
      turn += 1;
      const kind = turn % 4;
      if (open.length === 0 || (kind === 0 && open.length < openWanted) || (kind === 1 && open.length < openWanted)) {
        open.push((born += 1));
        return request(born, 'firing');
      }
      if (kind === 0) {
        const at = turn % open.length;
        const [ending = 0] = open.splice(at, 1);
        return request(ending, 'resolved');
      }
      return request(open[(turn * 7) % open.length] ?? 0, 'firing');
    },
  };
}

async function sample(at: RealGateway, minute: number, took: readonly number[], open: number): Promise<void> {
  const text = await fetch(`${at.url}/metrics`).then(
    (answer) => answer.text(),
    () => '',
  );
  const figure = (name: string): number => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1] ?? 0);
  const size = (name: string): number => (statSync(join(at.dir, 'data', name), { throwIfNoEntry: false })?.size ?? 0) / MB;
  if (at.pid === null || took.length === 0) return;
  samples.push({
    minute,
    rss: rssMb(at.pid),
    heap: figure('nodejs_heap_size_used_bytes') / MB,
    store: figure('quench_store_bytes') / MB,
    logFile: size('quench.db'),
    stateFile: size('quench.state.db'),
    walFiles: size('quench.db-wal') + size('quench.state.db-wal'),
    open,
    waiting: figure('quench_inputs_lag'),
    behind: figure('quench_projector_lag\\{projector="documents"\\}') || figure('quench_projector_lag'),
    p50: quantile(took, 0.5),
    p99: quantile(took, 0.99),
  });
  if (samples.length % 12 === 0) process.stderr.write(`${minute.toFixed(0)} min: ${JSON.stringify(samples.at(-1))}\n`);
}

function report(): void {
  const line = (name: string, of: keyof Sample): { readonly name: string; readonly points: readonly (readonly [number, number])[] } => ({
    name,
    points: samples.map((each) => [each.minute, each[of]]),
  });
  plot(fileURLToPath(new URL('pictures/long.svg', import.meta.url)), {
    title: `${rate} alerts a second for ${minutes} minutes, ${openWanted} open, a budget of ${diskMb} MiB`,
    xTitle: 'minutes',
    panels: [
      { title: 'Memory of the gateway', unit: 'MB', lines: [line('resident', 'rss'), line('heap', 'heap')] },
      {
        title: 'Files',
        unit: 'MB',
        lines: [line('store', 'store'), line('quench.db', 'logFile'), line('quench.state.db', 'stateFile'), line('-wal', 'walFiles')],
      },
      { title: 'From when it was due to its answer', unit: 'ms', log: true, lines: [line('p50 of 5 s', 'p50'), line('p99 of 5 s', 'p99')] },
      { title: 'Waiting', unit: 'records', lines: [line('to be decided', 'waiting'), line('to be shown', 'behind')] },
    ],
  });
  const third = Math.floor(samples.length / 3);
  const rows = (
    [
      ['RSS, MB', 'rss', 1.15],
      ['store, MB', 'store', 1.15],
      ['open', 'open', 1.05],
      ['p50, ms', 'p50', 1.5],
      ['p99, ms', 'p99', 2],
    ] as const
  ).map(([name, of, bound]) => {
    const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)].map((some) => median(some.map((each) => each[of])));
    return { name, middle: middle ?? Number.NaN, last: last ?? Number.NaN, bound, isLevel: (last ?? 0) <= (middle ?? 0) * bound };
  });
  console.log(
    table(
      ['what', 'middle third', 'last third', 'at most ×', 'level'],
      rows.map(({ name, middle, last, bound, isLevel }) => [name, middle.toFixed(1), last.toFixed(1), bound, isLevel ? 'yes' : 'NO']),
    ),
  );
  console.log(`${samples.length} samples, ${failed} requests failed, load of the machine ${loadavg()[0]?.toFixed(1)}`);
  process.exitCode =
    rows.every(({ isLevel }) => isLevel) && failed === 0 && Math.max(...samples.map(({ store }) => store)) <= diskMb ? 0 : 1;
}
