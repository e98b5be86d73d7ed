// How an alert is written short: what repeats its labels, and what the alert before it had, too.
// Bits and their order are the stored format (facts.ts).
import type { Entity, Link } from '../alert/event.ts';
import type { Labels } from '../alert/labels.ts';
import type { Alert } from '../alert/row.ts';
import { before, boxed, damaged, finished, has, instantBefore, isPlain, listOf, newIn, newOut, next, put, putOptional } from './packing.ts';
import { read, readAll, readOptional, type In, type Packed } from './packing.ts';
import { isSpelled, spellingChars, spellingOf } from './spelling.ts';

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** What the fact says of which the alert is a part. */
export interface Of {
  readonly fingerprint: string;
  readonly seq: number;
  readonly at: number;
}

const usual = 1 | 2 | 4 | 8 | 16 | 32 | 64 | 128 | 256;
const required = 20;

/** Null where the alert has to be written whole. `last`: the alert before it. */
export function packedAlert(alert: Alert, { fingerprint, seq, at }: Of, last: Alert | null): Packed | null {
  const { labels, annotations, entity, links, startedAt } = alert;
  if (!isPlain(labels) || !isPlain(annotations) || !isPlain(entity) || !Array.isArray(links)) return null;
  const out = newOut(required);
  put(out, 1, labelsLike(labels, last?.labels));
  if (!isNone(annotations)) put(out, 2, labelsLike(annotations, last?.annotations));
  if (!isNone(entity)) put(out, 4, entityIn(entity, labels));
  if (links.length > 0) put(out, 8, linksLike(links, last?.links));
  if (startedAt !== at) put(out, 16, before(at, startedAt));
  if (alert.source !== (last?.source ?? '')) put(out, 32, alert.source);
  put(out, 64, episodeAt(alert.episode, startedAt));
  if (alert.name !== (last?.name ?? '')) put(out, 128, textIn(alert.name, labels, annotations));
  put(out, 256, textIn(alert.summary, labels, annotations));
  if (alert.severity !== 'critical') put(out, 512, textIn(alert.severity, labels, annotations));
  if (alert.fingerprint !== fingerprint) put(out, 1 << 10, alert.fingerprint);
  if (alert.state !== 'firing') put(out, 1 << 11, alert.state);
  if (alert.observedAt !== at) put(out, 1 << 12, before(at, alert.observedAt));
  if (alert.seenAt !== at) put(out, 1 << 13, before(at, alert.seenAt));
  if (alert.clearedAt !== null) put(out, 1 << 14, alert.clearedAt);
  if (alert.count !== 1) put(out, 1 << 15, alert.count);
  if (alert.acknowledged !== false) put(out, 1 << 16, alert.acknowledged);
  if (alert.soft !== false) put(out, 1 << 17, alert.soft);
  if (alert.sourceMute !== null) put(out, 1 << 18, alert.sourceMute);
  if (alert.incident !== null) put(out, 1 << 19, alert.incident);
  putOptional(out, 1 << 20, alert.ended);
  putOptional(out, 1 << 21, alert.lastEnd);
  putOptional(out, 1 << 22, alert.began);
  putOptional(out, 1 << 23, alert.replaced);
  putOptional(out, 1 << 24, alert.order);
  putOptional(out, 1 << 25, leaseAt(alert.lease, seq, at));
  putOptional(out, 1 << 26, alert.refired);
  return finished(out, alert, usual);
}

