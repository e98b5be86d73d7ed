// Where an alert belongs: its incident opens, reopens or takes it in, and says anew what it is about.
//   I1  A firing, confirmed alert is in exactly one incident; an unconfirmed one in none.
//   I3  A storm is one incident: members beyond the list are counted, never lost.
import type { Alert } from '../alert/row.ts';
import { staleMin } from '../alert/staleness.ts';
import { severityRank } from '../alert/severity.ts';
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import type { Evidence } from '../correlate/found.ts';
import { findIncident } from '../correlate/find.ts';
import { keysOf, type Key } from '../correlate/keys.ts';
import type { Desk } from '../desk.ts';
import { idOf } from '../ids.ts';
import { scoreOf } from '../score/score.ts';
import { calledNow, titleFor } from './called.ts';
import { childrenOf, incidentOf, type Incident } from './row.ts';

/** Puts a new or recurring firing alert where it belongs and returns that incident (I1). */
export function place(ctx: TurnContext, alert: Alert): string {
  const home = incidentOf(ctx, alert.incident);
  if (home !== undefined) {
    if (home.state === 'resolved') reopen(ctx, home.id, `${alert.summary} fires again`);
    return home.id;
  }
  const keys = keysOf(alert, ctx.policy.grouping.labels);
  const found = findIncident(ctx, alert, keys);
  if (found?.kind === 'join' && incidentOf(ctx, found.incident)?.state === 'resolved')
    reopen(ctx, found.incident, `${alert.summary} fires again`);
  const incident = found?.kind === 'join' ? found.incident : openIncident(ctx, alert, found?.title ?? null);
  join(ctx, alert, keys, { incident, evidence: found?.evidence ?? { kind: 'first', shared: '', lagSeconds: 0 } });
  return incident;
}

/** Opens an incident for the alert: a storm when it has a title of its own, else one that speaks with the alert's words. */
function openIncident(ctx: TurnContext, alert: Alert, asStorm: string | null): string {
  const incident = idOf('i', ctx.desk.scope, nextSeq(ctx));
  const title = asStorm ?? titleFor(alert, 0);
  emit(ctx, { type: 'IncidentOpened', incident, title, severity: alert.severity, storm: asStorm !== null });
  beginLife(ctx, incident);
  return incident;
}

function beginLife(ctx: TurnContext, id: string): void {
  const life = incidentOf(ctx, id)?.life ?? 1;
  wakeAfter(ctx, ctx.policy.settleMs, { kind: 'settle', incident: id, life });
  wakeAfter(ctx, Math.min(ctx.policy.staleMs, staleMin), { kind: 'stale', incident: id, life });
}

function join(ctx: TurnContext, alert: Alert, keys: readonly Key[], at: { readonly incident: string; readonly evidence: Evidence }): void {
  const before = incidentOf(ctx, at.incident);
  if (before === undefined) return;
  const { fingerprint, summary, source, startedAt, severity } = alert;
  const listed = before.listed.length < ctx.policy.grouping.membersMax; // I3
  const follows = occurrenceBefore(ctx, before, alert);
  emit(ctx, {
    type: 'AlertJoined',
    incident: before.id,
    fingerprint,
    summary,
    source,
    evidence: at.evidence,
    keys: keys.flatMap(({ text, role }) => (role === 'ask' ? [] : [text])),
    startedAt,
    severity,
    members: before.members + 1,
    listed,
    ...(follows === undefined ? {} : { follows }),
  });
  rerank(ctx, before, alert);
}

/** The newest member that was about the very same thing and is over. */
function occurrenceBefore(ctx: TurnContext, { listed }: Incident, { subject }: Alert): string | undefined {
  if (subject === undefined) return undefined;
  return listed.findLast((fingerprint) => {
    const other = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert;
    return other?.subject === subject && other.state === 'cleared';
  });
}

/** Brings title, root and score up to date after a join; in a large incident only when something people see has moved. */
function rerank(ctx: TurnContext, before: Incident, alert: Alert): void {
  const incident = incidentOf(ctx, before.id);
  if (incident === undefined) return;
  const root = rootOf(ctx.desk, incident, alert);
  const score = scoreOf(alert, ctx.desk.tables.rules.rows.get(alert.name), incident);
  const worse = severityRank(incident.severity) > severityRank(before.severity);
  const round = incident.members <= 8 || isRound(incident);
  if (!worse && !round && root === incident.root) return;
  emit(ctx, {
    type: 'IncidentChanged',
    incident: incident.id,
    severity: incident.severity,
    ...calledNow(ctx, incident),
    root,
    score: score.value > incident.score.value ? score : incident.score,
    settled: incident.settled,
  });
}

/** Has doubled; a storm, whose words count, has grown by an eighth or so. */
function isRound({ storm, members }: Incident): boolean {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(members)) - (storm ? 3 : 0));
  return members % step === 0;
}

/** The member that began first, the more severe of two that began together: most likely the cause. */
function rootOf(desk: Desk, incident: Incident, alert: Alert): string {
  const root = desk.tables.alerts.rows.get(incident.root)?.alert;
  if (root === undefined || alert.startedAt < root.startedAt) return alert.fingerprint;
  const together = alert.startedAt === root.startedAt && severityRank(alert.severity) > severityRank(root.severity);
  return together ? alert.fingerprint : incident.root;
}

/** A member became more severe: the incident does not wait to say so. */
export function raise(ctx: TurnContext, id: string, alert: Alert): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || severityRank(alert.severity) <= severityRank(incident.severity)) return;
  if (incident.state === 'resolved') reopen(ctx, id, `${alert.summary} is ${alert.severity} now`);
  const now = incidentOf(ctx, id) ?? incident;
  const { root, settled } = now;
  const { severity } = alert;
  const score = scoreOf(alert, ctx.desk.tables.rules.rows.get(alert.name), incident);
  emit(ctx, { type: 'IncidentChanged', incident: id, severity, ...calledNow(ctx, { ...now, severity }), root, score, settled });
}

/** A resolved incident burns again, or still: a new life of it begins. What a storm spoke for is asked whether it does so again. */
export function reopen(ctx: TurnContext, id: string, by: string): void {
  emit(ctx, { type: 'IncidentReopened', incident: id, by });
  beginLife(ctx, id);
  for (const child of childrenOf(ctx, id)) ctx.toDeliberate.add(child);
}
