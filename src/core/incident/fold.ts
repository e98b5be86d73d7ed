// Facts about incidents, folded into rows. Decides nothing.
import { indexAlert, indexFiring, indexLife, indexWaiting, metaOf, unchanged, unindexAlert, type Desk, type Folds } from '../desk.ts';
import { observe } from '../alert/flapping.ts';
import { isFiring, type AlertRow } from '../alert/row.ts';
import { severityRank, type Severity } from '../alert/severity.ts';
import { forgetRun } from '../run/fold.ts';
import { unlearnedScore } from '../score/score.ts';
import { change, drop, put } from '../table.ts';
import type { Instant } from '../time.ts';
import type {
  AlertJoined,
  IncidentAcknowledged,
  IncidentChanged,
  IncidentNested,
  IncidentOpened,
  IncidentReopened,
  IncidentResolved,
  IncidentUnacknowledged,
  IncidentUnnested,
} from './facts.ts';
import type { Incident, News } from './row.ts';

/** Of the remark of who resolved it, as much as the word about the end says. */
const noteCharsMax = 500;
/** There are four severities. */
const risesMax = 3;

export const incidentFolds: Folds<
  | 'IncidentOpened'
  | 'AlertJoined'
  | 'IncidentChanged'
  | 'IncidentNested'
  | 'IncidentUnnested'
  | 'IncidentAcknowledged'
  | 'IncidentUnacknowledged'
  | 'IncidentResolved'
  | 'IncidentReopened'
  | 'IncidentNoted'
> = {
  IncidentOpened: foldOpened,
  AlertJoined: foldJoined,
  IncidentChanged: foldChanged,
  IncidentNested: foldNested,
  IncidentUnnested: foldUnnested,
  IncidentAcknowledged: foldAcknowledged,
  IncidentUnacknowledged: foldUnacknowledged,
  IncidentResolved: foldResolved,
  IncidentReopened: foldReopened,
  IncidentNoted: unchanged,
};

function foldOpened(desk: Desk, fact: IncidentOpened): void {
  if (fact.storm) put(desk.tables.meta, 'desk', { ...metaOf(desk), storm: fact.incident });
  put(desk.tables.incidents, fact.incident, {
    id: fact.incident,
    title: fact.title,
    severity: fact.severity,
    state: 'open',
    storm: fact.storm,
    acked: null,
    parent: null,
    listed: [],
    members: 0,
    firing: 0,
    sources: [],
    root: '',
    score: { value: 0, terms: [] },
    openedAt: fact.at,
    firstStart: Number.MAX_SAFE_INTEGER,
    lastStart: 0,
    resolvedAt: null,
    resolvedBy: null,
    decision: null,
    reason: '',
    life: 1,
    lifeAt: fact.at,
    settled: false,
    tried: [],
    run: null,
    runs: [],
    outcome: null,
    page: null,
    pages: [],
  });
  indexLife(desk, undefined, desk.tables.incidents.rows.get(fact.incident));
}

function foldJoined(desk: Desk, fact: AlertJoined): void {
  const before = desk.tables.alerts.rows.get(fact.fingerprint);
  if (before !== undefined && before.alert.incident !== null) leave(desk, before, before.alert.incident);
  const followed = desk.tables.alerts.rows.get(fact.follows ?? '');
  if (followed?.flapping === true) put(desk.tables.alerts, followed.alert.fingerprint, { ...followed, flapping: false });
  change(desk.tables.alerts, fact.fingerprint, (row) => ({
    ...row,
    ...(followed === undefined ? {} : { history: observe(followed.history, isFiring(row.alert), fact.at), flapping: followed.flapping }),
    keys: fact.keys,
    joined: fact.seq,
    fired: fact.seq,
    alert: { ...row.alert, incident: fact.incident },
  }));
  const joined = desk.tables.alerts.rows.get(fact.fingerprint);
  const firing = joined !== undefined && isFiring(joined.alert) ? 1 : 0;
  change(desk.tables.incidents, fact.incident, (incident) => ({
    ...incident,
    members: fact.members,
    firing: incident.firing + firing,
    listed: fact.listed ? [...incident.listed, fact.fingerprint] : incident.listed,
    sources: incident.sources.includes(fact.source) ? incident.sources : [...incident.sources, fact.source],
    root: incident.root === '' ? fact.fingerprint : incident.root,
    firstStart: Math.min(incident.firstStart, fact.startedAt),
    lastStart: Math.max(incident.lastStart, fact.startedAt),
    ...risen(incident, fact.severity, fact.at),
  }));
  indexAlert(desk, fact.fingerprint, fact.incident, fact.keys);
  indexFiring(desk, fact.fingerprint, fact.incident, firing === 1);
}

/** A recurring alert goes to another incident than the one it was in. */
function leave(desk: Desk, { alert, keys }: AlertRow, incident: string): void {
  unindexAlert(desk, alert.fingerprint, incident, keys);
  if (isFiring(alert)) change(desk.tables.incidents, incident, (row) => ({ ...row, firing: row.firing - 1 }));
}

