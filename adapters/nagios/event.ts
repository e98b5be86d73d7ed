// A claim of a Nagios notification as an AlertEvent: identity, episode, times, labels, annotations and links.
//   N2  Identity is instance, host and service; the problem id is only the episode.
import { isIP } from 'node:net';
import type { AlertEvent, Claim, Link } from '../../src/core/alert/event.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Delivery } from '../../src/ports/source.ts';
import { fingerprintOf, instantOf, linkOf } from '../kit/event.ts';
import type { Kind, Notice, State } from './claims.ts';
import type { NagiosConfig } from './config.ts';
import { pick, type Fields } from './fields.ts';

/** Percent of state change from which stock Nagios calls a check flapping. */
const flapPercent = 20;

export interface Reading {
  readonly delivery: Delivery;
  readonly config: NagiosConfig;
  readonly fields: Fields;
  readonly kind: Kind;
  readonly host: string;
  /** '' for a host check. */
  readonly service: string;
  readonly state: State | undefined;
  readonly said: Notice | undefined;
  readonly claim: Claim;
}

export function eventOf(reading: Reading): AlertEvent {
  const { delivery, config, fields, kind, host, service, state, claim } = reading;
  const instance = pick(fields, 'instance', 'omdsite') || (config.instance ?? '');
  const address = pick(fields, 'hostaddress', 'address', 'ip', 'hostaddress4');
  const isSoft = /^(?:soft|0)$/i.test(pick(fields, `${kind}statetype`, 'statetype'));
  const mute = muteOf(reading);
  const note = noteOf(reading);
  return {
    source: 'nagios',
    fingerprint: fingerprintOf('nagios', [instance, host, service]), // N2
    episode: episodeOf(fields, kind, instance),
    ...orderOf(fields, kind),
    name: kind === 'host' ? 'host check' : service,
    summary: summaryOf(reading),
    claim,
    ...(claim === 'cleared' ? { proof: 'measured' } : {}),
    severity: state?.severity ?? (claim === 'firing' ? 'error' : 'info'),
    labels: labelsOf(reading, instance),
    annotations: annotationsOf(fields, kind),
    entity: {
      host,
      ...(isIP(address) === 0 ? {} : { ip: address }),
      ...(kind === 'service' && config.serviceIsEntity === true ? { service } : {}),
    },
    ...timesOf(fields, kind, claim, delivery.receivedAt),
    links: linksOf(fields, kind),
    ...(claim === 'firing' && isSoft ? { soft: true } : {}),
    ...(mute === undefined ? {} : { sourceMute: mute }),
    ...(note === '' ? {} : { note }),
  };
}

function idOf(fields: Fields, kind: Kind): string | undefined {
  const ids = [pick(fields, `${kind}problemid`, 'problemid'), pick(fields, `last${kind}problemid`, 'lastproblemid')];
  return ids.find((text) => /^[1-9]\d{0,19}$/.test(text));
}

/**
 * Ids of one process grow. Without the start of the process nobody knows whether they began anew, so there they count only when the
 * delivery has no time of its own to go by.
 */
function orderOf(fields: Fields, kind: Kind): Pick<AlertEvent, 'episodeOrder'> {
  const id = idOf(fields, kind);
  const started = pick(fields, 'processstart', 'processstarttime').slice(0, 32);
  const { checked, sent } = clocksOf(fields, kind);
  if (id === undefined || (started === '' && (checked ?? sent) !== null)) return {};
  return { episodeOrder: /^\d+$/.test(started) ? `${id}@${started}` : id };
}

/**
 * Ids start again at 1 when retention is lost, so the instance goes with them, or else the start of the process.
 * A service recovery of Nagios 4.4 has no id at all: ''.
 */
function episodeOf(fields: Fields, kind: Kind, instance: string): string {
  const id = idOf(fields, kind);
  if (id === undefined) return '';
  const origin = instance || pick(fields, 'processstart', 'processstarttime');
  return origin === '' ? id : `${id}@${origin.slice(0, 128).toWellFormed()}`;
}

/**
 * Downtime by its depth. A notification at depth 0 also proves that there is no flapping, for Nagios would have held it
 * back; an event handler runs regardless, so it lifts only where the percentage of change speaks against flapping.
 */
function muteOf({ fields, kind, said }: Reading): string | null | undefined {
  const depths = [
    pick(fields, 'downtimedepth', `${kind}downtime`, `${kind}downtimedepth`),
    // Planned work on a host is planned work on everything that runs there; Nagios counts its depth apart.
    pick(fields, 'hostdowntime', 'hostdowntimedepth'),
  ];
  if (depths.some((depth) => /^[1-9]\d{0,5}$/.test(depth))) return said?.mute === 'flapping' ? 'flapping' : 'downtime';
  if (said?.mute !== undefined) return said.mute;
  if (depths[0] !== '0') return undefined;
  if (said?.says === 'problem' || said?.says === 'recovery') return null;
  const change = Number(pick(fields, `${kind}percentchange`, 'percentchange') || '0');
  return said === undefined && change < flapPercent ? null : undefined;
}

