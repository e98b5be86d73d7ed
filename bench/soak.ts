// A soak: a real gateway under mixed alerts of four kinds of senders, with three vendors each down a third of the time, killed with SIGKILL
// now and then. At its end everything has ended, and it says what was not kept: somebody unreached, a stale word, something left open at a
// vendor, an accepted alert lost. Exit 1 when there is any.
// Run: node bench/soak.ts. MINUTES (30), RATE of new episodes a second (1), SEED; KEEP=1 leaves the folder behind.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fact, Input } from '../src/core/records.ts';
import { realGateway, type RealGateway } from '../test/process/gateway.ts';
import { recordsIn } from '../test/process/records.ts';
import { random as randomFrom, type Random } from '../test/sim/random.ts';
import { startSenders, type Senders } from './soak/senders.ts';
import { startHook, startMail, startPager, type Book, type Vendor } from './soak/vendors.ts';
import { verdictOn, type Verdict } from './soak/verdict.ts';
import { quantile, rssMb, table } from './support.ts';

const minutes = Number(process.env['MINUTES'] ?? 30);
const rate = Number(process.env['RATE'] ?? 1);
const seed = Number(process.env['SEED'] ?? 20_261_130);
const keep = process.env['KEEP'] === '1';
const lengthMs = minutes * 60_000;
const roundMs = 90_000;
const burstSize = 150;
/** The longest wait between two attempts is five minutes, and a vendor may ask for its own. */
const settleMs = 8 * 60_000;
const shownMax = 8;
/** On a machine that does much else. */
const startWithinMs = 120_000;

const config = (ports: { readonly [vendor: string]: number }): string => `api:
  tokens: { admin: { role: admin, secret: { file: admin.token } } }
data: { dir: ./data }
endpoints:
  zabbix: { source: zabbix, auth: { bearer: { file: ingest.token } } }
  nagios: { source: nagios, auth: { bearer: { file: ingest.token } } }
  newrelic: { source: newrelic, auth: { bearer: { file: ingest.token } } }
  prometheus: { source: prometheus, auth: { bearer: { file: ingest.token } } }
notifiers:
  pager: { type: pagerduty, routingKey: { file: pager.key }, url: "http://127.0.0.1:${ports['pager']}" }
  hook: { type: webhook, url: "http://127.0.0.1:${ports['hook']}/page", secrets: [{ file: hook.whsec }] }
  mail: { type: smtp, host: 127.0.0.1, port: ${ports['mail']}, tls: none, from: quench@example.org, to: [oncall@example.org, second@example.org] }
ladders:
  default:
    rungs:
      - { notify: pager, wait: 20s }
      - { notify: hook, wait: 20s }
      - { notify: [mail, pager], wait: 1m }
    repeat: 1
    ackTimeout: 2m
playbooks: { dir: ./playbooks }
settle: 2s
holdOff: 0s
`;

const say = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

const verdict = await soak();
report(verdict);
process.exitCode = verdict.unreached.length + verdict.stale.length + verdict.leftOpen.length + verdict.lost.length === 0 ? 0 : 1;

async function soak(): Promise<Verdict> {
  const random = randomFrom(seed);
  const book: Book = { receipts: [], alerts: new Map(), called: () => {} };
  const parts = (): { readonly random: Random; readonly book: Book; readonly roundMs: number } => ({
    random: random.fork(),
    book,
    roundMs,
  });
  const vendors = [await startPager(parts()), await startHook(parts()), await startMail(parts())];
  const ports = Object.fromEntries(vendors.map(({ name, port }) => [name, port]));
  const gateway = await realGateway({ config: config(ports), playbooks: {}, startWithinMs });
  writeFileSync(join(gateway.dir, 'pager.key'), 'a'.repeat(32));
  writeFileSync(join(gateway.dir, 'hook.whsec'), `whsec_${Buffer.from('a secret for the test, 32 bytes.').toString('base64')}`);
  say(`seed ${seed}, ${minutes} min, ${rate} episodes/s; the gateway lives in ${gateway.dir}`);
  const away: { readonly from: number; readonly to: number }[] = [];
  try {
    await gateway.start();
    const people = startPeople(gateway, book, random.fork());
    const senders = startSenders({ random: random.fork(), rate, url: gateway.url, token: gateway.token });
    const kills = await live({ gateway, senders, random: random.fork(), away, book, vendors });
    say('everything ends');
    await Promise.all([senders.stop(), ...vendors.map((vendor) => vendor.recover())]);
    people.stop();
    const tookMs = await calm(gateway, book);
    say(`calm after ${Math.round(tookMs / 1_000)} s; ${people.figures()}`);
    await gateway.stop();
    const { accepted, again, refused } = senders.figures();
    for (const each of refused.slice(0, shownMax)) say(`refused: ${each}`);
    const path = join(gateway.dir, 'data', 'quench.db');
    const inputs = recordsIn(path, 0) as readonly { readonly offset: number; readonly value: Input }[];
    const facts = recordsIn(path, 1).map(({ value }) => value as Fact);
    const found = verdictOn({ episodes: senders.episodes, inputs, facts, book, away });
    const down = vendors.map(
      ({ name, figures }) => `${name} ${Math.round(figures().downShare * 100)} % ${JSON.stringify(figures().outages)}`,
    );
    say(`${kills} kills, away ${Math.round(away.reduce((sum, { from, to }) => sum + to - from, 0) / 1_000)} s; down: ${down.join(', ')}`);
    return { ...found, counts: { deliveries: accepted, sentAgain: again, refused: refused.length, kills, ...found.counts } };
  } finally {
    await gateway.kill();
    for (const vendor of vendors) await vendor.close();
    if (!keep) gateway.remove();
  }
}

