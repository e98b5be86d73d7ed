// A storm of new alerts with a critical one in the middle: how long it takes until each is accepted, decided and shown, by a door that slows with
// the backlog. Senders and gateway share one process: the CPU is of both.
// Run: node bench/storm.ts [alerts] [senders] [rounds]
import { setTimeout as sleep } from 'node:timers/promises';
import { prometheus } from '../adapters/prometheus/source.ts';
import type { Fact } from '../src/core/records.ts';
import { yieldToIntake } from '../src/gateway/door.ts';
import { deliver, startInside, type InsideOptions } from './inside.ts';
import { median, quantile, rssMb, table } from './support.ts';

const storm = Number(process.argv[2] ?? 100_000);
const senders = Number(process.argv[3] ?? 16);
const rounds = Number(process.argv[4] ?? 2);
const batch = 64;
const waitMaxMs = 120_000;
const pagesSeenMax = 1_000;

/** What `limits.backlog` is unless it is set. */
const slows = { lagMax: 100_000, makeWay: yieldToIntake } satisfies InsideOptions;
interface Sent {
  readonly body: string;
  readonly fingerprints: readonly string[];
}

interface Figures {
  readonly acceptMs: number;
  readonly decidedAfterMs: number;
  readonly shownAfterMs: number;
  readonly lags: readonly number[];
  readonly answers: readonly number[];
  readonly backlogMax: number;
  readonly behindMax: number;
  readonly criticalMs: number;
  /** Its place among the pages, from 1 on; NaN when none came for it. */
  readonly criticalPlace: number;
  readonly refused: number;
  readonly cpuUs: number;
  readonly rss: number;
}

function sent(alerts: readonly { readonly name: string; readonly host: string; readonly severity: string }[]): Sent {
  const started = new Date().toISOString();
  const each = alerts.map(({ name, host, severity }) => ({
    status: 'firing',
    labels: { alertname: name, instance: `${host}:9100`, severity, region: 'eu-west-1', team: 'shop' },
    annotations: { summary: `${name} at ${host}`, description: 'The host has not answered its probe for more than five minutes.' },
    startsAt: started,
    endsAt: '0001-01-01T00:00:00Z',
  }));
  const body = JSON.stringify({ version: '4', groupKey: 'g', status: 'firing', receiver: 'quench', alerts: each });
  const parsed = prometheus({}).parse({ headers: { 'content-type': 'application/json' }, body, path: '', receivedAt: Date.now() });
  if (!parsed.ok) throw new Error(parsed.error.message);
  return { body, fingerprints: parsed.value.events.map(({ fingerprint }) => fingerprint) };
}

async function until(holds: () => boolean): Promise<void> {
  for (const began = performance.now(); !holds(); await sleep(5))
    if (performance.now() - began > waitMaxMs) throw new Error('bench: what was waited for did not come');
}

function watch() {
  const decidedAt = new Map<string, number>();
  const incidentOf = new Map<string, string>();
  const paged: string[] = [];
  return {
    decidedAt,
    incidentOf,
    paged,
    decided(fact: Fact): void {
      if (fact.type === 'NotifyRequested' && paged.length < pagesSeenMax) paged.push(fact.incident);
      if (fact.type !== 'AlertDecided') return;
      decidedAt.set(fact.fingerprint, performance.now());
      if (fact.incident !== null) incidentOf.set(fact.fingerprint, fact.incident);
    },
  };
}

