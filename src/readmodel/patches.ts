// What each fact changes in the documents. Every fact stands here by name; those that no document shows say so.
//   J1  A patch is a function of its fact and the partition it was read from; applying a fact twice changes nothing.
import { freezesOf } from '../core/playbook/freeze.ts';
import type { Fact } from '../core/records.ts';
import type { NotifyDropped, NotifyFinished } from '../core/page/facts.ts';
import type { RunRefused, RunStarted, StepFinished } from '../core/run/facts.ts';
import { clipped, lastLines, outputShown, outputText } from '../core/run/told.ts';
import { spanOf } from '../core/time.ts';
import type { Alert } from '../core/alert/row.ts';
import { alertId, type DocumentByKind, type DocumentKind } from './documents.ts';
import type { DocumentPatch, PatchOf } from './patch.ts';

const detailCharsMax = 500;

type Table = {
  readonly [Type in Fact['type']]: (fact: Extract<Fact, { type: Type }>, partition: number) => readonly DocumentPatch[];
};

/** What a fact changes in the read model. */
export function patchesOf(fact: Fact, partition: number): readonly DocumentPatch[] {
  const patches = table[fact.type] as (fact: Fact, partition: number) => readonly DocumentPatch[]; // the row of its own type
  return patches(fact, partition);
}

/** Of an alert what people list or show; what merging remembers for itself is not there, whatever will be added to that. */
function shownOf(alert: Alert) {
  const { fingerprint, source, episode, name, summary, state, severity, labels, annotations, entity, links } = alert;
  const { startedAt, observedAt, seenAt, clearedAt, count, acknowledged, soft, sourceMute, incident } = alert;
  return {
    fingerprint,
    source,
    episode,
    name,
    summary,
    state,
    severity,
    labels,
    annotations,
    entity,
    links,
    startedAt,
    observedAt,
    seenAt,
    clearedAt,
    count,
    acknowledged,
    soft,
    sourceMute,
    incident,
  };
}

/** Nothing that people list or show: how the desk keeps its own house, or what another fact of the same turn tells better. */
const none = (): readonly DocumentPatch[] => [];

