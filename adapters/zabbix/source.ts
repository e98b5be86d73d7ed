// Zabbix: problems, their updates and recoveries, by our media type, the official ones, or a script of the user's own.
// The shapes they come in are fields.ts; times are times.ts; what to import into Zabbix is setup/.
//   Z2  Identity is the trigger, which implies its host: a recovery without a host macro still pairs. The problem event is the episode.
//   Z3  An update changes the severity, acknowledges or notes; it opens nothing, and clears only by a manual close.
//   Z4  Discovery, autoregistration and internal events are no alerts.
import { isIP } from 'node:net';
import type { AlertEvent, Claim, Link, Proof } from '../../src/core/alert/event.ts';
import type { Severity } from '../../src/core/alert/severity.ts';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import { boundEvent, fingerprintOf, linkOf } from '../kit/event.ts';
import { commonSeverities, severityReader, unknownSeverity, type SeverityWords } from '../kit/severity.ts';
import { fieldsOf, isLiteral, pick, tagsOf, type Fields } from './fields.ts';
import { timesOf } from './times.ts';

export interface ZabbixConfig {
  /** Name of the Zabbix server when a delivery does not say it (`instance`): part of the identity, as two servers reuse trigger ids. */
  readonly instance?: string;
  /** IANA zone of the server's dates, which carry none (`Europe/Berlin`). Without it the receipt time stands in. */
  readonly timeZone?: string;
  /** The same as minutes east of UTC, for servers in a zone whose clocks never change. */
  readonly utcOffsetMinutes?: number;
  /** Names of severities that were changed in Zabbix, in lower case; stronger than the number. */
  readonly severities?: SeverityWords;
  /** For an unknown name without a number. */
  readonly severityDefault?: Severity;
}

/** One claim of a delivery: an update may hold several. */
interface Said {
  readonly claim: Claim;
  readonly proof?: Proof;
  readonly phase: 'problem' | 'update' | 'recovery' | 'cancel';
  readonly mute?: string | null;
  readonly note?: string;
}

const sources: readonly string[] = ['trigger', 'discovery', 'autoregistration', 'internal', 'service'];
const byNumber: readonly Severity[] = ['info', 'info', 'warning', 'warning', 'error', 'critical'];
/** Here a number counts from the mildest, also where a template puts it in the place of a name. */
const byName = severityReader(commonSeverities, { 'not classified': 'info', ...Object.fromEntries(byNumber.entries()) });

/** One Zabbix server, or several that name themselves. Takes JSON of the known shapes. */
export function zabbix(config: ZabbixConfig): Source {
  return { name: 'zabbix', parse: (delivery) => parse(delivery, config) };
}

function parse(delivery: Delivery, config: ZabbixConfig): Result<Parsed, ParseFailure> {
  const read = fieldsOf(delivery.body);
  if (!read.ok) return read;
  const fields = read.value;
  const warnings: string[] = [];
  const origin = sources[Number(pick(fields, 'eventsource') || '0')];
  if (origin === undefined) return refused(`event_source must be 0–4, got ${seen(pick(fields, 'eventsource'))}`);
  if (origin !== 'trigger' && origin !== 'service') return ok({ events: [], warnings: [`zabbix: ${origin} event left out`] }); // Z4
  if (isLiteral(fields, '{EVENT.ID}', 'eventid', 'id', 'entityid')) return ok({ events: [], warnings }); // the Test button
  const severity = severityOf(fields, config, warnings);
  const said = saidBy(fields);
  if (!said.ok) return said;
  const fingerprint = identityOf(fields, origin, config);
  if (fingerprint === null) return refused('trigger_id, or host and event_name, or event_id missing: nothing to know the problem by');
  if (pick(fields, 'truncated') !== '') warnings.push('zabbix: parameters were cut at 64 KB; some fields are missing');
  const events = said.value.map((each) => boundEvent(eventOf({ fields, delivery, config, origin, fingerprint, severity }, each)));
  return ok({ events, warnings });
}

