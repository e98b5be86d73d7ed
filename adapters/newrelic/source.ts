// New Relic: workflow notifications of issues (default and own templates) and the classic incident payload, as JSON or form.
// The customer writes the payload, so every member may be missing, renamed or a list: members are looked up by all their known members.
//   N1  Identity is the issue id. An incident id of -1 ("unknown") is none; then condition and targets stand in, with a warning.
//   N2  A close is `measured` only when nothing says that it came by time, by hand or by a merge.
//   N3  An issue with several targets names no entity: acting on the first of many would be a guess.
//   N5  Every time a condition is violated is an issue of its own: what they are about is condition and targets, by which flapping is seen.
//   N4  An issue that is deactivated is over for now: nobody need be called for it, and its next word opens it again.
import { isIP } from 'node:net';
import type { AlertEvent, Claim, Entity, Link, Proof } from '../../src/core/alert/event.ts';
import type { Labels } from '../../src/core/alert/labels.ts';
import type { Severity } from '../../src/core/alert/severity.ts';
import { ok, type Result } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import { boundEvent, fingerprintOf, isObject, labelsOf, linkOf, type JsonObject } from '../kit/event.ts';
import { commonSeverities, severityReader, unknownSeverity, type SeverityReader } from '../kit/severity.ts';
import { misshapen, nested, payloadOf, quoted, targetsMax, text, timeOf } from './payload.ts';
import {
  claimWords,
  entityLabels,
  issueLinks,
  issueTexts,
  linkMembers,
  members,
  memberSpelled,
  severityWords,
  shownElsewhere,
  spelling,
  type Says,
} from './words.ts';

const vendor = 'newrelic';

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

const uuids = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi;
const namedIssue = /(?:^|(?:issue|incident)[^\n]{0,40}?)([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})/g;

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
  const said = saidBy(payload);
  if (said === undefined) {
    const word = text(payload, members.state);
    const got = word === '' ? `none in ${Object.keys(payload).slice(0, 4).map(quoted).join(', ') || 'an empty object'}` : quoted(word);
    return misshapen(`state must be CREATED, ACTIVATED, DEACTIVATED or CLOSED (classic: open, acknowledged, closed), got ${got}`);
  }
  if (said === 'test' || isSample(payload)) return ok({ events: [], warnings: ['test notification left out'] });
  const identity = identityOf(payload);
  if (identity === null) return misshapen('issueId (or id, issue_id, incident_id) must name the issue, and no condition stands in for it');
  const warnings = identity.episode === '' ? ['no issue id: condition and targets stand in for it'] : [];
  const severity = text(payload, members.severity);
  if (severity !== '' && settings.severities(severity) === null) warnings.push(unknownSeverity(vendor, severity, settings.severityDefault));
  return ok({ events: [eventOf(settings, payload, said, identity, delivery.receivedAt)], warnings });
}

/** The first member with a word for a state; a template that has none still tells when the issue was closed. */
function saidBy(payload: JsonObject): Says | undefined {
  for (const member of members.state) {
    const said = claimWords.get(spelling(text(payload, [member])));
    if (said !== undefined) return said;
  }
  return text(payload, members.state) === '' && timeOf(payload, members.closed) !== null ? 'cleared' : undefined;
}

/** The Test button sends a sample whose link leads to another issue than its id. */
function isSample(payload: JsonObject): boolean {
  const id = text(payload, ['issueId', 'issue_id', 'id']).toLowerCase();
  const linked: readonly string[] = text(payload, ['issueUrl', 'issuePageUrl']).slice(0, 2_048).toLowerCase().match(uuids) ?? [];
  return id.replace(uuids, '') === '' && id !== '' && linked.length > 0 && !linked.includes(id);
}

// ---------------------------------------------------------------- the event

interface Identity {
  readonly fingerprint: string;
  readonly episode: string;
}

function identityOf(payload: JsonObject): Identity | null {
  const issue = text(payload, members.issue) || issueInText(payload);
  if (issue !== '') return { fingerprint: fingerprintOf(vendor, ['issue', issue]), episode: issue.slice(0, 128).toWellFormed() };
  const condition = text(payload, members.conditionKey);
  if (condition === '') return null;
  const targets = targetsOf(payload).map((target) => target.name);
  return { fingerprint: fingerprintOf(vendor, ['condition', text(payload, members.account), condition, ...targets.sort()]), episode: '' };
}

/** The condition and what it was violated on, which every issue of it shares (N5). */
function subjectOf(payload: JsonObject, { episode }: Identity, targets: readonly Target[]): Pick<AlertEvent, 'subject'> {
  const condition = text(payload, members.condition);
  if (episode === '' || condition === '' || targets.length === 0) return {};
  const named = targets.map(({ name }) => name).sort();
  return {
    subject: fingerprintOf(vendor, ['subject', text(payload, members.account), text(payload, members.policy), condition, ...named]),
  };
}

