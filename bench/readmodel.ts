// How fast facts become documents, and how fast every list answers over many open alerts and incidents in the embedded store.
// Run: node bench/readmodel.ts [open = 100000] [calls a list = 200]. The aim: 50 ms at p99 for every list.
// The facts are those of a new alert that opens an incident of its own: merged, opened, joined, changed, decided.
import { join } from 'node:path';
import { sqliteLimits, sqliteStore } from '../adapters/sqlite/store.ts';
import type { Alert } from '../src/core/alert/row.ts';
import { severities } from '../src/core/alert/severity.ts';
import type { Fact } from '../src/core/records.ts';
import { coalesced } from '../src/engine/project/documents.ts';
import type { Store } from '../src/ports/store.ts';
import type { DocumentKind } from '../src/readmodel/documents.ts';
import { patchesOf } from '../src/readmodel/patches.ts';
import type { ViewQuery } from '../src/readmodel/query.ts';
import { entryOf } from '../src/readmodel/timeline.ts';
import { folder } from './support.ts';

const open = Number(process.argv[2] ?? 100_000);
const calls = Number(process.argv[3] ?? 200);
const factsPerBatch = 512;
const scope = 'default';
const began = 1_795_262_400_000;

function alertOf(n: number): Alert {
  const host = `web${n % 5_000}`;
  const service = `shop${n % 40}`;
  const name = `Rule${n % 300}`;
  return {
    fingerprint: n.toString(16).padStart(16, '0'),
    source: ['prometheus', 'nagios', 'zabbix'][n % 3] ?? '',
    episode: `e${n}`,
    name,
    summary: `${name} on ${host}: the thing that is watched is not as it should be`,
    state: 'firing',
    severity: severities[n % 4] ?? 'info',
    labels: { alertname: name, host, service, region: `eu-${n % 4}`, team: `team${n % 25}`, instance: `${host}:9100`, shard: `${n % 977}` },
    annotations: { summary: `${name} on ${host}`, runbook: `https://runbooks.example.org/${name}` },
    entity: { host, service },
    links: [{ text: 'graph', href: `https://graphs.example.org/${n}` }],
    startedAt: began + n,
    observedAt: began + n,
    seenAt: began + n,
    clearedAt: null,
    count: 1,
    acknowledged: false,
    soft: false,
    sourceMute: null,
    incident: null,
  };
}

function factsOf(n: number): readonly Fact[] {
  const alert = alertOf(n);
  const { fingerprint, severity, summary, source, startedAt } = alert;
  const incident = `i${n}.${scope}`;
  const score = { value: 0.7, terms: [{ name: 'severity', weight: 0.7, value: 2, why: `severity ${severity}` }] };
  const stamp = (place: number) => ({ scope, at: began + n, seq: n * 6 + place });
  const evidence = { kind: 'first', shared: '', lagSeconds: 0 } as const;
  const merged = { fingerprint, change: 'opened', alert, count: 1, observedAt: startedAt, observed: true, half: 1, note: null } as const;
  const keys = [`host:${alert.entity.host}`];
  const joins = { incident, fingerprint, summary, source, evidence, keys, startedAt, severity, members: 1, listed: true };
  const decided = { decision: 'hold', reason: 'watched until it is settled' } as const;
  return [
    { type: 'AlertMerged', ...stamp(1), ...merged },
    { type: 'IncidentOpened', ...stamp(2), incident, title: summary, severity, storm: false },
    { type: 'AlertJoined', ...stamp(3), ...joins },
    { type: 'IncidentChanged', ...stamp(4), incident, severity, title: summary, root: fingerprint, score, settled: false },
    { type: 'IncidentDecided', ...stamp(5), incident, ...decided },
    { type: 'AlertDecided', ...stamp(6), fingerprint, change: 'opened', incident, ...decided, score, delivery: '', index: 0, offset: n },
  ];
}

/** A repeat of every alert: the commonest fact there is. */
function repeatOf(n: number): readonly Fact[] {
  const { fingerprint, startedAt } = alertOf(n);
  const stamp = { scope, at: began + open + n, seq: open * 6 + n };
  const told = { change: 'repeated', alert: null, count: 2, observedAt: startedAt, observed: true, half: null, note: null } as const;
  return [{ type: 'AlertMerged', ...stamp, fingerprint, ...told }];
}

