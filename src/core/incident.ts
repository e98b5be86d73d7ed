// One incident: which alerts are in it and why, how it opens, changes, resolves, reopens and leaves the desk.
// What to do about it is deliberate.ts; the words people read are notice.ts.
//   I1  A firing, confirmed alert is in exactly one incident; an unconfirmed one in none.
//   I2  An incident resolves when its last member clears and no run has left it in doubt, or a person says so;
//       muting never keeps it open or closes it.
//   I3  A storm is one incident: members beyond the list are counted, never lost.
import { severityRank, type Alert } from './alert.ts';
import { metaOf, type Desk, type Incident } from './desk.ts';
import { idOf } from './ids.ts';
import { keysOf } from './keys.ts';
import { emit, nextSeq, wakeAfter, type Turn } from './law.ts';
import { refreshMute } from './mute.ts';
import { closePage, isUnderWay, pageOf } from './page.ts';
import type { Evidence, ResolvedBy } from './records.ts';
import { scoreOf } from './score.ts';
import { minute, type Instant } from './time.ts';

const rulesMax = 10_000;
const rulesPerIncident = 20;
const sweptPerTurn = 1_000;

export function incidentOf(turn: Turn, id: string | null): Incident | undefined {
  return id === null ? undefined : turn.desk.tables.incidents.rows.get(id);
}

/** Number of the half storm window an instant lies in. */
export function halfOf(turn: Turn): number {
  return Math.floor(turn.at / Math.max(1, turn.law.policy.storm.withinMs / 2));
}

/** Puts a new or recurring firing alert where it belongs and returns that incident (I1). */
export function place(turn: Turn, alert: Alert): string {
  const home = incidentOf(turn, alert.incident);
  if (home !== undefined) {
    if (home.state === 'resolved') reopen(turn, home.id, `${alert.summary} fires again`);
    return home.id;
  }
  const keys = keysOf(alert, turn.law.policy.grouping.labels);
  const found = findIncident(turn, alert, keys) ?? openIncident(turn, alert);
  join(turn, alert, keys, found);
  return found.incident;
}

interface Found {
  readonly incident: string;
  readonly evidence: Evidence;
}

function findIncident(turn: Turn, alert: Alert, keys: readonly string[]): Found | null {
  for (const key of keys) {
    const candidates = turn.desk.indexes.incidentsByKey.get(key);
    let best: { readonly incident: Incident; readonly lag: number } | null = null;
    for (const id of candidates?.keys() ?? []) {
      const incident = incidentOf(turn, id);
      if (incident === undefined || incident.state === 'resolved' || incident.storm) continue;
      const lag = lagOf(incident, alert.startedAt);
      if (lag > turn.law.policy.grouping.windowMs) continue;
      if (
        best === null ||
        incident.lastStart > best.incident.lastStart ||
        (incident.lastStart === best.incident.lastStart && id > best.incident.id)
      )
        best = { incident, lag };
    }
    if (best !== null)
      return {
        incident: best.incident.id,
        evidence: { kind: key.includes('=') ? 'labels' : 'entity', shared: key, lagSeconds: Math.round(best.lag / 1_000) },
      };
  }
  return findStorm(turn, alert);
}

/** Event-time distance between an alert's start and the span of an incident's starts; 0 inside it. */
function lagOf(incident: Incident, startedAt: Instant): number {
  return Math.max(0, startedAt - incident.lastStart, incident.firstStart - startedAt);
}

function findStorm(turn: Turn, alert: Alert): Found | null {
  const meta = metaOf(turn.desk);
  const { storm } = turn.law.policy;
  const recent = meta.halfCount + (meta.half === halfOf(turn) ? meta.lastHalfCount : 0);
  const running = incidentOf(turn, meta.storm);
  const on = running !== undefined && running.state !== 'resolved' && recent * 2 >= storm.alerts;
  if (on) {
    const lagSeconds = Math.round(lagOf(running, alert.startedAt) / 1_000);
    return { incident: running.id, evidence: { kind: 'storm', shared: `${recent} new alerts`, lagSeconds } };
  }
  if (recent < storm.alerts) return null;
  const incident = idOf('i', turn.desk.scope, nextSeq(turn));
  const title = `alert storm: ${recent} new alerts within ${storm.withinMs / 1_000} s`;
  emit(turn, { type: 'IncidentOpened', incident, title, severity: alert.severity, storm: true });
  beginLife(turn, incident);
  return { incident, evidence: { kind: 'storm', shared: `${recent} new alerts`, lagSeconds: 0 } };
}

