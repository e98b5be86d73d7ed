// New Relic: workflow notifications of issues (default and own templates) and the classic incident payload, as JSON or form.
// The customer writes the payload, so every member may be missing, renamed or a list: members are looked up by all their known members.
//   N1  Identity is the issue id. An incident id of -1 ("unknown") is none; then condition and targets stand in, with a warning.
//   N2  A close is `measured` only when nothing says that it came by time, by hand or by a merge.
//   N3  An issue with several targets names no entity: acting on the first of many would be a guess.
import { isIP } from 'node:net';
import type { AlertEvent, Claim, Entity, Link, Proof } from '../../src/core/alert/event.ts';
import type { Labels } from '../../src/core/alert/labels.ts';
import type { Severity } from '../../src/core/alert/severity.ts';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import { boundEvent, fingerprintOf, instantOf, isObject, labelsOf, linkOf, parseJson, textOf, type JsonObject } from '../kit/event.ts';
import { formOf } from '../kit/form.ts';
import { commonSeverities, severityReader, unknownSeverity, type SeverityReader } from '../kit/severity.ts';
import { claimWords, entityLabels, linkMembers, members, severityWords, shownElsewhere } from './words.ts';

const vendor = 'newrelic';
const targetsMax = 64;

/** Every member may be left out; then the default counts. */
export interface NewRelicConfig {
  /** Priority or severity words in lower case; added to the defaults, and stronger. */
  readonly severities?: { readonly [word: string]: Severity };
  /** For a missing or unknown word. */
  readonly severityDefault?: Severity;
  /** Labels and tags that name each part of the entity, the first present counts. A part given here replaces its default list. */
  readonly entity?: { readonly [part in keyof Entity]?: readonly string[] };
}

interface Settings {
  readonly severities: SeverityReader;
  readonly severityDefault: Severity;
  readonly entity: readonly (readonly [part: keyof Entity, labels: readonly string[]])[];
}

interface Target {
  readonly name: string;
  readonly type: string;
  readonly labels: Labels;
}

export function newrelic(config: NewRelicConfig): Source {
  const settings: Settings = {
    severities: severityReader(commonSeverities, severityWords, config.severities),
    severityDefault: config.severityDefault ?? 'warning',
    entity: Object.entries({ ...entityLabels, ...config.entity }) as [keyof Entity, readonly string[]][], // the keys are ours
  };
  return { name: vendor, parse: (delivery) => parse(settings, delivery) };
}

function parse(settings: Settings, delivery: Delivery): Result<Parsed, ParseFailure> {
  const read = payloadOf(delivery);
  if (!read.ok) return read;
  const payload = read.value;
  const word = text(payload, members.state);
  const said = claimWords.get(word.toLowerCase());
  if (said === undefined) {
    const got = word === '' ? `none in ${Object.keys(payload).slice(0, 4).map(quoted).join(', ') || 'an empty object'}` : quoted(word);
    return misshapen(`state must be CREATED, ACTIVATED or CLOSED (classic: open, acknowledged, closed), got ${got}`);
  }
  if (said === 'test' || isSample(payload)) return ok({ events: [], warnings: ['test notification left out'] });
  const identity = identityOf(payload);
  if (identity === null) return misshapen('issueId (or id, issue_id, incident_id) must name the issue, and no condition stands in for it');
  const warnings = identity.episode === '' ? ['no issue id: condition and targets stand in for it'] : [];
  const severity = text(payload, members.severity);
  if (severity !== '' && settings.severities(severity) === null) warnings.push(unknownSeverity(vendor, severity, settings.severityDefault));
  return ok({ events: [eventOf(settings, payload, said, identity, delivery.receivedAt)], warnings });
}

/** The Test button sends a sample whose link leads to another issue than its id. */
function isSample(payload: JsonObject): boolean {
  const uuid = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi;
  const id = text(payload, ['issueId', 'issue_id', 'id']).toLowerCase();
  const linked: readonly string[] = text(payload, ['issueUrl', 'issuePageUrl']).slice(0, 2_048).toLowerCase().match(uuid) ?? [];
  return id.replace(uuid, '') === '' && id !== '' && linked.length > 0 && !linked.includes(id);
}

function misshapen(says: string): Result<never, ParseFailure> {
  return fail({ reason: 'wrong_shape', message: `${vendor}: ${says}` });
}

function quoted(word: string): string {
  return JSON.stringify(word.length <= 40 ? word : `${word.slice(0, 39)}…`);
}