function refused(what: string): Result<never, ParseFailure> {
  return fail({ reason: 'wrong_shape', message: `zabbix: ${what}` });
}

function seen(text: string): string {
  return JSON.stringify(text.slice(0, 40).toWellFormed());
}

/** A number, or a name in its place. Names can be changed in Zabbix: what the operator says of one is stronger than its number. */
function severityOf(fields: Fields, config: ZabbixConfig, warnings: string[]): Severity {
  const number = pick(fields, 'eventnseverity');
  const name = pick(fields, 'eventseverity', 'severity', 'triggerseverity', 'priority', 'lineseverity');
  const known = severityReader(config.severities)(name) ?? byName(number) ?? byName(name);
  const taken = config.severityDefault ?? 'warning';
  if (known === null && (name || number) !== '') warnings.push(unknownSeverity('zabbix', name || number, taken));
  return known ?? taken;
}

// ---------------------------------------------------------------- what is claimed

function saidBy(fields: Fields): Result<readonly Said[], ParseFailure> {
  const value = pick(fields, 'eventvalue');
  if (value !== '' && value !== '0' && value !== '1') return refused(`event_value must be 0 or 1, got ${seen(value)}`);
  const isOver = value === '' ? overByWords(fields) : value === '0';
  if (isOver === null) return refused('event_value, status and subject missing: cannot tell a problem from a recovery');
  const action = pick(fields, 'eventupdateaction', 'updateaction');
  const status = pick(fields, 'eventupdatestatus');
  if (status === '1' || (status === '' && action !== '') || pick(fields, 'messagetype').toLowerCase() === 'acknowledgement') {
    return ok(saidByUpdate(fields, action.toLowerCase(), isOver));
  }
  if (isOver) return ok([{ claim: 'cleared', proof: 'measured', phase: 'recovery' }]);
  const message = pick(fields, 'alertmessage', 'message', 'statemessage');
  // Only at the very start, where Zabbix itself puts it: further on it could be an item's value.
  const cancelled = /^NOTE: Escalation cancell?ed[^\n]{0,300}/.exec(message)?.[0];
  if (cancelled !== undefined) return ok([{ claim: 'cleared', proof: 'assumed', phase: 'cancel', note: cancelled.toWellFormed() }]);
  return ok([{ claim: 'firing', phase: 'problem' }]);
}

/** For senders without {EVENT.VALUE}: a status word, or the subject of the default templates. Null when neither is there. */
function overByWords(fields: Fields): boolean | null {
  const status = pick(fields, 'eventstatus', 'status', 'triggerstatus', 'state', 'messagetype').toLowerCase();
  if (/^(?:resolved|ok|recovery|recovered|closed)$/.test(status)) return true;
  if (status !== '') return false;
  const subject = subjectOf(fields);
  return subject === '' ? null : /^[^a-z]*resolved\b/i.test(subject);
}

function subjectOf(fields: Fields): string {
  const subject = pick(fields, 'alertsubject', 'subject', 'title', 'entitydisplayname').slice(0, 4_096);
  return subject.replace(/ONCALL_GROUP:\s{0,8}\S{1,256}/, '').trim();
}

/** The actions are joined by "and" and commas; several of them may make several claims. */
function saidByUpdate(fields: Fields, action: string, isOver: boolean): readonly Said[] {
  const note = updateNote(fields, action);
  if (isOver) {
    // Z3: a close by hand proves nothing; a remark on a problem that is over changes nothing.
    return /\bclosed\b/.test(action)
      ? [{ claim: 'cleared', proof: 'assumed', phase: 'update', note }]
      : [{ claim: 'noted', phase: 'update', note }];
  }
  const said: Said[] = [];
  if (/\bchanged severity\b/.test(action)) said.push({ claim: 'firing', phase: 'update', note });
  if (/\bunacknowledged\b/.test(action)) said.push({ claim: 'unacknowledged', phase: 'update', note });
  else if (/\backnowledged\b/.test(action) || (action === '' && isAcknowledged(fields)))
    said.push({ claim: 'acknowledged', phase: 'update', note });
  if (/\bunsuppressed\b/.test(action)) said.push({ claim: 'noted', phase: 'update', mute: null, note });
  else if (/\bsuppressed\b/.test(action)) said.push({ claim: 'noted', phase: 'update', mute: 'suppressed', note });
  return said.length > 0 ? said : [{ claim: 'noted', phase: 'update', note }];
}