/** The gateway's fate for the whole length: killed about once a minute, two bursts; returns how often it was killed. */
async function live(parts: {
  readonly gateway: RealGateway;
  readonly senders: Senders;
  readonly random: Random;
  readonly away: { readonly from: number; readonly to: number }[];
  readonly book: Book;
  readonly vendors: readonly Vendor[];
}): Promise<number> {
  const { gateway, senders, random, away, book, vendors } = parts;
  const endsAt = performance.now() + lengthMs;
  let kills = 0;
  let bursts = 0;
  while (performance.now() < endsAt) {
    await sleep(Math.min(endsAt - performance.now(), random.int(20_000, 100_000)));
    const gone = 1 - (endsAt - performance.now()) / lengthMs;
    if (bursts < 2 && gone > (bursts + 1) / 3) {
      bursts += 1;
      senders.burst(burstSize);
      say(`a burst of ${burstSize}`);
    }
    if (performance.now() >= endsAt) break;
    const from = Date.now();
    await gateway.kill();
    await sleep(random.chance(0.2) ? random.int(5_000, 15_000) : 0);
    await gateway.start();
    away.push({ from, to: Date.now() });
    kills += 1;
    const open = [...book.alerts.values()].filter(({ state }) => state !== 'resolved').length;
    const told = book.receipts.filter(({ taken }) => taken).length;
    const down = vendors.map(({ name, figures }) => `${name} ${Math.round(figures().downShare * 100)} %`).join(', ');
    const { accepted, again } = senders.figures();
    say(
      `${Math.round(gone * 100)} %: killed ${kills}, ${senders.episodes.length} episodes, ${accepted} deliveries (${again} again), told ${told} of ${book.receipts.length}, ${open} open at the pager, down: ${down}, ${gateway.pid === null ? 0 : rssMb(gateway.pid)} MB`,
    );
  }
  return kills;
}

/** Four in ten calls are answered after a while, one in six of those is given back. */
function startPeople(gateway: RealGateway, book: Book, random: Random): { stop(): void; figures(): string } {
  let acks = 0;
  let unacks = 0;
  const stopping = new AbortController();
  const isTaken = async (path: string): Promise<boolean> => {
    const headers = { authorization: 'Bearer admin-token-of-a-test', 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(5_000);
    const answer = await fetch(`${gateway.url}${path}`, { method: 'POST', headers, body: '{}', signal }).catch(() => null);
    await answer?.arrayBuffer().catch(() => null);
    return answer?.status === 202;
  };
  async function take(incident: string): Promise<void> {
    const rest = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal: stopping.signal });
    await rest(random.int(3_000, 25_000));
    const path = `/api/v1/incidents/${encodeURIComponent(incident)}`;
    if (!(await isTaken(`${path}/ack`))) return;
    acks += 1;
    if (!random.chance(0.16)) return;
    await rest(random.int(5_000, 20_000));
    if (await isTaken(`${path}/unack`)) unacks += 1;
  }
  book.called = (incident) => {
    if (incident !== '' && !stopping.signal.aborted && random.chance(0.4)) take(incident).catch(() => {});
  };
  return { stop: () => stopping.abort(), figures: () => `people took ${acks} and gave ${unacks} back` };
}

/** Waits until nothing is to be said any more: nothing arrives for a while, nothing rings, nothing is open at the pager. */
async function calm(gateway: RealGateway, book: Book): Promise<number> {
  const began = performance.now();
  let heard = -1;
  let quietRounds = 0;
  while (performance.now() - began < settleMs) {
    await sleep(2_000);
    const open = [...book.alerts.values()].filter(({ state }) => state !== 'resolved').length;
    quietRounds = heard === book.receipts.length ? quietRounds + 1 : 0;
    heard = book.receipts.length;
    // Beyond the longest wait that is left nothing may come; before, a while of silence with nothing open is the end.
    const waiting = await waitingIn(gateway);
    if (quietRounds >= 5 && open === 0 && waiting === 0) return performance.now() - began;
  }
  return performance.now() - began;
}

async function waitingIn(gateway: RealGateway): Promise<number> {
  const metrics = await fetch(`${gateway.url}/metrics`).then((answer) => answer.text());
  const incidents = (await gateway.api('/api/v1/incidents?state=open,acknowledged&children=show&limit=1')) as {
    readonly items: readonly unknown[];
  };
  return Number(/^quench_inputs_lag (\d+)/m.exec(metrics)?.[1] ?? 1) + incidents.items.length;
}

function report({ unreached, stale, leftOpen, lost, lateMs, counts }: Verdict): void {
  for (const [what, found] of Object.entries({ unreached, stale, 'left open': leftOpen, lost }))
    for (const each of found.slice(0, shownMax)) console.log(`${what}: ${each}`);
  const late = (share: number): string => `${(quantile(lateMs, share) / 1_000).toFixed(1)} s`;
  const rows = [
    ...Object.entries(counts),
    ['called, late p50 / p99 / max', `${lateMs.length}: ${late(0.5)} / ${late(0.99)} / ${late(1)}`],
    ['unreached', unreached.length],
    ['stale words', stale.length],
    ['left open at vendors', leftOpen.length],
    ['accepted and lost', lost.length],
  ] as const;
  console.log(table(['what', 'figure'], rows));
}