const table: Table = {
  AlertMerged(fact) {
    const id = alertId(fact.scope, fact.fingerprint);
    const { count, observedAt, at } = fact;
    if (count === 0) return [];
    if (fact.alert === null) return [{ kind: 'alert', id, scope: fact.scope, at, set: { count, observedAt, seenAt: at } }];
    const anew = fact.change === 'opened' || fact.change === 'reopened' ? { at } : {};
    return [{ kind: 'alert', id, scope: fact.scope, at, begins: true, set: { ...shownOf(fact.alert), ...anew } }];
  },
  AlertDecided(fact, partition) {
    if (fact.change === 'late') return [];
    const { decision, reason, incident, score, endpoint = null } = fact;
    const input = `${partition}:${fact.offset}`;
    return [alertPatch(fact, { decision, reason, incident, endpoint, input, ...(score === null ? {} : { score }) })];
  },
  AlertMuted: (fact) => [alertPatch(fact, { muted: fact.reason, ...(fact.sourceMute === null ? { sourceMute: null } : {}) })],
  AlertFlapping: (fact) => [alertPatch(fact, { flapping: fact.flapping })],
  AlertJoined: (fact) => [
    alertPatch(fact, { incident: fact.incident, evidence: fact.evidence }),
    { ...incidentPatch(fact, { members: fact.members }), add: { sources: [fact.source] } },
  ],
  AlertsMissing: none,
  IncidentOpened: (fact) => [
    { ...incidentPatch(fact, { title: fact.title, severity: fact.severity, storm: fact.storm, openedAt: fact.at }), begins: true },
  ],
  IncidentChanged: (fact) => [
    {
      ...incidentPatch(fact, { title: fact.title, severity: fact.now ?? fact.severity, root: fact.root, score: fact.score }),
      begins: true,
    },
  ],
  IncidentNested: (fact) => [incidentPatch(fact, { parent: fact.parent })],
  IncidentUnnested: (fact) => [incidentPatch(fact, { parent: null })],
  IncidentDecided: (fact) => [incidentPatch(fact, { decision: fact.decision, reason: fact.reason })],
  IncidentAcknowledged: (fact) => [incidentPatch(fact, { state: 'acknowledged', acknowledgedBy: fact.by, acknowledgedAt: fact.at })],
  IncidentUnacknowledged: (fact) => [incidentPatch(fact, { state: 'open', acknowledgedBy: null, acknowledgedAt: null })],
  IncidentResolved: (fact) => [incidentPatch(fact, { state: 'resolved', resolvedBy: fact.by, resolvedWho: fact.who, resolvedAt: fact.at })],
  IncidentReopened: (fact) => [
    incidentPatch(fact, {
      state: 'open',
      parent: null,
      acknowledgedBy: null,
      acknowledgedAt: null,
      resolvedBy: null,
      resolvedWho: null,
      resolvedAt: null,
    }),
  ],
  IncidentNoted: none,
  TriggerHeld: none,
  RunStarted: (fact) => [started(fact)],
  RunRefused: (fact) => [refused(fact)],
  ApprovalRequested: (fact) => [
    runPatch(fact, { state: 'waiting', approvalUntil: fact.until }),
    {
      ...patchOf('approval', fact.run, fact, { state: 'waiting', run: fact.run, incident: fact.incident, until: fact.until }),
      begins: true,
    },
  ],
  ApprovalGiven: (fact) => [
    runPatch(fact, { state: 'working', approvedBy: fact.approved ? fact.by : null }),
    patchOf('approval', fact.run, fact, { state: 'ended', approved: fact.approved, by: fact.by, note: fact.note }),
  ],
  StepRequested: (fact) => [runPatch(fact, { call: fact.call })],
  StepQueued: (fact) => [runPatch(fact, { why: `waits for a slot: ${fact.why}` })],
  StepGranted: (fact) =>
    fact.waitedMs === undefined ? [] : [runPatch(fact, { why: `began after ${spanOf(fact.waitedMs)} of waiting for a slot` })],
  StepCalledOff: none,
  StepFinished: (fact, partition) => [{ ...runPatch(fact, { call: null }), put: { steps: { [fact.call]: finished(fact, partition) } } }],
  RunMoved: (fact) => [runPatch(fact, { phase: fact.phase, why: fact.why })],
  RunFinished: (fact) => [
    runPatch(fact, { state: 'ended', phase: 'ended', end: fact.end, reason: fact.reason, endedAt: fact.at, call: null }),
  ],
  ResourceRequested: none,
  ResourceAnswered: none,
  ResourceReleased: none,
  ResourceDecided: none,
  ResourceFreed: none,
  GroupDecided: none,
  GroupFreed: none,
  PageOpened: (fact) => [
    {
      ...pagePatch(fact, {
        state: 'ringing',
        incident: fact.incident,
        ladder: fact.ladder.name,
        title: fact.title,
        reason: fact.reason,
        openedAt: fact.at,
      }),
      begins: true,
    },
  ],
  PageRang: ({ round, rung, ring, ladder, ...fact }) => [
    pagePatch(fact, { state: 'ringing', round, rung, ring, ...(ladder === undefined ? {} : { ladder: ladder.name }) }),
  ],
  PageReachChanged: (fact) => [pagePatch(fact, { reach: fact.reach })],
  NotifyHeld: none,
  NotifyRequested: none,
  NotifyGranted: none,
  NotifyDropped: (fact) => [{ ...pagePatch(fact, {}), put: { notified: { [fact.notification]: droppedOf(fact) } } }],
  NotifyFinished: (fact) => [{ ...pagePatch(fact, {}), put: { notified: { [fact.notification]: answerOf(fact) } } }],
  PageAcked: (fact) => [pagePatch(fact, { state: 'acked', reach: null, ackedBy: fact.by, ackedVia: fact.via, ackedAt: fact.at })],
  PageClosed: (fact) => [pagePatch(fact, { state: 'closed', reach: null, closedAt: fact.at, why: fact.why })],
  SilenceChanged: ({ silence: { id, ...silence }, ...fact }) => [
    { ...patchOf('silence', id, fact, { ...silence, state: fact.state, updatedAt: fact.at }), begins: true },
  ],
  FreezeChanged(fact, partition) {
    const { by = null, reason = null } = fact.frozen ?? {};
    const freezes = freezesOf(fact.frozen, fact.at);
    const state = fact.frozen === null ? 'open' : 'frozen';
    return [{ ...patchOf('partition', `${partition}`, fact, { state, by, reason, freezes }), begins: true }];
  },
  PolicyAdopted: none,
  InstallationAdopted: none,
  RuleLearned: none,
  WakeRequested: none,
  WakeSpent: none,
  DeskSwept: none,
  DeskSetBack: none,
};