/** For senders without {EVENT.UPDATE.ACTION}. */
function isAcknowledged(fields: Fields): boolean {
  return /^yes$/i.test(pick(fields, 'eventackstatus', 'eventack')) || pick(fields, 'messagetype').toLowerCase() === 'acknowledgement';
}

function updateNote(fields: Fields, action: string): string {
  const author = pick(fields, 'eventupdateuser', 'userfullname', 'eventackuser');
  const message = pick(fields, 'eventupdatemessage', 'updatemessage');
  const done = action === '' ? 'updated' : action.slice(0, 512);
  return `${done}${author === '' ? '' : ` by ${author.slice(0, 128)}`}${message === '' ? '' : `: ${message}`}`.toWellFormed();
}

// ---------------------------------------------------------------- identity

/** Z2. Without a trigger id: the service, host and problem name, or the sender's own key of the problem. */
function identityOf(fields: Fields, origin: string, config: ZabbixConfig): string | null {
  const instance = pick(fields, 'instance') || (config.instance ?? '');
  const print = (...parts: readonly string[]) => fingerprintOf('zabbix', [instance, ...parts]);
  const trigger = pick(fields, 'triggerid');
  if (/^\d{1,20}$/.test(trigger)) return print('trigger', trigger);
  const name = pick(fields, 'eventname', 'name', 'problemname', 'triggername', 'linename');
  if (origin === 'service') {
    const service = pick(fields, 'serviceid', 'servicename') || name;
    if (service !== '') return print('service', service);
  }
  const host = hostOf(fields);
  if (host !== '' && name !== '') return print('name', host, name);
  const key = keyOf(fields);
  if (key !== '') return print('key', key);
  const told = name || subjectOf(fields).replace(/^[^a-z]*(?:problem|resolved)(?: in [^:]{1,40})?\s{0,8}:\s{0,8}/i, '');
  return told === '' ? null : print('name', host, told);
}

function hostOf(fields: Fields): string {
  return pick(fields, 'hosthost', 'host', 'hosttechnicalname') || pick(fields, 'hostname', 'triggerhostname', 'linehost', 'hostdns');
}

/** The sender's key of one problem: the event id, a script's group, an alert's uid. */
function keyOf(fields: Fields): string {
  const id = pick(fields, 'eventid', 'id', 'entityid', 'alertuid', 'lineeventid');
  if (id !== '') return id.slice(0, 128).toWellFormed();
  return /ONCALL_GROUP:\s{0,8}(\S{1,128})/.exec(pick(fields, 'alertsubject', 'subject', 'title'))?.[1]?.toWellFormed() ?? '';
}

// ---------------------------------------------------------------- the event

interface Reading {
  readonly fields: Fields;
  readonly delivery: Delivery;
  readonly config: ZabbixConfig;
  readonly origin: string;
  readonly fingerprint: string;
  readonly severity: Severity;
}

