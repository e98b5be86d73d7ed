// What a sender feels: single alerts offered by the clock, whether or not the answers come, and the time from when each was due to its answer.
// Quench and Alertmanager take turns under the same load: half of the alerts are known, half are new.
// Run: node bench/open-loop.ts [seconds] [rates, as 500,2000,4000]. ALERTMANAGER=/path/to/alertmanager is measured beside Debian's:
//   GOBIN=/tmp/am go install github.com/prometheus/alertmanager/cmd/alertmanager@v0.31.1
// Of four rates or more it draws bench/pictures/offered.svg: node bench/open-loop.ts 5 100,250,500,1000,2000,3000,4000
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openLine, type Line } from './line.ts';
import { plot } from './plot.ts';
import { caughtUp, quantile, startAlertmanager, startQuench, table, type Server } from './support.ts';

const seconds = Number(process.argv[2] ?? 10);
const rates = (process.argv[3] ?? '500,2000,4000').split(',').map(Number);
const connections = 64;
const known = 1_000;
const warmUpMs = 1_000;
const settleMs = 3_000;
const newest = process.env['ALERTMANAGER'];

interface Outcome {
  readonly sent: number;
  readonly failed: number;
  readonly tookMs: readonly number[];
}

const quench = await startQuench();
const debian = await startAlertmanager();
const newer = newest === undefined ? null : await startAlertmanager(newest);
const servers = [quench, debian, newer].filter((server) => server !== null);
let fresh = 0;

try {
  const rows: (string | number)[][] = [];
  const drawn = new Map(servers.map(({ name }) => [name, { p50: [] as [number, number][], p99: [] as [number, number][] }]));
  for (const rate of rates) {
    for (const server of servers) {
      const { sent, failed, tookMs } = await offer(server, rate);
      if (server === quench) await caughtUp(quench);
      const figures = [0.5, 0.99, 0.999].map((share) => quantile(tookMs, share).toFixed(1));
      drawn.get(server.name)?.p50.push([rate, quantile(tookMs, 0.5)]);
      drawn.get(server.name)?.p99.push([rate, quantile(tookMs, 0.99)]);
      rows.push([`${rate}/s`, server.name, sent, ...figures, failed]);
      await sleep(settleMs);
    }
  }
  console.log(table(['offered', 'server', 'sent', 'p50 ms', 'p99 ms', 'p99.9 ms', 'failed'], rows));
  console.log(`load of the machine ${loadavg()[0]?.toFixed(1)}`);
  if (rates.length >= 4) draw(drawn);
} finally {
  for (const server of servers) await server.stop();
}

function draw(drawn: ReadonlyMap<string, { readonly p50: [number, number][]; readonly p99: [number, number][] }>): void {
  plot(fileURLToPath(new URL('pictures/offered.svg', import.meta.url)), {
    title: 'Single alerts offered by the clock, half of them new, load and servers on the same two cores',
    xTitle: 'alerts offered a second',
    logX: true,
    panels: [
      {
        title: 'Half of the answers come within',
        unit: 'ms',
        log: true,
        lines: [...drawn].map(([name, { p50 }]) => ({ name, points: p50 })),
      },
      {
        title: '99 of 100 answers come within',
        unit: 'ms',
        log: true,
        lines: [...drawn].map(([name, { p99 }]) => ({ name, points: p99 })),
      },
    ],
  });
}

/** Offers alerts at the rate; the first second does not count. Resolves when every one is answered. */
async function offer(server: Server, rate: number): Promise<Outcome> {
  const lines = await Promise.all(Array.from({ length: connections }, () => openLine(server.url)));
  const idle = [...lines];
  const waiting: number[] = [];
  const tookMs: number[] = [];
  let failed = 0;
  let sent = 0;
  const began = performance.now();

  const begin = (line: Line, due: number): void => {
    sent += 1;
    line.post(requestOf(server, sent), (status) => {
      if (status !== 200 && status !== 202) failed += 1;
      if (due - began >= warmUpMs) tookMs.push(performance.now() - due);
      const next = waiting.shift();
      if (next === undefined) idle.push(line);
      else begin(line, next);
    });
  };

  const total = Math.round(rate * (seconds + warmUpMs / 1_000));
  for (let offered = 0; offered < total;) {
    const dueNow = Math.min(total, Math.floor(((performance.now() - began) / 1_000) * rate));
    for (; offered < dueNow; offered += 1) {
      const due = began + ((offered + 1) / rate) * 1_000;
      const line = idle.pop();
      if (line === undefined) waiting.push(due);
      else begin(line, due);
    }
    await new Promise((resolve) => setImmediate(resolve));
    // Turning without a pause would take one of the two cores from the servers; the millisecond or two that a timer is late is in all figures.
    if (rate <= 2_000) await sleep(1);
  }
  while (idle.length < connections) await sleep(5);
  for (const line of lines) line.close();
  return { sent, failed, tookMs };
}

function requestOf({ url, token }: Server, number: number): string {
  const instance = number % 2 === 0 ? (number / 2) % known : known + (fresh += 1);
  const labels = {
    alertname: 'HighLatency',
    instance: `web${instance}.example.org:9100`,
    job: 'node',
    service: `shop-${instance}`,
    severity: 'warning',
    region: 'eu-west-1',
    team: `team${instance % 64}`,
  };
  const annotations = {
    summary: `latency of shop-${instance} is above one second`,
    description: 'Above one second for more than five minutes.',
  };
  const body = JSON.stringify([
    { labels, annotations, startsAt: '2026-11-21T04:00:00.000Z', generatorURL: 'http://prometheus.example.org/g' },
  ]);
  const head = [
    `POST /api/v2/alerts HTTP/1.1`,
    `host: ${new URL(url).host}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  const login = token === '' ? [] : [`authorization: Bearer ${token}`];
  return `${[...head, ...login].join('\r\n')}\r\n\r\n${body}`;
}