type Stamp = Pick<Fact, 'scope' | 'at'>;

function patchOf<Kind extends DocumentKind>(kind: Kind, id: string, { scope, at }: Stamp, set: PatchOf<Kind>['set']): PatchOf<Kind> {
  return { kind, id, scope, at, set };
}

function alertPatch(fact: Stamp & { readonly fingerprint: string }, set: PatchOf<'alert'>['set']): PatchOf<'alert'> {
  return patchOf('alert', alertId(fact.scope, fact.fingerprint), fact, set);
}

function incidentPatch(fact: Stamp & { readonly incident: string }, set: PatchOf<'incident'>['set']): PatchOf<'incident'> {
  return patchOf('incident', fact.incident, fact, set);
}

function runPatch(fact: Stamp & { readonly run: string }, set: PatchOf<'run'>['set']): PatchOf<'run'> {
  return patchOf('run', fact.run, fact, set);
}

function pagePatch(fact: Stamp & { readonly page: string }, set: PatchOf<'page'>['set']): PatchOf<'page'> {
  return patchOf('page', fact.page, fact, set);
}

function started(fact: RunStarted): DocumentPatch {
  const { name, version, digest } = fact.playbook;
  const { incident, mode, target, params } = fact;
  const rules = { playbook: name, version, digest, mode };
  return {
    ...runPatch(fact, { state: 'working', phase: 'diagnose', incident, ...rules, target, params, startedAt: fact.at }),
    begins: true,
  };
}

function refused(fact: RunRefused): DocumentPatch {
  const { incident, playbook, mode, target, guard, reason, at } = fact;
  const end = { state: 'ended', phase: 'ended', end: 'refused', guard, reason, startedAt: at, endedAt: at } as const;
  return { ...runPatch(fact, { ...end, incident, playbook, mode, target }), begins: true };
}

/** Of proofs only how they came out: there may be a hundred of them, and the last is told by the reason of the end. */
function finished({ outcome, tookMs, phase, input }: StepFinished, partition: number): DocumentByKind['run']['steps'][string] {
  const short = { outcome: outcome.outcome, tookMs };
  if (phase === 'verify') return short;
  const detail = outcome.outcome === 'ok' ? '' : clipped(outcome.detail, detailCharsMax);
  const output = outcome.outcome === 'unknown' ? '' : lastLines(outputText(outcome.output), outputShown).join('\n');
  return {
    ...short,
    ...(detail === '' ? {} : { detail }),
    ...(output === '' ? {} : { output }),
    ...(input === undefined ? {} : { input: `${partition}:${input}` }),
  };
}

function droppedOf({ notifier, attempt, at, why }: NotifyDropped): DocumentByKind['page']['notified'][string] {
  return { notifier, outcome: 'dropped', detail: why, attempt, at };
}

function answerOf({ notifier, outcome, attempt, at }: NotifyFinished): DocumentByKind['page']['notified'][string] {
  return { notifier, outcome: outcome.outcome, detail: outcome.detail, attempt, at };
}