function foldChanged(desk: Desk, fact: IncidentChanged): void {
  const { severity, now, title, root, score, settled, at } = fact;
  change(desk.tables.incidents, fact.incident, ({ now: _before, ...incident }) => ({
    ...incident,
    ...risen(incident, severity, at),
    severity,
    ...(now === undefined ? {} : { now }),
    title,
    root,
    score,
    settled,
  }));
}

function risen(incident: Incident, severity: Severity, at: Instant): Partial<Pick<Incident, 'severity' | 'risenAt' | 'rises'>> {
  const { severity: from, rises = [] } = incident;
  if (severityRank(severity) <= severityRank(from)) return {};
  return { severity, risenAt: at, rises: [...rises, { at, from, score: unlearnedScore(incident) }].slice(-risesMax) };
}

function foldNested(desk: Desk, { incident, parent }: IncidentNested): void {
  changeLife(desk, incident, (row) => ({ ...row, parent }));
}

/** What rang before it was adopted rings again, for this reason. */
function foldUnnested(desk: Desk, { incident, kind, reason, about }: IncidentUnnested): void {
  const news: News = { kind, text: reason, ...(about === undefined ? {} : { about }) };
  changeLife(desk, incident, (row) => ({ ...row, parent: null, ...(row.page === null ? {} : { news }) }));
}

function changeLife(desk: Desk, id: string, next: (row: Incident) => Incident): void {
  const before = desk.tables.incidents.rows.get(id);
  change(desk.tables.incidents, id, next);
  indexLife(desk, before, desk.tables.incidents.rows.get(id));
}

function foldResolved(desk: Desk, fact: IncidentResolved): void {
  const waitedFor = desk.tables.incidents.rows.get(fact.incident)?.waitsFor;
  change(desk.tables.incidents, fact.incident, ({ held: _held, waitsFor: _waitsFor, asked: _asked, ...incident }) => ({
    ...incident,
    state: 'resolved' as const,
    resolvedAt: fact.at,
    resolvedBy: fact.by,
    ended: { who: fact.who, note: fact.note.slice(0, noteCharsMax) },
    ...(fact.forced === undefined ? {} : { forced: fact.forced }),
  }));
  indexWaiting(desk, fact.incident, waitedFor);
  if (metaOf(desk).storm === fact.incident) put(desk.tables.meta, 'desk', { ...metaOf(desk), storm: null });
}

function foldAcknowledged(desk: Desk, { incident, by, via, at, covers, storm, run }: IncidentAcknowledged): void {
  const how = { ...(storm === undefined ? {} : { storm }), ...(run === undefined ? {} : { run }) };
  change(desk.tables.incidents, incident, ({ news: _news, lapsed: _lapsed, ...row }) => ({
    ...row,
    state: 'acknowledged' as const,
    acked: { by, at },
    ...(covers === undefined ? {} : { taken: { by, via, at, covers, ...how } }),
  }));
}

/** With its storm, which rings for it: there is nothing to ring for besides. */
function foldUnacknowledged(desk: Desk, { incident, via, kind, reason, about, storm }: IncidentUnacknowledged): void {
  change(desk.tables.incidents, incident, ({ taken: _taken, ...row }) => ({
    ...row,
    state: 'open' as const,
    acked: null,
    ...(kind === 'unacknowledged' && via !== 'source' ? { lapsed: true as const } : {}),
    ...(storm === undefined ? { news: { kind, text: reason, ...(about === undefined ? {} : { about }) } } : {}),
  }));
}

/** A new life speaks for itself, whatever storm spoke for the one before. */
function foldReopened(desk: Desk, fact: IncidentReopened): void {
  changeLife(
    desk,
    fact.incident,
    ({
      taken: _taken,
      lapsed: _lapsed,
      news: _news,
      hushed: _hushed,
      held: _held,
      forced: _forced,
      asked: _asked,
      ended: _ended,
      ...incident
    }) => ({
      ...incident,
      state: 'open' as const,
      acked: null,
      resolvedAt: null,
      resolvedBy: null,
      decision: null,
      reason: '',
      life: incident.life + 1,
      lifeAt: fact.at,
      parent: null,
      settled: false,
      tried: [],
      outcome: null,
      page: null,
    }),
  );
}

export function forgetIncident(desk: Desk, id: string): void {
  const incident: Incident | undefined = desk.tables.incidents.rows.get(id);
  for (const run of incident?.runs ?? []) forgetRun(desk, run);
  for (const page of incident?.pages ?? []) drop(desk.tables.pages, page);
  desk.indexes.alertsByIncident.delete(id);
  desk.indexes.firingByIncident.delete(id);
  indexLife(desk, incident, undefined);
  drop(desk.tables.incidents, id);
}
