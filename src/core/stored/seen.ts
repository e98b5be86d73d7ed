// What a reader of the log knows before it reads on: what the records before said. Who writes knows the same, and leaves it out.
// It follows the records in the same way on both sides. Of one that is not what its type says it takes nothing that is not of the right type.
import type { AlertMerged, Change } from '../alert/facts.ts';
import type { Alert } from '../alert/row.ts';
import type { Evidence } from '../correlate/found.ts';
import type { AlertDecided, Decision, IncidentDecided } from '../decide/facts.ts';
import type { AlertJoined, IncidentChanged, IncidentOpened } from '../incident/facts.ts';
import type { Fact } from '../records.ts';
import type { Score } from '../score/score.ts';
import { isPlain } from './packing.ts';
import { isEvidence, isScore } from './parts.ts';

export interface Seen {
  scope: string;
  seq: number;
  at: number;
  alert: Alert | null;
  fingerprint: string;
  change: Change;
  half: number | null;
  incident: string | null;
  title: string;
  members: number;
  listed: boolean;
  evidence: Evidence;
  score: Score | null;
  decision: Decision;
  reason: string;
  endpoint: string | undefined;
  delivery: string;
  index: number;
  offset: number;
}

const first: Evidence = { kind: 'first', shared: '', lagSeconds: 0 };

/** At the beginning of what is written in one go. */
export function seenNothing(scope: string): Seen {
  return {
    scope,
    seq: 0,
    at: 0,
    alert: null,
    fingerprint: '',
    change: 'opened',
    half: null,
    incident: null,
    title: '',
    members: 0,
    listed: true,
    evidence: first,
    score: null,
    decision: 'hold',
    reason: '',
    endpoint: undefined,
    delivery: '',
    index: 0,
    offset: 0,
  };
}

/** Remembers what a record said. */
export function note(seen: Seen, value: object): void {
  const fact = value as Fact;
  seen.scope = text(fact.scope, seen.scope);
  seen.seq = whole(fact.seq, seen.seq);
  seen.at = whole(fact.at, seen.at);
  notes.get(fact.type)?.(seen, fact);
}

/** By type; of others nothing more is remembered. */
const notes: ReadonlyMap<unknown, (seen: Seen, fact: Fact) => void> = new Map([
  noteOf('AlertMerged', noteMerged),
  noteOf('IncidentOpened', noteOpened),
  noteOf('AlertJoined', noteJoined),
  noteOf('IncidentChanged', noteChanged),
  noteOf('IncidentDecided', noteIncidentDecided),
  noteOf('AlertDecided', noteDecided),
]);

function noteOf<One extends Fact>(
  type: One['type'],
  take: (seen: Seen, fact: One) => void,
): [type: unknown, take: (seen: Seen, fact: Fact) => void] {
  return [type, (seen, fact) => take(seen, fact as One)]; // asked for this type only
}

function noteMerged(seen: Seen, { fingerprint, change, alert, half }: AlertMerged): void {
  seen.fingerprint = text(fingerprint, seen.fingerprint);
  seen.change = text(change, seen.change);
  if (half !== null) seen.half = whole(half, 0);
  if (isAlert(alert)) seen.alert = alert;
}

function isAlert(alert: unknown): alert is Alert {
  if (!isPlain(alert)) return false;
  const { labels, annotations, entity, links, source, name, summary, severity, startedAt, observedAt, began = 0 } = alert;
  if (!isPlain(labels) || !isPlain(annotations) || !isPlain(entity) || !Array.isArray(links)) return false;
  if (typeof startedAt !== 'number' || typeof observedAt !== 'number' || typeof began !== 'number') return false;
  return typeof source === 'string' && typeof name === 'string' && typeof summary === 'string' && typeof severity === 'string';
}

function noteOpened(seen: Seen, { incident, title }: IncidentOpened): void {
  seen.incident = text(incident, seen.incident);
  seen.title = text(title, seen.title);
  seen.members = 0;
}

function noteJoined(seen: Seen, { incident, evidence, members, listed }: AlertJoined): void {
  seen.incident = text(incident, seen.incident);
  seen.members = whole(members, seen.members);
  if (typeof listed === 'boolean') seen.listed = listed;
  if (isEvidence(evidence)) seen.evidence = evidence;
}

function noteChanged(seen: Seen, { incident, title, score }: IncidentChanged): void {
  seen.incident = text(incident, seen.incident);
  seen.title = text(title, seen.title);
  if (isScore(score)) seen.score = score;
}

function noteIncidentDecided(seen: Seen, { incident, decision, reason }: IncidentDecided): void {
  seen.incident = text(incident, seen.incident);
  seen.decision = text(decision, seen.decision);
  seen.reason = text(reason, seen.reason);
}

function noteDecided(seen: Seen, { incident, decision, reason, score, endpoint, delivery, index, offset }: AlertDecided): void {
  seen.incident = incident === null ? null : text(incident, seen.incident);
  seen.decision = text(decision, seen.decision);
  seen.reason = text(reason, seen.reason);
  if (isScore(score)) seen.score = score;
  seen.endpoint = text(endpoint, seen.endpoint);
  seen.delivery = text(delivery, seen.delivery);
  seen.index = whole(index, seen.index);
  seen.offset = whole(offset, seen.offset);
}

function text<One extends string, Other>(value: One | undefined, otherwise: Other): One | Other {
  return typeof value === 'string' ? value : otherwise;
}

function whole(value: number, otherwise: number): number {
  return Number.isSafeInteger(value) ? value : otherwise;
}
