// Durable accepts per second against a bare node:http server that answers 202, and against Alertmanager, interleaved in one run.
// Run: node bench/accept.ts [rounds] [seconds]. Needs wrk, and Alertmanager for its column.
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
const others = [await startBare(), await startAlertmanager()].filter((server): server is Server => server !== null);
const servers: readonly Server[] = [quench, ...others];

try {
  for (const batch of [1, 64]) {
    const results = new Map<string, Load[]>(servers.map((server) => [server.name, []]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const server of servers) {
        const result = await load(server, { seconds, connections, batch, kinds });
        if (server === quench) await caughtUp(quench);
        if (round > 0) results.get(server.name)?.push(result); // the first round warms up
      }
    }
    console.log(
      `\n### ${batch === 1 ? 'single alerts' : `batches of ${batch}`}, ${connections} connections, ${rounds} rounds of ${seconds} s\n`,
    );
    console.log(
      table(
        ['server', 'alerts/s', 'quench is', 'p50 ms', 'p99 ms', 'failed'],
        servers.map((server) => row(server, results)),
      ),
    );
  }
} finally {
  for (const server of servers) await server.stop();
}

function row(server: Server, results: ReadonlyMap<string, readonly Load[]>): readonly (string | number)[] {
  const own = results.get('quench') ?? [];
  const theirs = results.get(server.name) ?? [];
  const ratio = median(own.map((result, round) => result.perSecond / (theirs[round]?.perSecond ?? Number.NaN)));
  const middle = (of: (result: Load) => number): number => median(theirs.map(of));
  return [
    server.name,
    Math.round(middle((result) => result.perSecond)),
    `${ratio.toFixed(2)} ×`,
    middle((result) => result.p50Ms).toFixed(1),
    middle((result) => result.p99Ms).toFixed(1),
    theirs.reduce((sum, result) => sum + result.failed, 0),
  ];
}
