// The desk: the whole state of one scope, as tables of plain rows, and the indexes over them. Everything that may correlate lies on one desk.
// Holds and indexes only; what a fact changes is in the fold.ts of its noun.
//   D1  Every row is the fold of the scope's facts; the indexes are derived from the rows.
import type { Fact } from './records.ts';
import type { SenderRow } from './alert/clocks.ts';
import { addCount } from './counts.ts';
import { isFiring, type AlertRow, type Remembered } from './alert/row.ts';
import type { Incident } from './incident/row.ts';
import type { SilenceRow } from './mute/row.ts';
import { OrderedSet } from './ordered-set.ts';
import { followAlert, followIncident, followRun, followSilence } from './indexes.ts';
import { newSilenceIndex, type SilenceIndex } from './mute/silences.ts';
import { newOrdered, type OrderedTexts } from './ordered.ts';
import type { Bundle, Page } from './page/row.ts';
import type { Playbook } from './playbook/document.ts';
import type { WorldRow } from './playbook/row.ts';
import type { GroupRow, ResourceRow } from './resource/row.ts';
import type { Run, TargetHistory } from './run/row.ts';
import type { RuleCounts } from './score/row.ts';
import { indexAll, newTable, type Table } from './table.ts';
import { minute, type Instant } from './time.ts';
import type { WakeRow } from './wakes.ts';

/** One row, key `desk`: counters of the scope. */
export interface DeskMeta {
  readonly seq: number;
  /** Newest input time turned; core's time never goes back. */
  readonly now: Instant;
  /** New alerts of this and of the previous bucket, for storms; a bucket is half a storm window. */
  readonly bucket: number;
  readonly bucketCount: number;
  readonly previousBucketCount: number;
  readonly storm: string | null;
}

export interface Tables {
  readonly meta: Table<DeskMeta>;
  readonly world: Table<WorldRow>;
  readonly alerts: Table<AlertRow>;
  /** By fingerprint, of alerts that are not in the table above; bounded. */
  readonly remembered: Table<Remembered>;
  /** By endpoint, as many as are configured. */
  readonly senders: Table<SenderRow>;
  readonly incidents: Table<Incident>;
  readonly runs: Table<Run>;
  /** Playbooks that runs on this desk began with, by digest. */
  readonly playbooks: Table<Playbook>;
  readonly pages: Table<Page>;
  /** For each notifier that was called lately: what waits to be told together, of first rings and of repeats. */
  readonly bundles: Table<Bundle>;
  readonly silences: Table<SilenceRow>;
  readonly rules: Table<RuleCounts>;
  readonly targets: Table<TargetHistory>;
  /** On the desk of a resource: the resource itself. */
  readonly resources: Table<ResourceRow>;
  /** On the desk of a group: the group itself. */
  readonly groups: Table<GroupRow>;
  readonly wakes: Table<WakeRow>;
  /** Deliveries whose sender gave an id, with the highest place turned; bounded. */
  readonly deliveries: Table<{ readonly at: Instant; readonly upTo: number }>;
}

export type TableName = keyof Tables;

/** Derived from rows, rebuilt at load. Nothing may depend on the order of rows in a table: it differs after a load. */
export interface Indexes {
  /** Incidents in which some alert has the key, with how many; of most keys there is one alert, and then the incident itself stands here. */
  readonly incidentsByKey: Map<string, string | Map<string, number>>;
  /** All alerts of an incident, listed or only counted, in joining order. */
  readonly alertsByIncident: Map<string, OrderedSet>;
  /** Those of them that fire, in the order in which they began to: a storm that clears is not walked through once for each member. */
  readonly firingByIncident: Map<string, OrderedSet>;
  /** How many runs, ended ones too, began with the playbook of a digest. */
  readonly runsByPlaybook: Map<string, number>;
  /** Incidents by the minute in which their life began: what a storm finds in its window. */
  readonly incidentsByMinute: Map<number, Set<string>>;
  /** Incidents that each storm speaks for, or spoke for when it ended. */
  readonly childrenByStorm: Map<string, Set<string>>;
  /** Those not over, in an order of their own. */
  readonly openChildren: Map<string, OrderedTexts>;
  /** Critical members of each incident that fire, unconfirmed ones too: a storm has many others before them. */
  readonly criticals: Map<string, OrderedTexts>;
  /** Alerts that fire, unconfirmed ones too, by fingerprint. */
  readonly openAlerts: OrderedTexts;
  /** Incidents that burn no more and of which a run left in doubt what it did. */
  readonly doubts: Set<string>;
  /** How many runs of each playbook, by name, are at work. */
  readonly runsAtWork: Map<string, number>;
  readonly silences: SilenceIndex;
  /** Silences whose alerts have all cleared, and that were to last so long. */
  readonly spentSilences: Set<string>;
  /** Incidents that wait for the release of a target or of a playbook's slot, on this desk, or for a thaw. */
  readonly waiting: Map<string, Set<string>>;
}