async function run(options: InsideOptions): Promise<Figures> {
  const deliveries = Array.from({ length: Math.ceil(storm / batch) }, (_, number) =>
    sent(Array.from({ length: batch }, (__, place) => ({ name: 'HostDown', host: `h${number * batch + place}`, severity: 'error' }))),
  );
  const critical = sent([{ name: 'DatabaseDown', host: 'db1', severity: 'critical' }]);
  const seen = watch();
  const inside = await startInside([], undefined, { ...options, decided: seen.decided });
  const { service } = inside;
  let [backlogMax, behindMax, refused, next] = [0, 0, 0, 0];
  const looking = setInterval(() => {
    backlogMax = Math.max(backlogMax, service.lag());
    behindMax = Math.max(behindMax, service.behind());
  }, 20);
  const acceptedAt = new Map<string, number>();
  const answers: number[] = [];
  const send = async ({ body, fingerprints }: Sent): Promise<void> => {
    const began = performance.now();
    for (const fingerprint of fingerprints) acceptedAt.set(fingerprint, began); // what is held was accepted before its answer
    while ((await deliver(inside, body)).status !== 'accepted') {
      refused += 1;
      await sleep(200);
    }
    answers.push(performance.now() - began);
  };
  const cpu = process.cpuUsage();
  const began = performance.now();
  const sender = async (): Promise<void> => {
    for (let one = deliveries[next++]; one !== undefined; one = deliveries[next++]) await send(one);
  };
  const middle = until(() => next > deliveries.length / 2).then(() => send(critical));
  await Promise.all([middle, ...Array.from({ length: senders }, sender)]);
  const accepted = performance.now();
  await until(() => seen.decidedAt.size >= acceptedAt.size);
  const allDecided = performance.now();
  await sleep(200);
  await until(() => service.behind() === 0 && service.lag() === 0);
  const shown = performance.now();
  const used = process.cpuUsage(cpu);
  const [one = ''] = critical.fingerprints;
  const incident = seen.incidentOf.get(one) ?? '';
  await until(() => seen.paged.includes(incident) || performance.now() - shown > 15_000);
  clearInterval(looking);
  const took = (fingerprint: string): number =>
    (seen.decidedAt.get(fingerprint) ?? Number.NaN) - (acceptedAt.get(fingerprint) ?? Number.NaN);
  const rss = rssMb(process.pid);
  await inside.stop();
  return {
    acceptMs: accepted - began,
    decidedAfterMs: Math.max(0, allDecided - accepted),
    shownAfterMs: shown - accepted,
    lags: [...acceptedAt.keys()].map(took),
    answers,
    backlogMax,
    behindMax,
    criticalMs: took(one),
    criticalPlace: seen.paged.includes(incident) ? seen.paged.indexOf(incident) + 1 : Number.NaN,
    refused,
    cpuUs: (used.user + used.system) / acceptedAt.size,
    rss,
  };
}

const doors = [['slows with the backlog', slows]] as const;
const results = new Map<string, Figures[]>(doors.map(([name]) => [name, []]));
for (let round = 0; round < rounds; round += 1) for (const [name, options] of doors) results.get(name)?.push(await run(options));

const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const rows = doors.map(([name]) => {
  const all = results.get(name) ?? [];
  const middle = (of: (figures: Figures) => number): number => median(all.map(of));
  return [
    name,
    ms(middle(({ acceptMs }) => acceptMs)),
    ms(middle(({ decidedAfterMs }) => decidedAfterMs)),
    `${ms(middle(({ lags }) => quantile(lags, 0.5)))} / ${ms(middle(({ lags }) => quantile(lags, 0.99)))}`,
    `${ms(middle(({ answers }) => quantile(answers, 0.5)))} / ${ms(middle(({ answers }) => quantile(answers, 1)))}`,
    middle(({ backlogMax }) => backlogMax),
    middle(({ behindMax }) => behindMax),
    ms(middle(({ shownAfterMs }) => shownAfterMs)),
    all.map(({ criticalMs, criticalPlace }) => `${ms(criticalMs)}, ${criticalPlace}.`).join('; '),
    middle(({ refused }) => refused),
    middle(({ cpuUs }) => cpuUs).toFixed(0),
    middle(({ rss }) => rss),
  ];
});
const head = [
  'door',
  'accepted in',
  'all decided after that',
  'sent → decided p50 / p99',
  'answer p50 / max',
  'most undecided',
  'most facts not shown',
  'all shown after the last accept',
  'critical: decided in, place among pages',
  'refused',
  'CPU µs an alert',
  'RSS MB',
];
console.log(`storm of ${storm} new alerts, batches of ${batch}, ${senders} senders, medians of ${rounds} rounds\n\n${table(head, rows)}`);
process.exit(0);
