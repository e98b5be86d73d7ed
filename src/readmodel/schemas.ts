// JSON Schemas (2020-12) of the documents and lines: OpenAPI hands them out, tests hold what is stored and answered against them.
//   S1  A schema says exactly what its type says: the compiler refuses a member too few or too many, and a word that is missing.
import type { Freeze } from '../core/playbook/freeze.ts';
import type { Entity, Link } from '../core/alert/event.ts';
import type { Labels, Matcher } from '../core/alert/labels.ts';
import { severities, type Severity } from '../core/alert/severity.ts';
import type { Evidence } from '../core/correlate/found.ts';
import type { Decision } from '../core/decide/facts.ts';
import type { ResolvedBy } from '../core/incident/facts.ts';
import type { MuteReason } from '../core/mute/facts.ts';
import type { NotifyOutcome } from '../core/page/notification.ts';
import type { PlaybookMode } from '../core/playbook/document.ts';
import { outcomes } from '../core/run/ends.ts';
import type { Guard, RunPart } from '../core/run/facts.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import type { Score, ScoreTerm } from '../core/score/score.ts';
import type { Instant } from '../core/time.ts';
import { states, type DocumentByKind, type DocumentKind } from './documents.ts';
import { closed, either, integer, listOf, mapOf, number, nullable, text, truth, value, words, type SchemaOf } from './schema.ts';
import type { TimelineEntry } from './timeline.ts';

const instant = { ...integer, description: 'Milliseconds since 1970, UTC' } as SchemaOf<Instant>;
const severity: SchemaOf<Severity> = words(severities);
const decision: SchemaOf<Decision> = words(['page', 'remediate', 'hold', 'suppress', 'record']);
const labels: SchemaOf<Labels> = mapOf(text);
const score = closed<Score>({
  value: number,
  terms: listOf(closed<ScoreTerm>({ name: text, weight: number, value: number, why: text })),
});
const evidence = closed<Evidence>({
  kind: words(['first', 'entity', 'labels', 'storm', 'recurrence']),
  shared: text,
  lagSeconds: number,
});
const muted: SchemaOf<MuteReason> = either(
  closed<Extract<MuteReason, { kind: 'silence' }>>({ kind: words(['silence']), silence: text, until: instant, comment: text }),
  closed<Extract<MuteReason, { kind: 'source' }>>({ kind: words(['source']), says: text, until: instant }, ['until']),
  closed<Extract<MuteReason, { kind: 'flapping' }>>({ kind: words(['flapping']), percent: number }),
  closed<Extract<MuteReason, { kind: 'soft' }>>({ kind: words(['soft']) }),
);
const entity = closed<Entity>({ host: text, ip: text, service: text, pod: text, namespace: text, cluster: text }, [
  'host',
  'ip',
  'service',
  'pod',
  'namespace',
  'cluster',
]);
export const freezeSchema: SchemaOf<Freeze> = closed<Freeze>({ by: text, reason: text, at: nullable(instant), until: nullable(instant) });
const base = { id: text, scope: text, at: instant } as const;