export interface Desk {
  readonly scope: string;
  readonly tables: Tables;
  readonly indexes: Indexes;
}

/** What each of the named facts does to the rows. */
export type Folds<Name extends Fact['type']> = {
  readonly [Type in Name]: (desk: Desk, fact: Extract<Fact, { readonly type: Type }>) => void;
};

/** A fact that is told and changes no row. */
export const unchanged = (): void => {};

const emptyMeta: DeskMeta = { seq: 0, now: 0, bucket: 0, bucketCount: 0, previousBucketCount: 0, storm: null };

export function newDesk(scope: string): Desk {
  const indexes = newIndexes();
  const desk: Desk = {
    scope,
    indexes,
    tables: {
      meta: newTable(),
      world: newTable(),
      alerts: newTable((key, before, after) => followAlert(indexes, key, before, after)),
      remembered: newTable(),
      senders: newTable(),
      incidents: newTable((key, before, after) => followIncident(indexes, key, before, after)),
      runs: newTable((_, before, after) => followRun(desk, before, after)),
      playbooks: newTable(),
      pages: newTable(),
      bundles: newTable(),
      silences: newTable((key, before, after) => followSilence(indexes, key, before, after)),
      rules: newTable(),
      targets: newTable(),
      resources: newTable(),
      groups: newTable(),
      wakes: newTable(),
      deliveries: newTable(),
    },
  };
  return desk;
}

function newIndexes(): Indexes {
  return {
    incidentsByKey: new Map(),
    alertsByIncident: new Map(),
    firingByIncident: new Map(),
    runsByPlaybook: new Map(),
    incidentsByMinute: new Map(),
    childrenByStorm: new Map(),
    openChildren: new Map(),
    criticals: new Map(),
    openAlerts: newOrdered(),
    doubts: new Set(),
    runsAtWork: new Map(),
    silences: newSilenceIndex(),
    spentSilences: new Set(),
    waiting: new Map(),
  };
}

const nobody = new OrderedSet();

/** All alerts of an incident, in joining order. */
export function membersOf({ indexes }: Desk, incident: string): Pick<OrderedSet, 'size' | 'values'> {
  return indexes.alertsByIncident.get(incident) ?? nobody;
}

/** Those of them that fire, in the order in which they began to. */
export function firingOf({ indexes }: Desk, incident: string): Pick<OrderedSet, 'size' | 'values'> {
  return indexes.firingByIncident.get(incident) ?? nobody;
}

export function metaOf(desk: Desk): DeskMeta {
  return desk.tables.meta.rows.get('desk') ?? emptyMeta;
}

export function worldOf(desk: Desk): WorldRow {
  return desk.tables.world.rows.get('world') ?? { policy: null, frozen: null, installation: null };
}

/** The newest time the desk has seen; an input stamped earlier is taken to come at this time. */
export function timeOf(desk: Desk, at: Instant): Instant {
  return Math.max(metaOf(desk).now, at);
}

export function indexAlert(desk: Desk, fingerprint: string, incident: string, keys: readonly string[]): void {
  const { incidentsByKey, alertsByIncident } = desk.indexes;
  for (const key of keys) {
    const counts = incidentsByKey.get(key);
    if (counts === undefined) incidentsByKey.set(key, incident);
    else if (typeof counts !== 'string') counts.set(incident, (counts.get(incident) ?? 0) + 1);
    else incidentsByKey.set(key, counts === incident ? new Map([[incident, 2]]) : new Map([counts, incident].map((id) => [id, 1])));
  }
  const members = alertsByIncident.get(incident) ?? new OrderedSet();
  if (members.size === 0) alertsByIncident.set(incident, members);
  members.add(fingerprint);
}

export function unindexAlert(desk: Desk, fingerprint: string, incident: string, keys: readonly string[]): void {
  const { incidentsByKey, alertsByIncident } = desk.indexes;
  for (const key of keys) {
    const counts = incidentsByKey.get(key);
    if (counts === incident) incidentsByKey.delete(key);
    if (counts === undefined || typeof counts === 'string') continue;
    const left = (counts.get(incident) ?? 0) - 1;
    if (left > 0) counts.set(incident, left);
    else counts.delete(incident);
    if (counts.size === 0) incidentsByKey.delete(key);
  }
  alertsByIncident.get(incident)?.delete(fingerprint);
  indexFiring(desk, fingerprint, incident, false);
}