// ---------------------------------------------------------------- the body

/** The members, out of JSON or a form; when they tell no state, an inner `payload` (object or JSON text) speaks instead. */
function payloadOf(delivery: Delivery): Result<JsonObject, ParseFailure> {
  const form = (delivery.headers['content-type'] ?? '').toLowerCase().includes('x-www-form-urlencoded');
  const isJson = delivery.body.trimStart().startsWith('{'); // curl's default content type on a JSON body
  const outer =
    form && !isJson && delivery.body.trim() !== ''
      ? ok<JsonObject>(Object.fromEntries(formOf(delivery.body)))
      : parseJson(delivery.body, vendor);
  if (!outer.ok) return outer;
  if (!isObject(outer.value)) return misshapen(`body must be an object, got ${Array.isArray(outer.value) ? 'a list' : typeof outer.value}`);
  const inner = nested(outer.value['payload']);
  return ok(isObject(inner) && text(outer.value, members.state) === '' ? inner : outer.value);
}

/** A value that may have been put into the template as JSON text. */
function nested(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  const inner = parseJson(value, vendor);
  return inner.ok ? inner.value : value;
}

/** The first of the members with a text; a list gives its first text; unexpanded variables and -1 count as missing. */
function text(payload: JsonObject, known: readonly string[]): string {
  for (const member of known) {
    const content = Object.hasOwn(payload, member) ? nested(payload[member]) : undefined;
    for (const value of Array.isArray(content) ? content.slice(0, targetsMax) : [content]) {
      const found = textOf(value).trim();
      if (found !== '' && found !== '-1' && !/^(\{\{.*\}\}|\$[A-Z_]+|N\/?A|Not Available|null|undefined)$/s.test(found)) return found;
    }
  }
  return '';
}

/** Epoch milliseconds as number or digits, or ISO 8601; null for what lies outside 1973 to 2100. */
function timeOf(payload: JsonObject, known: readonly string[]): Instant | null {
  for (const member of known) {
    const found = text(payload, [member]);
    const at = /^\d{12,13}$/.test(found) ? Number(found) : /^\d{4}-/.test(found) ? instantOf(found) : null;
    if (at !== null && at >= 100_000_000_000 && at < 4_102_444_800_000) return at;
  }
  return null;
}

// ---------------------------------------------------------------- the event

interface Identity {
  readonly fingerprint: string;
  readonly episode: string;
}

function identityOf(payload: JsonObject): Identity | null {
  const issue = text(payload, members.issue);
  if (issue !== '') return { fingerprint: fingerprintOf(vendor, ['issue', issue]), episode: issue.slice(0, 128).toWellFormed() };
  const condition = text(payload, members.conditionKey);
  if (condition === '') return null;
  const targets = targetsOf(payload).map((target) => target.name);
  return { fingerprint: fingerprintOf(vendor, ['condition', text(payload, members.account), condition, ...targets.sort()]), episode: '' };
}

function eventOf(settings: Settings, payload: JsonObject, said: Claim, identity: Identity, receivedAt: Instant): AlertEvent {
  const trigger = text(payload, members.trigger).toUpperCase();
  const claim = said === 'firing' && takenByPerson(payload, trigger) ? 'acknowledged' : said;
  const targets = targetsOf(payload);
  const labels = labelsFrom(payload, targets);
  const condition = text(payload, members.condition);
  const title = text(payload, members.title);
  const updatedAt = (claim === 'cleared' ? timeOf(payload, ['closedAt', 'closed_at']) : null) ?? timeOf(payload, members.updated);
  const startedAt = timeOf(payload, members.created) ?? classicStart(payload) ?? updatedAt ?? receivedAt;
  const owner = text(payload, members.owner);
  const muting = text(payload, members.muting).toUpperCase();
  return boundEvent({
    source: vendor,
    ...identity,
    name: condition || title || 'issue',
    summary: title || condition || 'issue',
    claim,
    ...(claim === 'cleared' ? { proof: proofOf(trigger) } : {}),
    severity: settings.severities(text(payload, members.severity)) ?? settings.severityDefault,
    labels,
    annotations: annotationsOf(payload),
    entity: targets.length > 1 ? {} : entityOf(settings, labels, targets[0]), // N3
    startedAt,
    observedAt: Math.max(updatedAt ?? receivedAt, startedAt),
    links: linksOf(payload),
    ...(muting === '' ? {} : { sourceMute: muting === 'MUTED' || muting === 'FULLY_MUTED' ? 'muted' : null }),
    ...(claim === 'acknowledged' && owner !== '' ? { note: `acknowledged by ${owner}` } : {}),
  });
}

