// Nagios and its kin (Icinga 2, Naemon, Checkmk): host and service notifications and event handlers.
// One delivery is one claim. The shapes it comes in are fields.ts; what to paste into Nagios is setup/.
//   N2  Identity is instance, host and service; the problem id is only the episode.
//   N3  A custom notification, comment, downtime or flapping notice never opens or clears anything.
//   N4  The state that was measured decides; a type that contradicts it is a warning.
import { isIP } from 'node:net';
import type { AlertEvent, Claim, Link } from '../../src/core/alert/event.ts';
import type { Severity } from '../../src/core/alert/severity.ts';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import { boundEvent, fingerprintOf, instantOf, linkOf } from '../kit/event.ts';
import { fieldsOf, pick, type Fields } from './fields.ts';

export interface NagiosConfig {
  /** Name of the monitoring server when a delivery does not say it (`instance`, Checkmk's `OMD_SITE`): part of the identity. */
  readonly instance?: string;
  /** Service descriptions name applications (`checkout`), not checks (`PING`): alerts of one application on several hosts are joined. */
  readonly serviceIsEntity?: boolean;
}

type Kind = 'host' | 'service';

interface State {
  readonly word: string;
  readonly well: boolean;
  readonly severity: Severity;
}

const states: ReadonlyMap<string, State> = new Map(
  [
    { word: 'OK', well: true, severity: 'info' },
    { word: 'UP', well: true, severity: 'info' },
    { word: 'WARNING', well: false, severity: 'warning' },
    // UNKNOWN is a check that could not tell: someone should look, but nothing is known to be broken.
    { word: 'UNKNOWN', well: false, severity: 'warning' },
    { word: 'UNREACHABLE', well: false, severity: 'error' },
    { word: 'CRITICAL', well: false, severity: 'critical' },
    { word: 'DOWN', well: false, severity: 'critical' },
  ].map((state) => [state.word, state as State]),
);

/** What a notification type says beside the state. `mute`: null lifts; absent says nothing. */
interface Notice {
  readonly says: 'problem' | 'recovery' | 'acknowledged' | 'noted';
  readonly mute?: string | null;
  readonly note?: string;
}

/** Types by letters alone: Icinga 2 writes `DowntimeRemoved` where Nagios writes `DOWNTIMECANCELLED`. */
const notices: ReadonlyMap<string, Notice> = new Map<string, Notice>([
  ['PROBLEM', { says: 'problem' }],
  ['RECOVERY', { says: 'recovery' }],
  ['ACKNOWLEDGEMENT', { says: 'acknowledged', note: 'acknowledged' }],
  ['CUSTOM', { says: 'noted', note: 'custom notification' }],
  ['DOWNTIMESTART', { says: 'noted', mute: 'downtime', note: 'downtime began' }],
  ['DOWNTIMEEND', { says: 'noted', mute: null, note: 'downtime ended' }],
  ['DOWNTIMECANCELLED', { says: 'noted', mute: null, note: 'downtime cancelled' }],
  ['DOWNTIMEREMOVED', { says: 'noted', mute: null, note: 'downtime cancelled' }],
  ['FLAPPINGSTART', { says: 'noted', mute: 'flapping', note: 'flapping began' }],
  ['FLAPPINGSTOP', { says: 'noted', mute: null, note: 'flapping ended' }],
  ['FLAPPINGEND', { says: 'noted', mute: null, note: 'flapping ended' }],
  ['FLAPPINGDISABLED', { says: 'noted', mute: null, note: 'flap detection switched off' }],
]);

/** Percent of state change from which stock Nagios calls a check flapping. */
const flapPercent = 20;

/** One Nagios, or several that name themselves. Takes JSON of the known shapes and forms. */
export function nagios(config: NagiosConfig): Source {
  return { name: 'nagios', parse: (delivery) => parse(delivery, config) };
}