function openIncident(turn: Turn, alert: Alert): Found {
  const incident = idOf('i', turn.desk.scope, nextSeq(turn));
  emit(turn, { type: 'IncidentOpened', incident, title: alert.summary, severity: alert.severity, storm: false });
  beginLife(turn, incident);
  return { incident, evidence: { kind: 'first', shared: '', lagSeconds: 0 } };
}

function beginLife(turn: Turn, id: string): void {
  const life = incidentOf(turn, id)?.life ?? 1;
  wakeAfter(turn, turn.law.policy.settleMs, { kind: 'settle', incident: id, life });
  wakeAfter(turn, turn.law.policy.staleMs, { kind: 'stale', incident: id, life });
}

function join(turn: Turn, alert: Alert, keys: readonly string[], found: Found): void {
  const before = incidentOf(turn, found.incident);
  if (before === undefined) return;
  const { fingerprint, summary, source, startedAt, severity } = alert;
  const listed = before.listed.length < turn.law.policy.grouping.membersMax; // I3
  emit(turn, {
    type: 'AlertJoined',
    incident: before.id,
    fingerprint,
    summary,
    source,
    evidence: found.evidence,
    keys,
    startedAt,
    severity,
    members: before.members + 1,
    listed,
  });
  rerank(turn, before, alert);
}

/** Brings title, root and score up to date after a join; in a large incident only when something people see has moved. */
function rerank(turn: Turn, before: Incident, alert: Alert): void {
  const incident = incidentOf(turn, before.id);
  if (incident === undefined) return;
  const root = rootOf(turn.desk, incident, alert);
  const score = scoreOf(alert, turn.desk.tables.rules.rows.get(alert.name), incident);
  const worse = severityRank(incident.severity) > severityRank(before.severity);
  const round = incident.members <= 8 || Number.isInteger(Math.log2(incident.members));
  if (!worse && !round && root === incident.root) return;
  emit(turn, {
    type: 'IncidentChanged',
    incident: incident.id,
    severity: incident.severity,
    title: titleOf(turn.desk, incident, root),
    root,
    score: score.value > incident.score.value ? score : incident.score,
    settled: incident.settled,
  });
}

/** The member that began first, the more severe of two that began together: most likely the cause. */
function rootOf(desk: Desk, incident: Incident, alert: Alert): string {
  const root = desk.tables.alerts.rows.get(incident.root)?.alert;
  if (root === undefined || alert.startedAt < root.startedAt) return alert.fingerprint;
  const together = alert.startedAt === root.startedAt && severityRank(alert.severity) > severityRank(root.severity);
  return together ? alert.fingerprint : incident.root;
}

export function titleOf(desk: Desk, incident: Incident, root: string): string {
  if (incident.storm) return `alert storm: ${incident.members} alerts from ${incident.sources.join(', ')}`;
  const summary = desk.tables.alerts.rows.get(root)?.alert.summary ?? incident.title;
  return incident.members > 1 ? `${summary} (and ${incident.members - 1} more)` : summary;
}

/** A member became more severe: the incident does not wait to say so. */
export function raise(turn: Turn, id: string, alert: Alert): void {
  const incident = incidentOf(turn, id);
  if (incident === undefined || severityRank(alert.severity) <= severityRank(incident.severity)) return;
  const { title, root, settled } = incident;
  const score = scoreOf(alert, turn.desk.tables.rules.rows.get(alert.name), incident);
  emit(turn, { type: 'IncidentChanged', incident: id, severity: alert.severity, title, root, score, settled });
}

export function reopen(turn: Turn, id: string, by: string): void {
  emit(turn, { type: 'IncidentReopened', incident: id, by });
  beginLife(turn, id);
}

export function resolve(turn: Turn, id: string, how: { readonly by: ResolvedBy; readonly who: string; readonly note: string }): void {
  const incident = incidentOf(turn, id);
  if (incident === undefined || incident.state === 'resolved') return;
  if (!incident.storm && incident.parent === null) learn(turn, incident, how.by);
  emit(turn, { type: 'IncidentResolved', incident: id, ...how });
  const page = pageOf(turn, incident.page);
  if (page !== undefined) closePage(turn, page, `incident resolved by ${how.by}`);
  for (const child of incident.storm ? childrenOf(turn, id) : []) {
    if (how.by === 'human') resolve(turn, child, how);
    else turn.open.set(child, null);
  }
  wakeAfter(turn, turn.law.policy.grouping.reopenMs, { kind: 'close', incident: id, life: incident.life });
}

