// What a new alert takes, record by record; what lies in the file of an embedded store for it, table by table; and what writing and reading its
// facts costs beside JSON alone, interleaved.
// Run: node bench/records.ts [alerts] [rounds]. The alerts are those of bench/accept.ts, one a delivery; bytes of records are deterministic.
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fact } from '../src/core/records.ts';
import { packed, unpacked } from '../src/core/stored/stored.ts';
import { bodyOf, newAlerts } from '../test/support/storm-of-new.ts';
import { deliver, startInside } from './inside.ts';
import { median, table } from './support.ts';

const count = Number(process.argv[2] ?? 2_000);
const rounds = Number(process.argv[3] ?? 15);
const turned = newAlerts(count);
const scope = 'default';

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

interface Taken {
  count: number;
  json: number;
  stored: number;
}

/** By type, over all alerts that opened an incident or joined one. */
function sizes(some: typeof turned): ReadonlyMap<string, Taken> {
  const found = new Map<string, Taken>();
  const add = (type: string, json: number, stored: number): void => {
    const before = found.get(type) ?? { count: 0, json: 0, stored: 0 };
    found.set(type, { count: before.count + 1, json: before.json + json, stored: before.stored + stored });
  };
  for (const { body, input, facts } of some) {
    add('delivery as received', Buffer.byteLength(body), Buffer.byteLength(body));
    add('input AlertSeen', bytesOf(input), bytesOf(input));
    for (const [place, stored] of packed(scope, facts).entries()) add(facts[place]?.type ?? '', bytesOf(facts[place]), bytesOf(stored));
    add('all facts', bytesOf(facts), bytesOf(packed(scope, facts)));
  }
  return found;
}

function told(title: string, some: typeof turned): void {
  const rows = [...sizes(some)].map(([type, { count: seen, json, stored }]) => [
    type,
    (seen / some.length).toFixed(2),
    Math.round(json / some.length),
    Math.round(stored / some.length),
  ]);
  console.log(`${title} (${some.length})\n${table(['record', 'for each alert', 'bytes as JSON', 'bytes as stored'], rows)}\n`);
}

const isStorm = ({ facts }: { readonly facts: readonly Fact[] }): boolean => facts.every(({ type }) => type !== 'IncidentOpened');
told(
  'new alerts that open an incident',
  turned.filter((one) => !isStorm(one)),
);
told('new alerts of a storm', turned.filter(isStorm));

const tables = [
  ['inputs', 'SELECT count(*) AS rows, sum(length(body)) AS bytes FROM log WHERE place < 17592186044416'],
  ['deliveries beside them', 'SELECT count(raw) AS rows, sum(length(raw)) AS bytes FROM log'],
  ['facts', 'SELECT count(*) AS rows, sum(length(body)) AS bytes FROM log WHERE place >= 17592186044416'],
  ['rows of desks', 'SELECT count(*) AS rows, sum(length(doc)) AS bytes FROM desks'],
  ['documents', 'SELECT count(*) AS rows, sum(length(doc)) AS bytes FROM views'],
  ['lines', 'SELECT count(*) AS rows, sum(length(line)) AS bytes FROM timeline'],
] as const;

/** What lies in the file when all is decided, saved and shown: indexes, keys and half-empty pages are not in it. */
async function inFile(): Promise<void> {
  const inside = await startInside();
  for (let number = 0; number < count; number += 1) await deliver(inside, bodyOf(number, Date.now()));
  for (let rest = count; rest > 0; await sleep(100)) rest = inside.service.lag();
  await sleep(3_000); // rows are saved every second, documents follow
  const db = new DatabaseSync(inside.path, { readOnly: true });
  const rows = tables.map(([name, sql]) => {
    const { rows: seen, bytes } = db.prepare(sql).get() ?? {};
    return [name, (Number(seen) / count).toFixed(2), Math.round(Number(bytes) / count)];
  });
  db.close();
  await inside.stop();
  console.log(`in the file (${count} new alerts)\n${table(['what', 'rows an alert', 'bytes an alert'], rows)}\n`);
}

await inFile();

/** CPU of writing and reading the facts of all alerts, so many alerts at once, against JSON alone. */
function costs(atOnce: number): readonly (string | number)[] {
  const runs: (readonly Fact[])[] = [];
  for (let at = 0; at + atOnce <= turned.length; at += atOnce) runs.push(turned.slice(at, at + atOnce).flatMap(({ facts }) => facts));
  const took = { jsonOut: [] as number[], out: [] as number[], jsonIn: [] as number[], in: [] as number[] };
  const time = (into: number[], work: () => void): void => {
    const began = performance.now();
    work();
    into.push(((performance.now() - began) * 1_000) / (runs.length * atOnce));
  };
  let bytes = 0;
  for (let round = 0; round < rounds; round += 1) {
    let json: string[] = [];
    let stored: string[] = [];
    time(took.jsonOut, () => void (json = runs.map((facts) => JSON.stringify(facts))));
    time(took.out, () => void (stored = runs.map((facts) => JSON.stringify(packed(scope, facts)))));
    time(took.jsonIn, () => json.forEach((text) => JSON.parse(text)));
    time(took.in, () => stored.forEach((text) => unpacked(scope, JSON.parse(text) as readonly unknown[])));
    bytes = stored.reduce((sum, text) => sum + text.length, 0) / (runs.length * atOnce);
  }
  const { jsonOut, out, jsonIn, in: back } = took;
  const ratio = (one: readonly number[], other: readonly number[]): string =>
    `${median(one.map((value, round) => value / (other[round] ?? Number.NaN))).toFixed(2)} ×`;
  const micros = (some: readonly number[]): string => median(some).toFixed(1);
  return [atOnce, Math.round(bytes), micros(jsonOut), micros(out), ratio(out, jsonOut), micros(jsonIn), micros(back), ratio(back, jsonIn)];
}

const head = ['alerts at once', 'bytes an alert', 'JSON out µs', 'stored out µs', 'ratio', 'JSON in µs', 'stored in µs', 'ratio'];
costs(1); // warm
console.log(table(head, [1, 8, 64].map(costs)));
