// What the tables of points share: how a point is made of a fact, whose tags it has, and what is noted of an incident.
import { hour, second, type Instant } from '../../core/time.ts';
import type { Fact } from '../../core/records.ts';
import type { AlertNote, IncidentNote, Notes, Origin } from './notes.ts';
import { nthMax, type Measurement, type Point, type PointOf } from './point.ts';
import { noWord, tagFor } from './tags.ts';

export interface PointOptions {
  /** Whether `host` is a tag of alerts, decisions and incidents. */
  readonly hosts: boolean;
}

export interface Noting extends PointOptions {
  readonly notes: Notes;
}

export const unknownOrigin: Origin = { source: noWord, rule: noWord, team: noWord, host: noWord };

type Stamp = Pick<Fact, 'scope' | 'seq' | 'at'>;

export function point<M extends Measurement>(measurement: M, fact: Stamp, told: Pick<PointOf<M>, 'tags' | 'fields' | 'words'>): Point {
  // One literal of the union, by its own name.
  return {
    measurement,
    at: fact.at,
    nth: fact.seq % nthMax,
    ...told,
    tags: { ...told.tags, scope: fact.scope },
  } as PointOf<Measurement> as Point;
}

export function originOf({ source, rule, team, host }: AlertNote): Origin {
  return { source, rule, team, host };
}

export function blankLife(at: Instant): Omit<IncidentNote, keyof Origin | 'severity' | 'storm' | 'openedAt'> {
  return { lifeAt: at, startedAt: null, members: 0, acknowledgedAt: null, mitigatedAt: null, pages: [], touched: false, playbook: '' };
}

/** Of an incident whose opening nobody noted, from this fact on. */
export function incidentAt(notes: Notes, incident: string, at: Instant): IncidentNote {
  return notes.get('incident', incident) ?? { ...blankLife(at), ...unknownOrigin, severity: 'info', storm: false, openedAt: at };
}

export function noted(notes: Notes, incident: string, at: Instant, change: (note: IncidentNote) => IncidentNote): readonly Point[] {
  notes.put('incident', incident, change(incidentAt(notes, incident, at)));
  return [];
}

export function originTags({ notes, hosts }: Noting, { source, rule, team, host }: Origin) {
  return {
    source: tagFor(notes, 'source', source),
    rule: tagFor(notes, 'rule', rule),
    team: tagFor(notes, 'team', team),
    ...(hosts ? { host: tagFor(notes, 'host', host) } : {}),
  };
}

export function lifeTags(noting: Noting, note: IncidentNote) {
  return { ...originTags(noting, note), severity: note.severity };
}

/** Runs and pages are of the incident's rule and team; where they come from says the incident. */
export function workTags({ notes }: Noting, { rule, team, severity }: IncidentNote) {
  return { rule: tagFor(notes, 'rule', rule), team: tagFor(notes, 'team', team), severity };
}

/** In seconds; clocks of sources may be wrong, a span below nothing is none. */
export function spanFrom(from: Instant, to: Instant): number {
  return Math.max(0, to - from) / second;
}

/** 0 is Monday from 00:00 to 01:00 UTC, 167 the last hour of Sunday. */
export function hourOfWeek(at: Instant): number {
  // 1970-01-01 was a Thursday.
  return (((Math.floor(at / hour) + 3 * 24) % 168) + 168) % 168;
}
