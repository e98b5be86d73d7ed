// The one writer of a desk: folds a fact into its rows. Decides nothing, reads no policy, touches only what the fact names.
//   D1  Folding a scope's facts from the beginning gives the desk that the turns left.
import { metaOf, worldOf, type Desk, type HeldAlert, type Incident, type Outgoing, type Page, type Run } from './desk.ts';
import { assertNever, invariant } from './errors.ts';
import { noHistory, observe } from './flap.ts';
import type * as Facts from './records.ts';
import type { Fact } from './records.ts';
import { drop, put, type Table } from './table.ts';
import { severityRank, type Alert } from './alert.ts';
import type { Instant } from './time.ts';

const startsKept = 50;
const outgoingKept = 64;

export function evolve(desk: Desk, fact: Fact): void {
  invariant(fact.seq === metaOf(desk).seq + 1, `L1: fact ${fact.seq} follows ${metaOf(desk).seq} in scope ${desk.scope}`);
  put(desk.tables.meta, 'desk', { ...metaOf(desk), seq: fact.seq, now: Math.max(metaOf(desk).now, fact.at) });
  fold(desk, fact);
}

function fold(desk: Desk, fact: Fact): void {
  switch (fact.type) {
    case 'PolicyAdopted':
      return put(desk.tables.world, 'world', { ...worldOf(desk), policy: fact.policy });
    case 'FreezeChanged':
      return put(desk.tables.world, 'world', { ...worldOf(desk), frozen: fact.frozen });
    case 'AlertMerged':
      return foldMerged(desk, fact);
    case 'AlertMuted':
      return foldMuted(desk, fact);
    case 'AlertFlapping':
      return change(desk.tables.alerts, fact.fingerprint, (held) => ({ ...held, flapping: fact.flapping }));
    case 'IncidentOpened':
      return foldOpened(desk, fact);
    case 'AlertJoined':
      return foldJoined(desk, fact);
    case 'IncidentChanged':
      return change(desk.tables.incidents, fact.incident, (incident) => ({
        ...incident,
        severity: fact.severity,
        title: fact.title,
        root: fact.root,
        score: fact.score,
        settled: fact.settled,
      }));
    case 'IncidentNested':
      return change(desk.tables.incidents, fact.incident, (incident) => ({ ...incident, parent: fact.parent }));
    case 'IncidentDecided':
      return change(desk.tables.incidents, fact.incident, (incident) => ({ ...incident, decision: fact.decision, reason: fact.reason }));
    case 'IncidentAcknowledged':
      return change(desk.tables.incidents, fact.incident, (incident) => ({ ...incident, state: 'acknowledged' as const }));
    case 'IncidentResolved':
      return foldResolved(desk, fact);
    case 'IncidentReopened':
      return foldReopened(desk, fact);
    case 'SilenceChanged':
      return foldSilence(desk, fact);
    case 'RuleLearned':
      return put(desk.tables.rules, fact.rule, { acted: fact.acted, passed: fact.passed });
    case 'WakeRequested':
      return put(desk.tables.wakes, fact.token, { wake: fact.wake, dueAt: fact.dueAt, afterMs: fact.afterMs });
    case 'WakeSpent':
      return drop(desk.tables.wakes, fact.token);
    case 'DeskSwept':
      return foldSwept(desk, fact);
    case 'RunStarted':
    case 'RunRefused':
    case 'StepRequested':
    case 'StepGranted':
    case 'StepFinished':
    case 'RunMoved':
    case 'RunFinished':
      return foldRun(desk, fact);
    case 'PageOpened':
    case 'PageRang':
    case 'NotifyRequested':
    case 'NotifyFinished':
    case 'PageAcked':
    case 'PageClosed':
      return foldPage(desk, fact);
    case 'AlertDecided':
      if (fact.delivery !== '') put(desk.tables.deliveries, fact.delivery, { at: fact.at, upTo: fact.index });
      return;
    case 'AlertsMissing':
    case 'IncidentNoted':
    case 'ApprovalRequested':
    case 'ApprovalGiven':
      return;
    default:
      assertNever(fact);
  }
}