/** By kind, what the API answers and the store keeps. */
export const documentSchemas: { readonly [Kind in DocumentKind]: SchemaOf<DocumentByKind[Kind]> } = {
  alert: closed<DocumentByKind['alert']>({
    ...base,
    state: words(states.alert),
    fingerprint: text,
    source: text,
    endpoint: nullable(text),
    name: text,
    summary: text,
    severity,
    episode: text,
    labels,
    annotations: labels,
    entity,
    links: listOf(closed<Link>({ text, href: text })),
    startedAt: instant,
    observedAt: instant,
    clearedAt: nullable(instant),
    seenAt: instant,
    count: integer,
    acknowledged: truth,
    soft: truth,
    sourceMute: nullable(text),
    flapping: truth,
    muted: nullable(muted),
    incident: nullable(text),
    evidence: nullable(evidence),
    decision: nullable(decision),
    reason: nullable(text),
    score: nullable(score),
    input: nullable(text),
  }),
  incident: closed<DocumentByKind['incident']>({
    ...base,
    state: words(states.incident),
    title: text,
    severity,
    storm: truth,
    parent: nullable(text),
    children: integer,
    members: integer,
    sources: listOf(text),
    root: nullable(text),
    score: nullable(score),
    openedAt: instant,
    acknowledgedBy: nullable(text),
    acknowledgedAt: nullable(instant),
    resolvedBy: nullable<ResolvedBy>(words(['source', 'playbook', 'human', 'timeout'])),
    resolvedWho: nullable(text),
    resolvedAt: nullable(instant),
    decision: nullable(decision),
    reason: nullable(text),
  }),
  run: closed<DocumentByKind['run']>({
    ...base,
    state: words(states.run),
    incident: text,
    playbook: text,
    version: nullable(text),
    digest: nullable(text),
    mode: nullable<PlaybookMode>(words(['off', 'shadow', 'approve', 'auto'])),
    target: text,
    params: mapOf(value),
    phase: words(['approval', 'diagnose', 'steps', 'verify', 'undo', 'ended']) satisfies SchemaOf<RunPart | 'ended'>,
    why: nullable(text),
    call: nullable(text),
    steps: mapOf(
      closed<DocumentByKind['run']['steps'][string]>(
        {
          outcome: words(['ok', 'failed', 'unknown']) satisfies SchemaOf<ActionOutcome['outcome']>,
          tookMs: integer,
          detail: text,
          output: text,
          input: text,
        },
        ['detail', 'output', 'input'],
      ),
    ),
    startedAt: instant,
    endedAt: nullable(instant),
    end: nullable(words(outcomes)),
    guard: nullable<Guard>(
      words([
        'freeze',
        'params',
        'target',
        'lists',
        'storm',
        'cooldown',
        'attempts',
        'confidence',
        'blastRadius',
        'keepHealthy',
        'lock',
        'concurrency',
        'slots',
      ]),
    ),
    reason: nullable(text),
    approvalUntil: nullable(instant),
    approvedBy: nullable(text),
  }),
  page: closed<DocumentByKind['page']>({
    ...base,
    state: words(states.page),
    incident: text,
    ladder: text,
    title: text,
    reason: text,
    openedAt: instant,
    round: integer,
    rung: integer,
    ring: integer,
    notified: mapOf(
      closed<DocumentByKind['page']['notified'][string]>({
        notifier: text,
        outcome: words(['accepted', 'deferred', 'refused', 'unknown', 'dropped']) satisfies SchemaOf<NotifyOutcome['outcome'] | 'dropped'>,
        detail: text,
        attempt: integer,
        at: instant,
      }),
    ),
    reach: nullable(words(['unreached', 'exhausted'])),
    ackedBy: nullable(text),
    ackedVia: nullable(text),
    ackedAt: nullable(instant),
    closedAt: nullable(instant),
    why: nullable(text),
  }),
  silence: closed<DocumentByKind['silence']>({
    ...base,
    state: words(states.silence),
    matchers: listOf(closed<Matcher>({ name: text, op: words(['=', '!=', '=~', '!~']), value: text })),
    startsAt: instant,
    endsAt: instant,
    untilResolved: truth,
    by: text,
    comment: text,
    updatedAt: nullable(instant),
  }),
  approval: closed<DocumentByKind['approval']>({
    ...base,
    state: words(states.approval),
    run: text,
    incident: text,
    until: instant,
    approved: nullable(truth),
    by: nullable(text),
    note: nullable(text),
  }),
  partition: closed<DocumentByKind['partition']>({
    ...base,
    state: words(states.partition),
    by: nullable(text),
    reason: nullable(text),
    freezes: listOf(freezeSchema),
  }),
};

export const lineSchema: SchemaOf<TimelineEntry> = closed<TimelineEntry>({
  incident: text,
  scope: text,
  seq: integer,
  at: instant,
  type: text,
  text,
  detail: mapOf(value),
});
