// What each fact says to the time series: points, and notes for points to come. Every fact stands here by name.
//   S1  A point is a function of its fact and of the notes before it; the same fact after the same notes makes the same point.
//   S2  A thing is counted once when it begins and told once when it ends. One whose beginning nobody noted (retention took it) is told
//       with what its end says, under `none`.
import type { AlertMerged } from '../../core/alert/facts.ts';
import type { Alert } from '../../core/alert/row.ts';
import { worstOf } from '../../core/alert/severity.ts';
import type { AlertDecided } from '../../core/decide/facts.ts';
import type { AlertJoined, IncidentResolved } from '../../core/incident/facts.ts';
import type { Fact } from '../../core/records.ts';
import type { AlertNote, Notes } from './notes.ts';
import type { Point } from './point.ts';
import { noWord, tagFor } from './tags.ts';
import {
  blankLife,
  incidentAt,
  lifeTags,
  noted,
  originOf,
  originTags,
  point,
  spanFrom,
  unknownOrigin,
  type Noting,
  type PointOptions,
} from './telling.ts';
import { acknowledged, answered, closed, finished, opened, rang, refused, started, stepped } from './work.ts';

type Table = { readonly [Type in Fact['type']]: (noting: Noting, fact: Extract<Fact, { type: Type }>) => readonly Point[] };

/** The points of a fact. Writes into the notes what later facts need. */
export function pointsOf(notes: Notes, fact: Fact, options: PointOptions = { hosts: false }): readonly Point[] {
  const tell = table[fact.type] as (noting: Noting, fact: Fact) => readonly Point[]; // the row of its own type
  return tell({ notes, ...options }, fact);
}

/** Neither a point nor anything that a later one needs. */
const none = (): readonly Point[] => [];

const table: Table = {
  AlertMerged: merged,
  AlertDecided: decided,
  AlertJoined: joined,
  AlertMuted: none,
  AlertFlapping: none,
  AlertsMissing: none,
  IncidentOpened({ notes }, { incident, severity, storm, at, scope }) {
    notes.put('incident', incident, { ...blankLife(at), ...unknownOrigin, severity, storm, openedAt: at, scope });
    return [];
  },
  IncidentChanged: ({ notes }, { incident, severity, at }) =>
    noted(notes, incident, at, (note) => ({ ...note, severity: worstOf(note.severity, [severity]) })),
  IncidentNested: none,
  IncidentUnnested: none,
  IncidentDecided: none,
  TriggerHeld: none,
  IncidentAcknowledged: ({ notes }, { incident, at }) =>
    noted(notes, incident, at, (note) => ({ ...note, touched: true, acknowledgedAt: note.acknowledgedAt ?? at })),
  IncidentUnacknowledged: none,
  IncidentResolved: resolved,
  IncidentReopened: ({ notes }, { incident, at }) =>
    noted(notes, incident, at, (note) => ({ ...note, ...blankLife(at), members: note.members })),
  IncidentNoted: none,
  RunStarted: started,
  RunRefused: refused,
  ApprovalRequested: none,
  ApprovalGiven: answered,
  StepRequested: none,
  StepQueued: none,
  StepGranted: none,
  StepCalledOff: none,
  StepFinished: stepped,
  RunMoved: none,
  RunFinished: finished,
  ResourceRequested: none,
  ResourceAnswered: none,
  ResourceReleased: none,
  ResourceDecided: none,
  ResourceFreed: none,
  GroupDecided: none,
  GroupFreed: none,
  PageOpened: opened,
  PageRang: rang,
  PageReachChanged: none,
  NotifyHeld: none,
  NotifyRequested: none,
  NotifyGranted: none,
  NotifyDropped: none,
  NotifyFinished: none,
  PageAcked: acknowledged,
  PageClosed: closed,
  SilenceChanged: none,
  PolicyAdopted: none,
  InstallationAdopted: none,
  FreezeChanged: none,
  RuleLearned: none,
  WakeRequested: none,
  WakeSpent: none,
  DeskSwept({ notes }, { table: swept, keys, scope }) {
    // N1
    if (swept === 'incidents') for (const key of keys) notes.drop('incident', key);
    if (swept === 'alerts') for (const fingerprint of keys) notes.drop('alert', alertKey({ scope, fingerprint }));
    return [];
  },
  DeskSetBack({ notes }, fact) {
    notes.setBack(fact); // N3
    return [];
  },
};