export function unpackedAlert(packed: Packed, { fingerprint, seq, at }: Of, last: Alert | null): Alert {
  const from = newIn(packed, usual);
  const labels = has(from, 1) ? labelsAs(next(from), last?.labels) : {};
  const annotations = has(from, 2) ? labelsAs(next(from), last?.annotations) : {};
  const entity = has(from, 4) ? entityAs(next(from), labels) : {};
  const links = has(from, 8) ? linksAs(next(from), last?.links) : [];
  const startedAt = has(from, 16) ? instantBefore(at, next(from)) : at;
  const source = read(from, 32, last?.source ?? '');
  const episode = has(from, 64) ? episodeAs(next(from), startedAt) : '';
  const name = has(from, 128) ? textAs(next(from), labels, annotations) : (last?.name ?? '');
  const summary = has(from, 256) ? textAs(next(from), labels, annotations) : '';
  const severity = has(from, 512) ? (textAs(next(from), labels, annotations) as Alert['severity']) : 'critical';
  const alert: Mutable<Alert> = {
    fingerprint: read(from, 1 << 10, fingerprint),
    source,
    episode,
    name,
    summary,
    state: read<Alert['state']>(from, 1 << 11, 'firing'),
    severity,
    labels,
    annotations,
    entity,
    links,
    startedAt,
    observedAt: has(from, 1 << 12) ? instantBefore(at, next(from)) : at,
    seenAt: has(from, 1 << 13) ? instantBefore(at, next(from)) : at,
    clearedAt: read(from, 1 << 14, null),
    count: read(from, 1 << 15, 1),
    acknowledged: read(from, 1 << 16, false),
    soft: read(from, 1 << 17, false),
    sourceMute: read(from, 1 << 18, null),
    incident: read(from, 1 << 19, null),
  };
  if (from.word >> 20 !== 0) readRest(from, alert, seq, at);
  readAll(from);
  return alert;
}

/** Members that may be absent. */
function readRest(from: In, alert: Mutable<Alert>, seq: number, at: number): void {
  const ended = readOptional<readonly string[]>(from, 1 << 20);
  if (ended !== undefined) alert.ended = ended;
  const lastEnd = readOptional<NonNullable<Alert['lastEnd']>>(from, 1 << 21);
  if (lastEnd !== undefined) alert.lastEnd = lastEnd;
  const began = readOptional<number>(from, 1 << 22);
  if (began !== undefined) alert.began = began;
  const replaced = readOptional<readonly string[]>(from, 1 << 23);
  if (replaced !== undefined) alert.replaced = replaced;
  const order = readOptional<string>(from, 1 << 24);
  if (order !== undefined) alert.order = order;
  const lease = readOptional(from, 1 << 25);
  if (lease !== undefined) alert.lease = leaseAs(lease, seq, at);
  const refired = readOptional<NonNullable<Alert['refired']>>(from, 1 << 26);
  if (refired !== undefined) alert.refired = refired;
}

// ---------------------------------------------------------------- texts that the alert has anyway

/** A text by its place: values of labels count from 0 up, those of annotations from -1 down. */
function textIn(text: unknown, labels: Labels, annotations: Labels): unknown {
  if (typeof text !== 'string') return boxed(text);
  return placeOf(text, labels) ?? negative(placeOf(text, annotations)) ?? text;
}

function placeOf(text: string, labels: Labels): number | null {
  let place = 0;
  for (const name in labels) {
    if (labels[name] === text) return place;
    place += 1;
  }
  return null;
}

function negative(place: number | null): number | null {
  return place === null ? null : -1 - place;
}

function textAs(stored: unknown, labels: Labels, annotations: Labels): string {
  if (typeof stored === 'string') return stored;
  if (typeof stored !== 'number') return listOf(stored)[0] as string; // as it was written
  return stored < 0 ? textAt(-1 - stored, annotations) : textAt(stored, labels);
}

function textAt(place: number, labels: Labels): string {
  const text = Object.values(labels)[place];
  if (text === undefined) throw damaged('it points to a label that is not there');
  return text;
}

// ---------------------------------------------------------------- labels and annotations

function isNone(value: object): boolean {
  for (const _ in value) return false;
  return true;
}

/** Of labels that have the names of the alert before, in their order, only what differs; 0 for what does not. */
function labelsLike(labels: Labels, last: Labels | undefined): unknown {
  if (last === undefined) return labels;
  const names = Object.keys(last);
  const packed: unknown[] = [];
  for (const name in labels) {
    const text: unknown = labels[name];
    if (names[packed.length] !== name || typeof text !== 'string' || name === '__proto__') return labels;
    packed.push(last[name] === text ? 0 : text);
  }
  return packed.length === names.length ? packed : labels;
}

function labelsAs(stored: unknown, last: Labels | undefined): Labels {
  if (isPlain(stored)) return stored as Labels; // as it was written
  const texts = listOf(stored);
  const names = Object.keys(last ?? {});
  if (names.length !== texts.length) throw damaged('the alert before it has other labels');
  const labels: Record<string, string> = { ...last };
  for (let place = 0; place < names.length; place += 1) {
    const text = texts[place];
    if (text !== 0) labels[names[place] ?? ''] = text as string;
  }
  return labels;
}

