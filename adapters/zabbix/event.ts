// A claim of a Zabbix notification as an AlertEvent: name, labels, annotations, entity and links.
import { isIP } from 'node:net';
import type { AlertEvent, Link } from '../../src/core/alert/event.ts';
import type { Severity } from '../../src/core/alert/severity.ts';
import type { Delivery } from '../../src/ports/source.ts';
import { linkOf } from '../kit/event.ts';
import type { Said } from './claims.ts';
import type { ZabbixConfig } from './config.ts';
import { pick, tagsOf, type Fields } from './fields.ts';
import { told } from './macros.ts';
import { hostOf, keyOf, orderOf, problemNameOf, subjectOf } from './identity.ts';
import { suppressedUntil, timesOf } from './times.ts';

export interface Reading {
  readonly fields: Fields;
  readonly delivery: Delivery;
  readonly config: ZabbixConfig;
  readonly origin: string;
  readonly fingerprint: string;
  readonly severity: Severity;
}

export function eventOf({ fields, delivery, config, origin, fingerprint, severity }: Reading, said: Said): AlertEvent {
  const host = hostOf(fields);
  const title = told(problemNameOf(fields) || subjectOf(fields) || 'Zabbix problem', fields);
  const opdata = told(pick(fields, 'eventopdata', 'opdata', 'triggeropdata', 'operationaldata', 'lineopdata'), fields);
  const tags = tagsOf(fields);
  return {
    source: 'zabbix',
    fingerprint,
    episode: keyOf(fields),
    ...orderOf(fields),
    // The name before its macros were expanded is the same for every host and value.
    name: pick(fields, 'triggernameorig') || title,
    summary:
      `${host === '' ? '' : `${host.slice(0, 128)}: `}${title.slice(0, 400)}${opdata === '' ? '' : ` (${opdata.slice(0, 200)})`}`.toWellFormed(),
    claim: said.claim,
    ...(said.proof === undefined ? {} : { proof: said.proof }),
    ...(said.presumed === undefined ? {} : { presumed: said.presumed }),
    severity,
    labels: { ...ownLabels(fields, origin, host, config), ...withoutOwn(tags) },
    annotations: annotationsOf(fields, opdata),
    entity: entityOf(fields, origin, host, tags),
    ...timesOf(fields, said.phase, delivery.receivedAt, config),
    links: linksOf(fields),
    ...muteOf(said, { fields, delivery, config }),
    muteOf: 'episode', // a problem is suppressed, never its trigger
    ...(said.note === undefined ? {} : { note: said.note }),
  };
}

/** One whose end cannot be read mutes nothing (T2). */
function muteOf({ mute, muteUntil }: Said, { fields, delivery, config }: Pick<Reading, 'fields' | 'delivery' | 'config'>): Mute {
  if (mute === undefined) return {};
  if (muteUntil === undefined) return { sourceMute: mute };
  const until = suppressedUntil(muteUntil, fields, delivery.receivedAt, config);
  return until === null ? {} : { sourceMute: mute, muteUntil: until };
}

type Mute = Pick<AlertEvent, 'sourceMute' | 'muteUntil'>;

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
    ['item', pick(fields, 'itemname', 'item')],
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
    linkOf('Zabbix', pick(fields, 'eventurl', 'eventinfo', 'url', 'linktoupstreamdetails', 'link', 'eventlink', 'problemurl')),
    linkOf('Trigger', pick(fields, 'triggerurl')),
  ];
  return links.filter((link) => link !== null);
}