function noteOf({ fields, kind, said }: Reading): string {
  if (said?.note === undefined) return '';
  const author = pick(fields, 'notificationauthor', 'notificationauthorname', `${kind}ackauthor`, 'ackauthor', 'author');
  const comment = pick(fields, 'notificationcomment', `${kind}ackcomment`, 'ackcomment', 'comment');
  const who = author === '' ? '' : ` by ${author.slice(0, 128)}`;
  return `${said.note}${who}${comment === '' ? '' : `: ${comment}`}`.toWellFormed();
}

function summaryOf({ fields, kind, host, service, state }: Reading): string {
  const output = pick(fields, `${kind}output`, 'output', 'checkresultoutput', 'msg', 'additionalinfo');
  const where = kind === 'service' ? `${service.slice(0, 128)} on ${host.slice(0, 128)}` : host.slice(0, 128);
  const is = state === undefined ? '' : ` is ${state.word}`;
  return `${where}${is}${output === '' ? '' : `: ${output.slice(0, 1_024)}`}`.toWellFormed();
}

function labelsOf({ fields, kind, host, service, state }: Reading, instance: string): Record<string, string> {
  const command = pick(fields, `${kind}checkcommand`, 'checkcommand').split('!', 1)[0] ?? '';
  const labels: readonly (readonly [string, string])[] = [
    ['host', host],
    ['service', service],
    ['check', kind],
    ['state', state?.word ?? ''],
    ['instance', instance],
    ['check_command', command],
    ['host_groups', pick(fields, 'hostgroups', 'hostgroupnames')],
    ['service_groups', pick(fields, 'servicegroups', 'servicegroupnames')],
  ];
  return Object.fromEntries(labels.filter(([, text]) => text !== ''));
}

function annotationsOf(fields: Fields, kind: Kind): Record<string, string> {
  const attempt = pick(fields, `${kind}attempt`, 'attempt', 'currentattempt');
  const attemptsMax = pick(fields, `max${kind}attempts`, 'maxattempts', 'maxcheckattempts');
  const texts: readonly (readonly [string, string])[] = [
    ['output', pick(fields, `${kind}output`, 'output', 'checkresultoutput', 'msg', 'additionalinfo')],
    ['long_output', unescaped(pick(fields, `long${kind}output`, 'longoutput'))],
    ['perfdata', pick(fields, `${kind}perfdata`, 'perfdata')],
    ['notification_type', pick(fields, 'notificationtype', 'type', 'nagiosnotification')],
    ['notification_number', pick(fields, `${kind}notificationnumber`, 'notificationnumber')],
    ['state_type', pick(fields, `${kind}statetype`, 'statetype')],
    ['attempt', attemptsMax === '' || attempt === '' ? attempt : `${attempt}/${attemptsMax}`],
    ['duration', pick(fields, `${kind}duration`, 'duration')],
    ['alias', pick(fields, 'hostalias')],
    ['contact', pick(fields, 'contactname')],
  ];
  return Object.fromEntries(texts.filter(([, text]) => text !== ''));
}

/** Nagios writes a newline as backslash n and a backslash twice. */
function unescaped(text: string): string {
  return text.replace(/\\([n\\])/g, (_, after: string) => (after === 'n' ? '\n' : '\\'));
}

function timesOf(
  fields: Fields,
  kind: Kind,
  claim: Claim,
  receivedAt: Instant,
): { readonly startedAt: Instant; readonly observedAt: Instant; readonly sentAt?: Instant } {
  const { checked, sent } = clocksOf(fields, kind);
  const isMeasured = claim === 'firing' || claim === 'cleared';
  const observedAt = (isMeasured ? (checked ?? sent) : (sent ?? checked)) ?? receivedAt;
  const changed = epoch(pick(fields, `last${kind}statechange`, 'laststatechange')) ?? observedAt;
  const told = sent ?? (isMeasured ? checked : null);
  return {
    startedAt: claim === 'cleared' ? observedAt : Math.min(changed, observedAt),
    observedAt,
    ...(told === null ? {} : { sentAt: told }),
  };
}

/** When the check ran and when the notification was made, by the clock of Nagios. */
function clocksOf(fields: Fields, kind: Kind): { readonly checked: Instant | null; readonly sent: Instant | null } {
  return {
    checked: epoch(pick(fields, `last${kind}check`, 'lastcheck', 'checkresultexecutionend', 'checkresultexecutionstart')),
    sent: epoch(pick(fields, 'timet', 'sentat', 'timestamp')) ?? zoned(pick(fields, 'longdatetime')),
  };
}

/** Seconds since 1970, with or without a fraction; Nagios writes 0 for never. */
function epoch(text: string): Instant | null {
  return /^\d{9,10}(?:\.\d{1,9})?$/.test(text) && Number(text) > 0 ? Math.round(Number(text) * 1_000) : null;
}

/** Icinga's `2026-11-21 02:07:47 +0100`; the long date of Nagios has a zone by name only and is left alone. */
function zoned(text: string): Instant | null {
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}$/.test(text) ? instantOf(text) : null;
}

function linksOf(fields: Fields, kind: Kind): readonly Link[] {
  const links = [
    linkOf('Notes', pick(fields, `${kind}notesurl`, 'notesurl')),
    linkOf('Action', pick(fields, `${kind}actionurl`, 'actionurl')),
  ];
  return links.filter((link) => link !== null);
}