// ---------------------------------------------------------------- entity

/** The order is part of the stored format: parts are known by their place in it. */
export const entityParts = ['host', 'ip', 'service', 'pod', 'namespace', 'cluster'] as const satisfies readonly (keyof Entity)[];

/** Part after part; a text with which a label begins is the label's place and its own length. */
function entityIn(entity: Readonly<Record<string, unknown>>, labels: Labels): unknown {
  const packed: unknown[] = [];
  for (const name in entity) {
    const text = entity[name];
    const part = entityParts.indexOf(name as keyof Entity);
    if (part < 0 || typeof text !== 'string') return entity;
    packed.push(part, placeOf(text, labels) ?? beginningOf(text, labels) ?? text);
  }
  return packed;
}

function beginningOf(text: string, labels: Labels): Packed | null {
  let place = 0;
  for (const name in labels) {
    const label: unknown = labels[name];
    if (typeof label === 'string' && label.startsWith(text)) return [place, text.length];
    place += 1;
  }
  return null;
}

function entityAs(stored: unknown, labels: Labels): Entity {
  if (isPlain(stored)) return stored;
  const packed = listOf(stored);
  const entity: Mutable<Entity> = {};
  for (let at = 0; at < packed.length; at += 2) {
    const part = entityParts[Number(packed[at])];
    if (part === undefined) throw damaged('it names a part of an entity that nobody knows');
    entity[part] = entityText(packed[at + 1], labels);
  }
  return entity;
}

function entityText(stored: unknown, labels: Labels): string {
  if (typeof stored === 'string') return stored;
  if (typeof stored === 'number') return textAt(stored, labels);
  const [place, length] = listOf(stored);
  return textAt(Number(place), labels).slice(0, Number(length));
}

// ---------------------------------------------------------------- links, episode, lease

/** Texts and addresses in turn, 0 for what the alert before has in that place. */
function linksLike(links: readonly unknown[], last: readonly Link[] | undefined): unknown {
  const packed: unknown[] = [];
  for (const link of links) {
    if (!isLink(link)) return { links };
    const other = last?.[packed.length / 2];
    packed.push(other?.text === link.text ? 0 : link.text, other?.href === link.href ? 0 : link.href);
  }
  return packed;
}

function isLink(value: unknown): value is Link {
  return isPlain(value) && Object.keys(value).length === 2 && typeof value['text'] === 'string' && typeof value['href'] === 'string';
}

function linksAs(stored: unknown, last: readonly Link[] | undefined): readonly Link[] {
  if (isPlain(stored)) return stored['links'] as readonly Link[]; // as it was written
  const packed = listOf(stored);
  const links: Link[] = [];
  for (let at = 0; at < packed.length; at += 2) {
    const other = last?.[at / 2];
    const [text, href] = [packed[at] === 0 ? other?.text : packed[at], packed[at + 1] === 0 ? other?.href : packed[at + 1]];
    if (typeof text !== 'string' || typeof href !== 'string') throw damaged('a link is no text');
    links.push({ text, href });
  }
  return links;
}

/** 0 for the spelling of when it began. */
function episodeAt(episode: unknown, startedAt: number): unknown {
  if (typeof episode !== 'string') return boxed(episode);
  return episode.length === spellingChars && isSpelled(startedAt) && spellingOf(startedAt) === episode ? 0 : episode;
}

function episodeAs(stored: unknown, startedAt: number): string {
  if (typeof stored === 'string') return stored;
  if (stored === 0 && isSpelled(startedAt)) return spellingOf(startedAt);
  return listOf(stored)[0] as string; // as it was written
}

function leaseAt(lease: unknown, seq: number, at: number): unknown {
  if (Array.isArray(lease)) return null; // it is none
  if (!isPlain(lease) || Object.keys(lease).length !== 2) return lease;
  const { until, asked } = lease;
  if (typeof until !== 'number' || typeof asked !== 'number') return lease;
  return [before(at, until), before(seq, asked)];
}

function leaseAs(stored: unknown, seq: number, at: number): NonNullable<Alert['lease']> {
  if (!Array.isArray(stored)) return stored as NonNullable<Alert['lease']>; // as it was written
  const [until, asked] = stored as Packed;
  return { until: instantBefore(at, until), asked: instantBefore(seq, asked) };
}