/** Replaces one row that must exist. */
function change<Row>(table: Table<Row>, key: string, next: (row: NoInfer<Row>) => NoInfer<Row>): void {
  const row = table.rows.get(key);
  invariant(row !== undefined, `D1: a fact names the row ${key}, which is not on the desk`);
  put(table, key, next(row));
}

function foldMerged(desk: Desk, fact: Facts.AlertMerged): void {
  if (fact.half !== null) countNew(desk, fact.half);
  const held = desk.tables.alerts.rows.get(fact.fingerprint);
  if (fact.alert === null) {
    if (held === undefined) return;
    const alert = { ...held.alert, count: fact.count, observedAt: Math.max(held.alert.observedAt, fact.observedAt), seenAt: fact.at };
    const history = fact.observed ? observe(held.history, alert.state === 'firing') : held.history;
    return put(desk.tables.alerts, fact.fingerprint, { ...held, alert, history });
  }
  const firing = isFiring(fact.alert);
  const before = held?.history ?? noHistory(fact.alert.state === 'firing');
  put(desk.tables.alerts, fact.fingerprint, {
    alert: fact.alert,
    history: fact.observed ? observe(before, fact.alert.state === 'firing') : before,
    flapping: held?.flapping ?? false,
    muted: held?.muted ?? null,
    keys: held?.keys ?? [],
    joined: held?.joined ?? 0,
  });
  const incident = fact.alert.incident;
  const was = held !== undefined && isFiring(held.alert);
  if (incident === null || was === firing) return;
  change(desk.tables.incidents, incident, (row) => ({ ...row, firing: row.firing + (firing ? 1 : -1) }));
}

/** Counts in its incident: an unconfirmed alert does not (I1). */
function isFiring(alert: Alert): boolean {
  return alert.state === 'firing' && !alert.soft;
}

function countNew(desk: Desk, half: number): void {
  const meta = metaOf(desk);
  const next =
    half === meta.half
      ? { halfCount: meta.halfCount + 1 }
      : { half, halfCount: 1, lastHalfCount: half === meta.half + 1 ? meta.halfCount : 0 };
  put(desk.tables.meta, 'desk', { ...meta, ...next });
}

function foldMuted(desk: Desk, fact: Facts.AlertMuted): void {
  const held = desk.tables.alerts.rows.get(fact.fingerprint);
  invariant(held !== undefined, 'D1: a muted alert is on the desk');
  countMuting(desk, held.muted, -1);
  countMuting(desk, fact.reason, 1);
  put(desk.tables.alerts, fact.fingerprint, { ...held, muted: fact.reason });
}

function countMuting(desk: Desk, reason: Facts.MuteReason | null, by: 1 | -1): void {
  if (reason?.kind !== 'silence') return;
  const held = desk.tables.silences.rows.get(reason.silence);
  if (held !== undefined) put(desk.tables.silences, reason.silence, { ...held, muting: Math.max(0, held.muting + by), used: true });
}

