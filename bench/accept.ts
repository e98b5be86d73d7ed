// Durable accepts per second against a bare node:http server that answers 202, and against Alertmanager, interleaved in one run.
// Run: node bench/accept.ts [rounds] [seconds]. Needs wrk, and Alertmanager for its column; ALERTMANAGER=/path is measured beside Debian's
// (bench/open-loop.ts says how to get a newer one). `decided` counts until the last accepted alert was decided, too.
import { caughtUp, load, median, startAlertmanager, startBare, startQuench, table, wrkMissing, type Load, type Server } from './support.ts';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 3);
const connections = 64;
const kinds = 10_000;

if (wrkMissing()) {
  console.error('bench: wrk is missing: apt-get install wrk');
  process.exit(1);
}

const quench = await startQuench();
const newest = process.env['ALERTMANAGER'];
const newer = newest === undefined ? null : await startAlertmanager(newest);
const others = [await startBare(), await startAlertmanager(), newer].filter((server): server is Server => server !== null);
const servers: readonly Server[] = [quench, ...others];

try {
  for (const batch of [1, 64]) {
    const results = new Map<string, Taken[]>(servers.map((server) => [server.name, []]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const server of servers) {
        const began = performance.now();
        const result = await load(server, { seconds, connections, batch, kinds });
        const acceptedMs = performance.now() - began;
        if (server === quench) await caughtUp(quench);
        const decidedPerSecond = (result.perSecond * acceptedMs) / (performance.now() - began);
        if (round > 0) results.get(server.name)?.push({ ...result, decidedPerSecond }); // the first round warms up
      }
    }
    console.log(
      `\n### ${batch === 1 ? 'single alerts' : `batches of ${batch}`}, ${connections} connections, ${rounds} rounds of ${seconds} s\n`,
    );
    console.log(
      table(
        ['server', 'alerts/s', 'quench is', 'decided, too, quench is', 'p50 ms', 'p99 ms', 'failed'],
        servers.map((server) => row(server, results)),
      ),
    );
  }
} finally {
  for (const server of servers) await server.stop();
}

interface Taken extends Load {
  /** The same alerts over the time until the last of them was decided. */
  readonly decidedPerSecond: number;
}

function row(server: Server, results: ReadonlyMap<string, readonly Taken[]>): readonly (string | number)[] {
  const own = results.get('quench') ?? [];
  const theirs = results.get(server.name) ?? [];
  const ratio = (of: (result: Taken) => number): string =>
    `${median(own.map((result, round) => of(result) / (theirs[round]?.perSecond ?? Number.NaN))).toFixed(2)} ×`;
  const middle = (of: (result: Taken) => number): number => median(theirs.map(of));
  return [
    server.name,
    Math.round(middle((result) => result.perSecond)),
    ratio((result) => result.perSecond),
    ratio((result) => result.decidedPerSecond),
    middle((result) => result.p50Ms).toFixed(1),
    middle((result) => result.p99Ms).toFixed(1),
    theirs.reduce((sum, result) => sum + result.failed, 0),
  ];
}