/** Incidents in which some alert has the key. */
export function incidentsWith({ indexes }: Desk, key: string): Iterable<string> {
  const counts = indexes.incidentsByKey.get(key);
  return counts === undefined ? [] : typeof counts === 'string' ? [counts] : counts.keys();
}

/** Whether some alert of the incident has the key. */
export function hasKey({ indexes }: Desk, incident: string, key: string): boolean {
  const counts = indexes.incidentsByKey.get(key);
  return typeof counts === 'string' ? counts === incident : counts?.has(incident) === true;
}

/** Notes that a member began to fire, or no longer does; one that fires already keeps its place only if nothing is noted. */
export function indexFiring(desk: Desk, fingerprint: string, incident: string, firing: boolean): void {
  const { firingByIncident } = desk.indexes;
  const members = firingByIncident.get(incident) ?? new OrderedSet();
  const before = members.size;
  members.delete(fingerprint);
  if (firing) members.add(fingerprint);
  if (members.size === 0) firingByIncident.delete(incident);
  else if (before === 0) firingByIncident.set(incident, members);
}

/** Brings the index up to date with what the incident waits for; one that waits for something new leaves what it waited for. */
export function indexWaiting(desk: Desk, id: string, before: readonly string[] = []): void {
  const { waiting } = desk.indexes;
  for (const key of before) {
    waiting.get(key)?.delete(id);
    if (waiting.get(key)?.size === 0) waiting.delete(key);
  }
  for (const key of desk.tables.incidents.rows.get(id)?.waitsFor ?? []) {
    const incidents = waiting.get(key);
    if (incidents === undefined) waiting.set(key, new Set([id]));
    else incidents.add(id);
  }
}

/** Brings the indexes by minute and by storm up to date with an incident's row; `before` is what the row was, or what leaves. */
export function indexLife(desk: Desk, before: Incident | undefined, after: Incident | undefined): void {
  const { incidentsByMinute, childrenByStorm } = desk.indexes;
  if (before !== undefined) removeFrom(incidentsByMinute, minuteOf(before.lifeAt), before.id);
  if (before !== undefined && before.parent !== null) removeFrom(childrenByStorm, before.parent, before.id);
  if (after !== undefined) addTo(incidentsByMinute, minuteOf(after.lifeAt), after.id);
  if (after !== undefined && after.parent !== null) addTo(childrenByStorm, after.parent, after.id);
}

export function minuteOf(at: Instant): number {
  return Math.floor(at / minute);
}

function addTo<Key>(index: Map<Key, Set<string>>, key: Key, id: string): void {
  const ids = index.get(key);
  if (ids === undefined) index.set(key, new Set([id]));
  else ids.add(id);
}

function removeFrom<Key>(index: Map<Key, Set<string>>, key: Key, id: string): void {
  const ids = index.get(key);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(key);
}

/** Counts a run of a playbook that came (1) or left (-1), and returns how many there are now. */
export function countRun(desk: Desk, digest: string, by: 1 | -1): number {
  return addCount(desk.indexes.runsByPlaybook, digest, by);
}

/** Rebuilds the indexes from rows, after loading a desk; in joining order, so that walks over them come out as before. */
export function reindex(desk: Desk): void {
  const byJoin = [...desk.tables.alerts.rows.values()].sort((a, b) => a.joined - b.joined);
  for (const { alert, keys } of byJoin) {
    if (alert.incident !== null) indexAlert(desk, alert.fingerprint, alert.incident, keys);
  }
  const byFire = byJoin.filter(({ alert }) => isFiring(alert)).sort((a, b) => (a.fired ?? a.joined) - (b.fired ?? b.joined));
  for (const { alert } of byFire) if (alert.incident !== null) indexFiring(desk, alert.fingerprint, alert.incident, true);
  for (const [id, incident] of desk.tables.incidents.rows) {
    indexWaiting(desk, id);
    indexLife(desk, undefined, incident);
  }
  for (const { playbook } of desk.tables.runs.rows.values()) countRun(desk, playbook, 1);
  const { alerts, incidents, runs, silences } = desk.tables;
  indexAll(alerts);
  indexAll(incidents);
  indexAll(runs);
  indexAll(silences);
}