function foldOpened(desk: Desk, fact: Facts.IncidentOpened): void {
  if (fact.storm) put(desk.tables.meta, 'desk', { ...metaOf(desk), storm: fact.incident });
  put(desk.tables.incidents, fact.incident, {
    id: fact.incident,
    title: fact.title,
    severity: fact.severity,
    state: 'open',
    storm: fact.storm,
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
}

function foldJoined(desk: Desk, fact: Facts.AlertJoined): void {
  const before = desk.tables.alerts.rows.get(fact.fingerprint);
  if (before !== undefined && before.alert.incident !== null) leave(desk, before, before.alert.incident);
  change(desk.tables.alerts, fact.fingerprint, (held) => ({
    ...held,
    keys: fact.keys,
    joined: fact.seq,
    alert: { ...held.alert, incident: fact.incident },
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
    severity: severityRank(fact.severity) > severityRank(incident.severity) ? fact.severity : incident.severity,
  }));
  indexAlert(desk, fact.fingerprint, fact.incident, fact.keys);
}

/** A recurring alert goes to another incident than the one it was in. */
function leave(desk: Desk, held: HeldAlert, incident: string): void {
  unindexAlert(desk, held.alert.fingerprint, incident, held.keys);
  if (isFiring(held.alert)) change(desk.tables.incidents, incident, (row) => ({ ...row, firing: row.firing - 1 }));
}

function indexAlert(desk: Desk, fingerprint: string, incident: string, keys: readonly string[]): void {
  const { incidentsByKey, alertsByIncident } = desk.indexes;
  for (const key of keys) {
    const counts = incidentsByKey.get(key);
    if (counts === undefined) incidentsByKey.set(key, new Map([[incident, 1]]));
    else counts.set(incident, (counts.get(incident) ?? 0) + 1);
  }
  const members = alertsByIncident.get(incident);
  if (members === undefined) alertsByIncident.set(incident, new Set([fingerprint]));
  else members.add(fingerprint);
}

function unindexAlert(desk: Desk, fingerprint: string, incident: string, keys: readonly string[]): void {
  const { incidentsByKey, alertsByIncident } = desk.indexes;
  for (const key of keys) {
    const counts = incidentsByKey.get(key);
    const left = (counts?.get(incident) ?? 0) - 1;
    if (left > 0) counts?.set(incident, left);
    else counts?.delete(incident);
    if (counts?.size === 0) incidentsByKey.delete(key);
  }
  alertsByIncident.get(incident)?.delete(fingerprint);
}

function foldResolved(desk: Desk, fact: Facts.IncidentResolved): void {
  change(desk.tables.incidents, fact.incident, (incident) => ({
    ...incident,
    state: 'resolved' as const,
    resolvedAt: fact.at,
    resolvedBy: fact.by,
  }));
  if (metaOf(desk).storm === fact.incident) put(desk.tables.meta, 'desk', { ...metaOf(desk), storm: null });
}

function foldReopened(desk: Desk, fact: Facts.IncidentReopened): void {
  change(desk.tables.incidents, fact.incident, (incident) => ({
    ...incident,
    state: 'open' as const,
    resolvedAt: null,
    resolvedBy: null,
    decision: null,
    reason: '',
    life: incident.life + 1,
    lifeAt: fact.at,
    settled: false,
    tried: [],
    outcome: null,
    page: null,
  }));
}

function foldSilence(desk: Desk, fact: Facts.SilenceChanged): void {
  const { silences } = desk.tables;
  if (fact.state === 'expired') return drop(silences, fact.silence.id);
  const before = silences.rows.get(fact.silence.id);
  put(silences, fact.silence.id, { silence: fact.silence, muting: before?.muting ?? 0, used: before?.used ?? false });
}

function foldSwept(desk: Desk, fact: Facts.DeskSwept): void {
  for (const key of fact.keys) {
    if (fact.table === 'alerts') forgetAlert(desk, key);
    else if (fact.table === 'incidents') forgetIncident(desk, key);
    else if (fact.table === 'deliveries') drop(desk.tables.deliveries, key);
    else if (fact.table === 'targets') drop(desk.tables.targets, key);
    else invariant(false, `D1: nothing sweeps the table ${fact.table}`);
  }
}

function forgetAlert(desk: Desk, fingerprint: string): void {
  const held: HeldAlert | undefined = desk.tables.alerts.rows.get(fingerprint);
  if (held === undefined) return;
  if (held.alert.incident !== null) unindexAlert(desk, fingerprint, held.alert.incident, held.keys);
  countMuting(desk, held.muted, -1);
  drop(desk.tables.alerts, fingerprint);
}

function forgetIncident(desk: Desk, id: string): void {
  const incident: Incident | undefined = desk.tables.incidents.rows.get(id);
  for (const run of incident?.runs ?? []) drop(desk.tables.runs, run);
  for (const page of incident?.pages ?? []) drop(desk.tables.pages, page);
  desk.indexes.alertsByIncident.delete(id);
  drop(desk.tables.incidents, id);
}

type RunFact =
  | Facts.RunStarted
  | Facts.RunRefused
  | Facts.StepRequested
  | Facts.StepGranted
  | Facts.StepFinished
  | Facts.RunMoved
  | Facts.RunFinished;

function foldRun(desk: Desk, fact: RunFact): void {
  switch (fact.type) {
    case 'RunStarted':
      return foldStarted(desk, fact);
    case 'RunRefused':
      return change(desk.tables.incidents, fact.incident, (incident) => ({
        ...incident,
        tried: [...incident.tried, fact.playbook],
        outcome: fact.mode === 'shadow' ? incident.outcome : { end: 'refused' as const, playbook: fact.playbook, reason: fact.reason },
      }));
    case 'StepRequested':
      return change(desk.tables.runs, fact.run, (run) => ({
        ...run,
        attempt: fact.attempt,
        call: { id: fact.call, step: fact.step, attempt: fact.attempt, worker: null, requestedAt: fact.at, timeoutMs: fact.timeoutMs },
      }));
    case 'StepGranted':
      return change(desk.tables.runs, fact.run, (run) => ({
        ...run,
        effects: run.effects + (run.phase === 'steps' || run.phase === 'undo' ? 1 : 0),
        call: run.call === null ? null : { ...run.call, worker: fact.worker },
      }));
    case 'StepFinished':
      return change(desk.tables.runs, fact.run, (run) => finishedStep(run, fact));
    case 'RunMoved':
      return change(desk.tables.runs, fact.run, (run) => movedRun(run, fact));
    case 'RunFinished':
      return foldFinished(desk, fact);
  }
}

function foldStarted(desk: Desk, fact: Facts.RunStarted): void {
  put(desk.tables.runs, fact.run, {
    id: fact.run,
    incident: fact.incident,
    playbook: fact.playbook,
    mode: fact.mode,
    params: fact.params,
    target: fact.target,
    startedAt: fact.at,
    phase: 'diagnose',
    index: 0,
    attempt: 0,
    pause: 0,
    call: null,
    outputs: {},
    undos: [],
    verifyingSince: null,
    goodSince: null,
    failure: null,
    degraded: false,
    effects: 0,
    end: null,
  });
  change(desk.tables.incidents, fact.incident, (incident) => ({
    ...incident,
    run: fact.mode === 'shadow' ? incident.run : fact.run,
    runs: [...incident.runs, fact.run],
    tried: [...incident.tried, fact.playbook.name],
  }));
  if (fact.mode === 'shadow') return;
  const before = desk.tables.targets.rows.get(fact.target) ?? { holder: null, lastEndAt: null, starts: [] };
  const starts = [...before.starts, { playbook: fact.playbook.name, at: fact.at }].slice(-startsKept);
  put(desk.tables.targets, fact.target, { ...before, holder: fact.run, starts });
}

function finishedStep(run: Run, fact: Facts.StepFinished): Run {
  const output = fact.outcome.outcome === 'unknown' ? {} : fact.outcome.output;
  return {
    ...run,
    call: null,
    outputs: fact.phase === 'undo' ? run.outputs : { ...run.outputs, [fact.step]: output },
    undos: fact.undo === null ? run.undos : [...run.undos, { step: fact.step, ...fact.undo }],
  };
}

function movedRun(run: Run, fact: Facts.RunMoved): Run {
  return {
    ...run,
    phase: fact.phase,
    index: fact.index,
    attempt: fact.attempt,
    pause: fact.pause ?? run.pause,
    goodSince: fact.goodSince === undefined ? run.goodSince : fact.goodSince,
    failure: fact.failure ?? run.failure,
    degraded: run.degraded || fact.degraded === true,
    verifyingSince: fact.phase === 'verify' ? (run.verifyingSince ?? fact.at) : run.verifyingSince,
  };
}

function foldFinished(desk: Desk, fact: Facts.RunFinished): void {
  const { playbook } = fact;
  change(desk.tables.runs, fact.run, (run) => ({ ...run, phase: 'ended' as const, end: fact.end, call: null }));
  change(desk.tables.incidents, fact.incident, (incident) =>
    incident.run === fact.run ? { ...incident, run: null, outcome: { end: fact.end, playbook, reason: fact.reason } } : incident,
  );
  const target = desk.tables.runs.rows.get(fact.run)?.target ?? '';
  const history = desk.tables.targets.rows.get(target);
  if (history?.holder === fact.run) put(desk.tables.targets, target, { ...history, holder: null, lastEndAt: fact.at });
}

type PageFact = Facts.PageOpened | Facts.PageRang | Facts.NotifyRequested | Facts.NotifyFinished | Facts.PageAcked | Facts.PageClosed;

function foldPage(desk: Desk, fact: PageFact): void {
  if (fact.type === 'PageOpened') {
    put(desk.tables.pages, fact.page, openedPage(fact));
    return change(desk.tables.incidents, fact.incident, (incident) => ({
      ...incident,
      page: fact.page,
      pages: [...incident.pages, fact.page],
    }));
  }
  change(desk.tables.pages, fact.page, (page) => changedPage(page, fact));
}

function openedPage(fact: Facts.PageOpened): Page {
  return {
    id: fact.page,
    incident: fact.incident,
    ladder: fact.ladder,
    title: fact.title,
    reason: fact.reason,
    state: 'ringing',
    openedAt: fact.at,
    round: 0,
    rung: 0,
    ring: 0,
    outgoing: [],
    told: [],
    ackedBy: null,
  };
}

function changedPage(page: Page, fact: Exclude<PageFact, Facts.PageOpened>): Page {
  switch (fact.type) {
    case 'PageRang':
      return {
        ...page,
        state: 'ringing',
        round: fact.round,
        rung: fact.rung,
        ring: fact.ring,
        reason: fact.reason ?? page.reason,
      };
    case 'NotifyRequested': {
      const sent: Outgoing = {
        notification: fact.notification,
        notifier: fact.notifier,
        attempt: fact.attempt,
        ring: page.outgoing.find((outgoing) => outgoing.notification.id === fact.notification.id)?.ring ?? page.ring,
        state: 'sent',
      };
      const others = page.outgoing.filter((outgoing) => outgoing.notification.id !== fact.notification.id);
      return { ...page, outgoing: [...others, sent].slice(-outgoingKept) };
    }
    case 'NotifyFinished': {
      const state = fact.retry ? 'waiting' : fact.outcome.outcome === 'accepted' ? 'accepted' : 'refused';
      const outgoing = page.outgoing.map((one) =>
        one.notification.id === fact.notification ? ({ ...one, state } satisfies Outgoing) : one,
      );
      const reached = fact.outcome.outcome === 'accepted' || fact.outcome.outcome === 'unknown';
      const told = reached && !page.told.includes(fact.notifier) ? [...page.told, fact.notifier] : page.told;
      return { ...page, outgoing, told };
    }
    case 'PageAcked':
      return { ...page, state: 'acked', ackedBy: fact.by };
    case 'PageClosed':
      return { ...page, state: 'closed' };
  }
}

/** Rebuilds the indexes from rows, after loading a desk; in joining order, so that walks over them come out as before. */
export function reindex(desk: Desk): void {
  const byJoin = [...desk.tables.alerts.rows.values()].sort((a, b) => a.joined - b.joined);
  for (const held of byJoin) {
    if (held.alert.incident !== null) indexAlert(desk, held.alert.fingerprint, held.alert.incident, held.keys);
  }
}

/** The newest time the desk has seen; an input stamped earlier is taken to come at this time. */
export function timeOf(desk: Desk, at: Instant): Instant {
  return Math.max(metaOf(desk).now, at);
}