/** A template may name the issue in a text or a link only: the one id that stands alone or behind the word issue or incident. */
function issueInText(payload: JsonObject): string {
  const ids = new Set<string>();
  for (const member of [...issueTexts, ...issueLinks]) {
    const said = text(payload, [member]).slice(0, 4_096).toLowerCase();
    for (const [, id = ''] of said.matchAll(namedIssue)) ids.add(id);
  }
  return ids.size === 1 ? ([...ids][0] ?? '') : '';
}

function eventOf(
  settings: Settings,
  payload: JsonObject,
  said: Exclude<Says, 'test'>,
  identity: Identity,
  receivedAt: Instant,
): AlertEvent {
  const trigger = text(payload, members.trigger).toUpperCase();
  const claim = claimOf(payload, said, trigger);
  const targets = targetsOf(payload);
  const labels = labelsFrom(payload, targets);
  const condition = text(payload, members.condition);
  const title = text(payload, members.title);
  const updatedAt = (claim === 'cleared' ? timeOf(payload, members.closed) : null) ?? timeOf(payload, members.updated);
  const startedAt = timeOf(payload, members.created) ?? classicStart(payload) ?? updatedAt ?? receivedAt;
  const owner = text(payload, members.owner);
  const muting = text(payload, members.muting).toUpperCase();
  return boundEvent({
    source: vendor,
    ...identity,
    ...subjectOf(payload, identity, targets),
    name: condition || title || text(payload, members.policy) || 'New Relic issue',
    summary: title || condition || `New Relic issue ${identity.episode}`.trim(),
    claim,
    ...(claim === 'cleared' ? { proof: said === 'inactive' ? 'assumed' : proofOf(trigger) } : {}),
    ...(said === 'inactive' ? { presumed: true } : {}), // N4
    severity: settings.severities(text(payload, members.severity)) ?? settings.severityDefault,
    labels,
    annotations: annotationsOf(payload, identity),
    entity: targets.length > 1 ? {} : entityOf(settings, labels, targets[0]), // N3
    startedAt,
    observedAt: Math.max(updatedAt ?? receivedAt, startedAt),
    ...(updatedAt === null ? {} : { sentAt: updatedAt }),
    links: linksOf(payload),
    ...(muting === '' ? {} : { sourceMute: muting === 'MUTED' || muting === 'FULLY_MUTED' ? 'muted' : null }),
    ...(claim === 'acknowledged' && owner !== '' ? { note: `acknowledged by ${owner}` } : {}),
  });
}

/** That a person took an issue, or gave it back, is state ACTIVATED with a trigger that says so, or with USER_ACTION. */
function claimOf(payload: JsonObject, said: Exclude<Says, 'test'>, trigger: string): Claim {
  if (said === 'inactive') return 'cleared';
  if (said !== 'firing') return said;
  const by = claimWords.get(spelling(trigger));
  if (by === 'acknowledged' || by === 'unacknowledged') return by;
  if (trigger !== 'USER_ACTION') return said;
  return isGivenBack(payload) ? 'unacknowledged' : 'acknowledged';
}

/**
 * Of the two things that USER_ACTION may be on an open issue, which it was only a template tells that has `isAcknowledged`, as ours does, or
 * who has it; from any other it is taken as the usual one.
 */
function isGivenBack(payload: JsonObject): boolean {
  const isHeld = text(payload, ['isAcknowledged']).toLowerCase();
  if (isHeld !== '') return isHeld === 'false';
  return members.owner.some((member) => Object.hasOwn(payload, member)) && text(payload, members.owner) === '';
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
function annotationsOf(payload: JsonObject, { episode }: Identity): Labels {
  const shown = Object.keys(payload).filter((member) => !shownElsewhere.has(memberSpelled.get(spelling(member)) ?? member));
  const said = shown.map((member) => [member, text(payload, [member])] as const);
  // A text that names the issue is what the alert is known by, and an annotation is not.
  return labelsOf(Object.fromEntries(said.filter(([, words]) => episode === '' || !words.toLowerCase().includes(episode))), false);
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
      for (const name of namesIn(text(target, ['name', 'entityName', 'entity_name']), isObject(each)))
        targets.set(name, { name, type: text(target, ['type']).toUpperCase(), labels: labelsOf(target['labels'], false) });
    }
    if (targets.size > 0) break; // the members say the same with more or less detail
  }
  return [...targets.values()];
}

/** A list that was put into a text: names by commas or lines. An object's own name is one. */
function namesIn(told: string, isOwn: boolean): readonly string[] {
  if (isOwn || !/[,;\n]/.test(told)) return told === '' ? [] : [told];
  return told
    .slice(0, 8_192)
    .split(/[,;\n]/)
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .slice(0, targetsMax);
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