let offset = 0;
async function filled(store: Store, facts: (n: number) => readonly Fact[], what: string): Promise<object> {
  let batch: Fact[] = [];
  let count = 0;
  const start = performance.now();
  const cpu = process.cpuUsage();
  for (let n = 0; n < open; n += 1) {
    batch.push(...facts(n));
    if (batch.length < factsPerBatch && n < open - 1) continue;
    count += batch.length;
    offset += batch.length;
    const patches = coalesced(batch.flatMap((fact) => patchesOf(fact, 0)));
    const entries = batch.map(entryOf).filter((entry) => entry !== null);
    await store.views.apply({ cursor: 'bench', partition: 0, offset, patches, entries });
    batch = [];
  }
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    facts: what,
    'facts/s': Math.round(count / seconds),
    'CPU µs a fact': Math.round((user + system) / count),
    'alerts/s': Math.round(open / seconds),
  };
}

const pattern = (text: string, value: string): boolean => new RegExp(`^(?:${text})$`).test(value);
const label = (name: string, op: '=' | '!=' | '=~', value: string) => ({ labels: { matchers: [{ name, op, value }], pattern } });
const newestAt = began + open;

const alertLists: readonly Omit<ViewQuery<'alert'>, 'kind' | 'scopes' | 'limit'>[] = [
  {},
  { sort: 'worst' },
  { states: ['firing'] },
  { states: ['cleared'] },
  { severities: ['critical'] },
  { sources: ['nagios'] },
  { sources: ['nobody'] },
  { names: ['Rule7'] },
  { hosts: ['web4711'] },
  { services: ['shop3'] },
  { severities: ['info'], sources: ['zabbix'], services: ['shop3'] },
  { sources: ['zabbix', 'nagios'], sort: 'worst' },
  label('team', '=', 'team7'),
  label('shard', '=', '500'),
  { ...label('team', '=~', 'team1.*'), services: ['shop3'] },
  label('team', '!=', 'team7'),
  label('team', '=~', 'nobody'),
  { since: newestAt - 1_000, until: newestAt - 500 },
  { until: began + 1_000, sources: ['nagios'] },
  { text: 'web4711' },
  { text: 'nothing of the kind' },
  { incident: `i77.${scope}` },
];

const incidentLists: readonly Omit<ViewQuery<'incident'>, 'kind' | 'scopes' | 'limit'>[] = [
  {},
  { sort: 'newest' },
  { states: ['open'] },
  { states: ['acknowledged', 'resolved'] },
  { severities: ['critical', 'error'] },
  { children: 'show' },
  { sources: ['nagios'] },
  { sources: ['nobody'] },
  { names: ['Rule7'] },
  { hosts: ['web4711'] },
  { services: ['shop3'], severities: ['info'] },
  { storm: true },
  { parent: `i5.${scope}` },
  { since: newestAt - 1_000, sort: 'newest' },
  { text: 'web4711' },
  { text: 'nothing of the kind' },
];

async function asked<Kind extends DocumentKind>(store: Store, query: ViewQuery<Kind>, says: object): Promise<object> {
  const took: number[] = [];
  let items = 0;
  let after: string | undefined;
  for (let call = 0; call < calls; call += 1) {
    const at = performance.now();
    const page = await store.views.list<Kind>({ ...query, ...(after === undefined ? {} : { after }) });
    took.push(performance.now() - at);
    if (call === 0) items = page.items.length;
    after = page.next ?? undefined; // every page of it in turn
  }
  took.sort((a, b) => a - b);
  const at = (share: number): string => (took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0).toFixed(2);
  return {
    list: `${query.kind} ${JSON.stringify(says)}`.slice(0, 90),
    scopes: query.scopes.toString(),
    first: items,
    p50: at(0.5),
    p99: at(0.99),
  };
}

const { path, remove } = folder();
const store = await sqliteStore({ path: join(path, 'store.db'), partitions: 1, limits: sqliteLimits });
try {
  console.table([await filled(store, factsOf, 'a new alert and its incident, 6 facts'), await filled(store, repeatOf, 'a repeat')]);
  const rows: object[] = [];
  for (const scopes of ['all', [scope]] as const) {
    for (const list of alertLists) rows.push(await asked(store, { ...list, kind: 'alert', scopes, limit: 50 }, list));
    for (const list of incidentLists) rows.push(await asked(store, { ...list, kind: 'incident', scopes, limit: 50 }, list));
  }
  console.table(rows);
} finally {
  await store.close();
  remove();
}