/** Incidents that a storm spoke for: a person's word about it is about them, else they speak for themselves again. */
function childrenOf(turn: Turn, parent: string): readonly string[] {
  const children: string[] = [];
  for (const incident of turn.desk.tables.incidents.rows.values()) {
    if (incident.parent === parent && incident.state !== 'resolved') children.push(incident.id);
  }
  return children.sort();
}

/**
 * Counts for each rule in the incident whether someone or something had to act, or it passed by itself.
 * A storm says nothing about the rules in it: a thousand alerts of one cause are one experience, and not one about each rule.
 */
function learn(turn: Turn, incident: Incident, by: ResolvedBy): void {
  const acted = by === 'human' || by === 'playbook' || incident.state === 'acknowledged';
  const rules = new Set<string>();
  for (const fingerprint of incident.listed) {
    const name = turn.desk.tables.alerts.rows.get(fingerprint)?.alert.name;
    if (name !== undefined && rules.size < rulesPerIncident) rules.add(name);
  }
  for (const rule of rules) {
    const counts = turn.desk.tables.rules.rows.get(rule);
    if (counts === undefined && turn.desk.tables.rules.rows.size >= rulesMax) continue;
    const before = counts ?? { acted: 0, passed: 0 };
    emit(turn, { type: 'RuleLearned', rule, acted: before.acted + (acted ? 1 : 0), passed: before.passed + (acted ? 0 : 1) });
  }
}

/** The time for reopening is over: members and incident leave the desk, a bounded number each turn. */
export function sweep(turn: Turn, id: string, life: number): void {
  const incident = incidentOf(turn, id);
  if (incident?.state !== 'resolved' || incident.life !== life) return;
  if (isBusy(turn, incident)) return wakeAfter(turn, minute, { kind: 'close', incident: id, life, asked: nextSeq(turn) });
  const members = turn.desk.indexes.alertsByIncident.get(id) ?? new Set<string>();
  const keys = members.values().take(sweptPerTurn).toArray();
  if (keys.length > 0) emit(turn, { type: 'DeskSwept', table: 'alerts', keys });
  if (members.size > 0) return wakeAfter(turn, 0, { kind: 'close', incident: id, life, asked: nextSeq(turn) });
  emit(turn, { type: 'DeskSwept', table: 'incidents', keys: [id] });
}

/** A run still works or waits for an answer, or somebody is still to be told of the end. */
function isBusy(turn: Turn, incident: Incident): boolean {
  const { runs, pages } = turn.desk.tables;
  if (incident.runs.some((id) => runs.rows.get(id)?.end === null)) return true;
  return incident.pages.some((id) => pages.rows.get(id)?.outgoing.some(isUnderWay) === true);
}

/** Takes members as ended that nobody has repeated or cleared for the policy's span; a bounded number each turn. */
export function expireStale(turn: Turn, id: string, life: number): void {
  const incident = incidentOf(turn, id);
  if (incident === undefined || incident.state === 'resolved' || incident.life !== life) return;
  const { staleMs } = turn.law.policy;
  let expired = 0;
  let oldest = turn.at;
  for (const fingerprint of turn.desk.indexes.alertsByIncident.get(id) ?? []) {
    const alert = turn.desk.tables.alerts.rows.get(fingerprint)?.alert;
    if (alert?.state !== 'firing') continue;
    if (turn.at - alert.seenAt < staleMs || expired >= sweptPerTurn) {
      oldest = Math.min(oldest, alert.seenAt);
      continue;
    }
    expired += 1;
    const ended: Alert = { ...alert, state: 'cleared', clearedAt: turn.at };
    emit(turn, {
      type: 'AlertMerged',
      fingerprint,
      change: 'cleared',
      alert: ended,
      count: alert.count,
      observedAt: alert.observedAt,
      observed: false,
      half: null,
      note: 'nobody repeated or cleared it: taken as ended',
    });
    refreshMute(turn, fingerprint);
  }
  // Also when none is left that fires: an incident in doubt stays open, and may burn again.
  wakeAfter(turn, Math.max(minute, oldest + staleMs - turn.at), { kind: 'stale', incident: id, life, asked: nextSeq(turn) });
  turn.open.set(id, null);
}