const alertKey = ({ scope, fingerprint }: { readonly scope: string; readonly fingerprint: string }): string => `${fingerprint}.${scope}`;

function merged(noting: Noting, fact: AlertMerged): readonly Point[] {
  const { alert, change } = fact;
  if (alert === null) return [];
  const note = noteOf(alert);
  // An end may be no claim of a source, which nothing is decided about.
  if (change !== 'cleared') {
    noting.notes.put('alert', alertKey(fact), note);
    return [];
  }
  const words = { fingerprint: alert.fingerprint, ...(alert.incident === null ? {} : { incident: alert.incident }) };
  const duration = spanFrom(alert.startedAt, alert.clearedAt ?? fact.at);
  return [
    point('alert', fact, {
      tags: { ...originTags(noting, note), severity: alert.severity },
      fields: { cleared: 1, duration_seconds: duration, claims: alert.count },
      words,
    }),
  ];
}

function noteOf({ source, name, severity, labels, entity }: Alert): AlertNote {
  return { source, rule: name, severity, team: labels['team'] ?? '', host: entity.host ?? '' };
}

function decided(noting: Noting, fact: AlertDecided): readonly Point[] {
  const key = alertKey(fact);
  const note = noting.notes.get('alert', key);
  noting.notes.drop('alert', key);
  if (note === null || (fact.change !== 'opened' && fact.change !== 'reopened')) return [];
  const tags = { ...originTags(noting, note), severity: note.severity };
  const words = fact.incident === null ? {} : { incident: fact.incident };
  return [
    point('alert', fact, { tags, fields: { fired: 1 }, words: { ...words, fingerprint: fact.fingerprint } }),
    point('decision', fact, {
      tags: { ...tags, decision: fact.decision },
      fields: { count: 1, ...(fact.score === null ? {} : { score: fact.score.value }) },
      words,
    }),
  ];
}

/** The first member says what the incident is about; of a storm it would be one of a thousand. */
function joined({ notes }: Noting, fact: AlertJoined): readonly Point[] {
  const alert = notes.get('alert', alertKey(fact));
  return noted(notes, fact.incident, fact.at, (note) => ({
    ...note,
    ...(note.source === noWord && !note.storm ? (alert === null ? { source: fact.source } : originOf(alert)) : {}),
    startedAt: Math.min(note.startedAt ?? fact.startedAt, fact.startedAt),
    members: Math.max(note.members, fact.members),
    severity: worstOf(note.severity, [fact.severity]),
  }));
}

function resolved(noting: Noting, fact: IncidentResolved): readonly Point[] {
  const note = incidentAt(noting.notes, fact.incident, fact.at);
  const { lifeAt, acknowledgedAt, mitigatedAt, startedAt, pages } = note;
  const isFirst = lifeAt === note.openedAt;
  const untouched = !note.touched && pages.length === 0 && fact.by !== 'human';
  return [
    point('incident', fact, {
      tags: { ...lifeTags(noting, note), outcome: fact.by, playbook: tagFor(noting.notes, 'playbook', note.playbook) },
      fields: {
        count: 1,
        ...(isFirst && startedAt !== null ? { detect_seconds: spanFrom(startedAt, lifeAt) } : {}),
        ...(acknowledgedAt === null ? {} : { acknowledge_seconds: spanFrom(lifeAt, acknowledgedAt) }),
        mitigate_seconds: spanFrom(lifeAt, mitigatedAt ?? fact.at),
        resolve_seconds: spanFrom(lifeAt, fact.at),
        pages: pages.length,
        members: note.members,
        untouched: untouched ? 1 : 0,
        storm: note.storm ? 1 : 0,
      },
      words: { incident: fact.incident },
    }),
  ];
}