/** An acknowledgement is state ACTIVATED with trigger USER_ACTION; only our own template can say that it was the opposite. */
function takenByPerson(payload: JsonObject, trigger: string): boolean {
  if (trigger === 'ACKNOWLEDGED' || trigger === 'INVESTIGATING') return true;
  return trigger === 'USER_ACTION' && text(payload, ['isAcknowledged']) !== 'false';
}

function proofOf(trigger: string): Proof {
  return ['CLOSE_TTL', 'CLOSE_INACTIVE', 'USER_ACTION', 'MERGE_REQUEST'].includes(trigger) ? 'assumed' : 'measured'; // N2
}

/** The classic payload tells the time of the notification and the milliseconds since the incident opened. */
function classicStart(payload: JsonObject): Instant | null {
  const at = timeOf(payload, ['timestamp']);
  const duration = Number(text(payload, ['duration']) || '0');
  if (at === null || !Number.isSafeInteger(duration) || duration < 0 || duration >= at) return at;
  return at - duration;
}

/** What the customer's template says beyond the members we know, and a few of those, under the template's names. */
function annotationsOf(payload: JsonObject): Labels {
  const shown = Object.keys(payload).filter((member) => !shownElsewhere.has(member));
  return labelsOf(Object.fromEntries(shown.map((member) => [member, text(payload, [member])])), false);
}

function linksOf(payload: JsonObject): readonly Link[] {
  return linkMembers.flatMap(([says, known]) => linkOf(says, text(payload, known)) ?? []);
}

// ---------------------------------------------------------------- where the trouble is

/** Impacted entities by name, once each: classic targets, `entitiesData.entities` of our template, or bare members. */
function targetsOf(payload: JsonObject): readonly Target[] {
  const targets = new Map<string, Target>();
  for (const member of members.targets) {
    const content = Object.hasOwn(payload, member) ? nested(payload[member]) : undefined;
    for (const each of (Array.isArray(content) ? content : [content]).slice(0, targetsMax)) {
      const target: JsonObject = isObject(each) ? each : { name: each };
      const name = text(target, ['name']);
      if (name !== '') targets.set(name, { name, type: text(target, ['type']).toUpperCase(), labels: labelsOf(target['labels'], false) });
    }
    if (targets.size > 0) break; // the members say the same with more or less detail
  }
  return [...targets.values()];
}

/** Tags with one value and a lone target's labels under their own names, ours on top. */
function labelsFrom(payload: JsonObject, targets: readonly Target[]): Labels {
  const labels: Record<string, string> = { ...(targets.length === 1 ? targets[0]?.labels : {}), ...tagsOf(payload) };
  for (const ours of ['condition', 'policy', 'account', 'workflow'] as const) {
    const value = text(payload, members[ours]);
    if (value !== '') labels[ours] = value;
  }
  if (targets.length > 0) labels['target'] = targets.map((target) => target.name).join(', ');
  return labels;
}

function tagsOf(payload: JsonObject): Labels {
  const tags = nested(payload['tags']);
  if (!isObject(tags)) return {};
  const single = Object.entries(tags).map(([name, values]) => [name, Array.isArray(values) && values.length === 1 ? values[0] : values]);
  return labelsOf(Object.fromEntries(single), false);
}

function entityOf(settings: Settings, labels: Labels, target: Target | undefined): Entity {
  const entity: { -readonly [part in keyof Entity]: string } = {};
  for (const [part, known] of settings.entity) {
    const label = known.find((name) => Object.hasOwn(labels, name));
    if (label !== undefined) entity[part] = labels[label] ?? '';
  }
  if (target === undefined) return entity;
  // Full names, and names with a number as machines have them: web-1, db02.
  const looksLikeHost = isIP(target.name) !== 0 || /^(?:[a-z\d-]+(?:\.[a-z\d-]+)+|[a-z][a-z\d-]*\d)$/i.test(target.name);
  if (target.type === 'HOST' || (target.type === '' && looksLikeHost)) entity.host ??= target.name;
  else if (target.type === '' || /APPLICATION|SERVICE/.test(target.type)) entity.service ??= target.name;
  if (entity.host !== undefined && isIP(entity.host) !== 0) entity.ip ??= entity.host;
  return entity;
}