function eventOf({ fields, delivery, config, origin, fingerprint, severity }: Reading, said: Said): AlertEvent {
  const host = hostOf(fields);
  const title = pick(fields, 'eventname', 'name', 'problemname', 'triggername', 'linename') || subjectOf(fields) || 'problem';
  const opdata = pick(fields, 'eventopdata', 'opdata', 'triggeropdata', 'operationaldata', 'lineopdata');
  const tags = tagsOf(fields);
  return {
    source: 'zabbix',
    fingerprint,
    episode: keyOf(fields),
    // The name before its macros were expanded is the same for every host and value.
    name: pick(fields, 'triggernameorig') || title,
    summary:
      `${host === '' ? '' : `${host.slice(0, 128)}: `}${title.slice(0, 400)}${opdata === '' ? '' : ` (${opdata.slice(0, 200)})`}`.toWellFormed(),
    claim: said.claim,
    ...(said.proof === undefined ? {} : { proof: said.proof }),
    severity,
    labels: { ...ownLabels(fields, origin, host, config), ...withoutOwn(tags) },
    annotations: annotationsOf(fields, opdata),
    entity: entityOf(fields, origin, host, tags),
    ...timesOf(fields, said.phase, delivery.receivedAt, config),
    links: linksOf(fields),
    ...(said.mute === undefined ? {} : { sourceMute: said.mute }),
    ...(said.note === undefined ? {} : { note: said.note }),
  };
}

const ownNames = ['host', 'host_name', 'host_groups', 'trigger_id', 'event_source', 'instance'] as const;

function ownLabels(fields: Fields, origin: string, host: string, config: ZabbixConfig): Record<string, string> {
  const texts: Record<(typeof ownNames)[number], string> = {
    host,
    host_name: pick(fields, 'hostname'),
    host_groups: pick(fields, 'hostgroups', 'triggerhostgroupname'),
    trigger_id: pick(fields, 'triggerid'),
    event_source: origin,
    instance: pick(fields, 'instance') || (config.instance ?? ''),
  };
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}

/** A tag may not pass for one of our own labels. */
function withoutOwn(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => !(ownNames as readonly string[]).includes(name)));
}

function annotationsOf(fields: Fields, opdata: string): Record<string, string> {
  const texts: readonly (readonly [string, string])[] = [
    ['opdata', opdata],
    ['severity', pick(fields, 'eventseverity', 'severity', 'triggerseverity')],
    ['description', pick(fields, 'triggerdescription', 'description')],
    ['expression', pick(fields, 'triggerexpression')],
    ['item', pick(fields, 'itemname')],
    ['value', pick(fields, 'itemvalue', 'itemlastvalue')],
    ['message', remarkOf(fields)],
    ['recovery_id', pick(fields, 'eventrecoveryid')],
    ['duration', pick(fields, 'eventduration')],
  ];
  return Object.fromEntries(texts.filter(([, text]) => text !== ''));
}

/** The message, unless it was only the vessel of fields that we have read: those are not annotations. */
function remarkOf(fields: Fields): string {
  const message = pick(fields, 'alertmessage', 'message', 'statemessage');
  const isVessel = /(?:^|\n)\{\s{0,8}"/.test(message) || pick(fields, 'lineeventid', 'linename', 'linehost') !== '';
  return isVessel ? '' : message;
}

function entityOf(fields: Fields, origin: string, host: string, tags: Readonly<Record<string, string>>): AlertEvent['entity'] {
  const ip = [pick(fields, 'hostip'), pick(fields, 'hostconn')].find((text) => isIP(text) !== 0);
  const tag = (name: string) => (Object.hasOwn(tags, name) ? (tags[name] ?? '') : '');
  const service = (origin === 'service' ? pick(fields, 'servicename') : '') || tag('service');
  return { host, ...(ip === undefined ? {} : { ip }), service, pod: tag('pod'), namespace: tag('namespace'), cluster: tag('cluster') };
}

function linksOf(fields: Fields): readonly Link[] {
  const [base, trigger, event] = [pick(fields, 'zabbixurl', 'zbxurl'), pick(fields, 'triggerid'), pick(fields, 'eventid')];
  const isBuilt = base !== '' && /^\d+$/.test(trigger) && /^\d+$/.test(event);
  const links = [
    linkOf('Zabbix', isBuilt ? `${base.replace(/\/$/, '')}/tr_events.php?triggerid=${trigger}&eventid=${event}` : ''),
    linkOf('Zabbix', pick(fields, 'eventurl', 'eventinfo', 'url', 'linktoupstreamdetails')),
    linkOf('Trigger', pick(fields, 'triggerurl')),
  ];
  return links.filter((link) => link !== null);
}