function parse(delivery: Delivery, config: NagiosConfig): Result<Parsed, ParseFailure> {
  const read = fieldsOf(delivery);
  if (!read.ok) return read;
  const fields = read.value;
  const host = pick(fields, 'hostname', 'host');
  if (host === '') return refused('host name missing: expected HOSTNAME, host_name or host.name');
  const service = pick(fields, 'servicedesc', 'servicedescription', 'service', 'servicename');
  const kind = kindOf(fields, service);
  if (kind === 'service' && service === '') return refused('service check without SERVICEDESC or service_description');
  const typed = pick(fields, 'notificationtype', 'type', 'nagiosnotification')
    .toUpperCase()
    .replace(/[^A-Z]/g, '');
  const state = stateOf(fields, kind);
  if (typed === '' && state === undefined) return refused('neither a notification type nor a state that Nagios knows');
  const warnings: string[] = [];
  const notice = notices.get(typed);
  if (typed !== '' && notice === undefined) warnings.push(`nagios: notification type "${typed.slice(0, 40)}" is not known; noted only`);
  const said: Notice | undefined = typed === '' ? undefined : (notice ?? { says: 'noted', note: 'notification of an unknown type' });
  const claim = claimOf(said, state, warnings);
  const event = eventOf({ delivery, config, fields, kind, host, service: kind === 'service' ? service : '', state, said, claim });
  return ok({ events: [boundEvent(event)], warnings });
}

function refused(what: string): Result<never, ParseFailure> {
  return fail({ reason: 'wrong_shape', message: `nagios: ${what}` });
}

function kindOf(fields: Fields, service: string): Kind {
  const what = pick(fields, 'what', 'pdnagiosobject', 'object').toLowerCase();
  if (what === 'host' || what === 'service') return what;
  return service === '' ? 'host' : 'service';
}

/** The state as a word or as a number; in an Icinga check result of a host, 0 and 1 both mean up. */
function stateOf(fields: Fields, kind: Kind): State | undefined {
  const result = pick(fields, 'checkresultstate');
  const given = pick(fields, `${kind}state`, 'state', `${kind}stateid`, 'stateid') || result;
  const named = states.get(given.toUpperCase());
  if (named !== undefined) return named;
  const isResult = given === result && result !== '';
  if (!/^[0-3]$/.test(given)) return undefined;
  const numbered =
    kind === 'service'
      ? ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN']
      : ['UP', isResult ? 'UP' : 'DOWN', isResult ? 'DOWN' : 'UNREACHABLE', 'DOWN'];
  return states.get(numbered[Number(given)] ?? '');
}

function claimOf(said: Notice | undefined, state: State | undefined, warnings: string[]): Claim {
  if (said?.says === 'acknowledged' || said?.says === 'noted') return said.says; // N3
  const told = said === undefined ? undefined : said.says === 'problem' ? 'firing' : 'cleared';
  if (state === undefined) {
    if (told === 'firing') warnings.push('nagios: problem without a state that Nagios knows; taken as error');
    return told ?? 'noted';
  }
  const measured = state.well ? 'cleared' : 'firing';
  if (told !== undefined && told !== measured)
    warnings.push(`nagios: notification type and state ${state.word} contradict; the state decides`); // N4
  return measured;
}

interface Reading {
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

function eventOf(reading: Reading): AlertEvent {
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

/**
 * Ids start again at 1 when retention is lost, so the instance goes with them, or else the start of the process.
 * A service recovery of Nagios 4.4 has no id at all: ''.
 */
function episodeOf(fields: Fields, kind: Kind, instance: string): string {
  const id = [pick(fields, `${kind}problemid`, 'problemid'), pick(fields, `last${kind}problemid`, 'lastproblemid')].find((text) =>
    /^[1-9]\d{0,19}$/.test(text),
  );
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
): { readonly startedAt: Instant; readonly observedAt: Instant } {
  const checked = epoch(pick(fields, `last${kind}check`, 'lastcheck', 'checkresultexecutionend', 'checkresultexecutionstart'));
  const sent = epoch(pick(fields, 'timet', 'sentat', 'timestamp')) ?? zoned(pick(fields, 'longdatetime'));
  const isMeasured = claim === 'firing' || claim === 'cleared';
  const observedAt = (isMeasured ? (checked ?? sent) : (sent ?? checked)) ?? receivedAt;
  const changed = epoch(pick(fields, `last${kind}statechange`, 'laststatechange')) ?? observedAt;
  return { startedAt: claim === 'cleared' ? observedAt : Math.min(changed, observedAt), observedAt };
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
