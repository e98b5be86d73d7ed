// Alertmanager's webhook and everything that speaks its shapes: versions 4 and 3, Grafana's unified alerting (version 1),
// and the list that Prometheus, vmalert, rulers and amtool post to an Alertmanager's own API.
//   S1  Identity is the label set and nothing else: the webhook and the API agree on it, whatever groups, receivers or hashes they send.
//       Only an alert that has its name from its group has that name in its identity, too.
//       What a body holds is envelope.ts, what an alert is called naming.ts.
//   S2  `resolved` means that the alert ended, not that anything was repaired: its proof is always `assumed`.
//   S3  One bad alert never costs its neighbours; a body without a single usable alert is a failure.
import { isIP } from 'node:net';
import type { AlertEvent, Entity, Link } from '../../src/core/alert/event.ts';
import type { Labels } from '../../src/core/alert/labels.ts';
import type { Severity } from '../../src/core/alert/severity.ts';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import {
  boundEvent,
  fingerprintOfLabels,
  hostOf,
  instantOf,
  isObject,
  labelsOf,
  linkOf,
  parseJson,
  textOf,
  type JsonObject,
} from '../kit/event.ts';
import { commonSeverities, severityReader, unknownSeverities, type SeverityReader } from '../kit/severity.ts';
import { envelopeOf, misshapen, quoted, type Envelope, type Hidden } from './envelope.ts';
import { speaksForOthers, targetOf } from './exporters.ts';
import { namedLabels, nameOf, own, severityWordOf } from './naming.ts';

const vendor = 'prometheus';

/** Every member may be left out; then the default of the same name below counts. */
export interface PrometheusConfig {
  /** Label that holds the severity. */
  readonly severityLabel?: string;
  /** Words of that label in lower case; added to the defaults, and stronger. */
  readonly severities?: { readonly [word: string]: Severity };
  /** For a missing or unknown word. */
  readonly severityDefault?: Severity;
  /** Labels that name each part of the entity, the first present counts. A part given here replaces its default list. */
  readonly entity?: { readonly [part in keyof Entity]?: readonly string[] };
}

export interface PrometheusParsed extends Parsed {
  readonly hidden?: Hidden;
}

const entityLabels: { readonly [part in keyof Entity]-?: readonly string[] } = {
  host: ['host', 'hostname', 'nodename', 'node', 'instance'],
  ip: ['ip', 'host_ip'],
  service: ['exported_service', 'service', 'app', 'app_kubernetes_io_name', 'application'],
  pod: ['exported_pod', 'pod', 'pod_name'],
  namespace: ['exported_namespace', 'namespace', 'kubernetes_namespace'],
  cluster: ['cluster'],
};

const linkAnnotations: readonly (readonly [text: string, annotation: string])[] = [
  ['Runbook', 'runbook_url'],
  ['Runbook', 'runbook'],
  ['Dashboard', 'dashboard_url'],
  ['Dashboard', 'dashboard'],
];
const linkMembers: readonly (readonly [text: string, member: string])[] = [
  ['Expression', 'generatorURL'],
  ['Dashboard', 'dashboardURL'],
  ['Panel', 'panelURL'],
  ['Image', 'imageURL'],
  ['Silence', 'silenceURL'],
];

interface Settings {
  readonly severityLabel: string;
  readonly severities: SeverityReader;
  readonly severityDefault: Severity;
  readonly entity: readonly (readonly [part: keyof Entity, labels: readonly string[]])[];
}

/** The source; `answer` is exactly 200 because amtool takes no other status for success. */
export function prometheus(config: PrometheusConfig): Source & { parse(delivery: Delivery): Result<PrometheusParsed, ParseFailure> } {
  const settings: Settings = {
    severityLabel: config.severityLabel ?? 'severity',
    severities: severityReader(commonSeverities, config.severities),
    severityDefault: config.severityDefault ?? 'warning',
    entity: Object.entries({ ...entityLabels, ...config.entity }) as [keyof Entity, readonly string[]][], // the keys are ours
  };
  return { name: vendor, lists: true, answer: { status: 200 }, parse: (delivery) => parse(settings, delivery) };
}

function parse(settings: Settings, delivery: Delivery): Result<PrometheusParsed, ParseFailure> {
  const api = /^\/api\/v[12]\/alerts\/?$/.test(delivery.path);
  if (!api && delivery.path !== '' && delivery.path !== '/') {
    const message = `${vendor}: path must be the endpoint itself or /api/v2/alerts below it, got ${quoted(delivery.path)}`;
    return fail({ reason: 'unsupported', message });
  }
  const body = parseJson(delivery.body, vendor);
  if (!body.ok) return body;
  const envelope = envelopeOf(body.value, api);
  return envelope === null
    ? fail({ reason: 'wrong_shape', message: misshapen(body.value, api) })
    : eventsOf(settings, envelope, delivery.receivedAt);
}

function eventsOf(settings: Settings, envelope: Envelope, receivedAt: Instant): Result<PrometheusParsed, ParseFailure> {
  const events: AlertEvent[] = [];
  let unusable = 0;
  let stateless = 0;
  let tests = 0;
  const unknownWords = new Set<string>();
  for (const alert of envelope.alerts) {
    const labels = isObject(alert) ? labelsOf(alert['labels'], false) : {};
    if (!isObject(alert) || Object.keys(labels).length === 0) {
      unusable += 1;
    } else if (envelope.sender === 'grafana' && labels['alertname'] === 'TestAlert' && labels['instance'] === 'Grafana') {
      tests += 1;
    } else {
      if (envelope.sender !== 'api' && !isStatus(alert['status'])) stateless += 1;
      const word = severityWordOf(
        settings.severityLabel,
        [labels, labelsOf(alert['annotations'], false), envelope.common],
        settings.severities,
      );
      if (word !== '' && settings.severities(word) === null) unknownWords.add(word);
      events.push(eventOf({ settings, envelope, alert, labels: namedLabels(labels, envelope.common), word, receivedAt }));
    }
  }
  if (events.length === 0 && unusable > 0) {
    return fail({ reason: 'wrong_shape', message: `${vendor}: no alert of ${envelope.alerts.length} has labels` });
  }
  const { hidden, leftOut } = envelope;
  const warnings: string[] = leftOut === undefined ? [] : [leftOut];
  if (unusable > 0) warnings.push(`${unusable} of ${envelope.alerts.length} alerts left out: no labels`);
  if (stateless > 0) warnings.push(`${stateless} alerts without status firing or resolved: judged by endsAt`);
  if (tests > 0) warnings.push(`${tests} test alerts left out`);
  warnings.push(...unknownSeverities(vendor, unknownWords, settings.severityDefault));
  if (hidden !== undefined) warnings.push(`${hidden.count} alerts held back by the sender (max_alerts) in group ${quoted(hidden.group)}`);
  return ok({ events, warnings, ...(hidden === undefined ? {} : { hidden }) });
}

interface Reading {
  readonly settings: Settings;
  readonly envelope: Envelope;
  readonly alert: JsonObject;
  readonly labels: Labels;
  /** For how bad it is. */
  readonly word: string;
  readonly receivedAt: Instant;
}

function eventOf({ settings, envelope, alert, labels, word, receivedAt }: Reading): AlertEvent {
  const annotations = annotationsOf(envelope, alert);
  const entity = entityOf(settings, envelope.sender === 'grafana' ? { ...labelsOf(alert['series'], false), ...labels } : labels);
  const name = nameOf(labels, annotations);
  const started = instantOf(alert['startsAt']);
  const ended = instantOf(alert['endsAt']);
  const cleared = isStatus(alert['status']) ? alert['status'] === 'resolved' : ended !== null && ended <= receivedAt;
  const startedAt = started ?? (cleared ? ended : null) ?? receivedAt;
  return boundEvent({
    source: vendor,
    fingerprint: fingerprintOfLabels(vendor, labels), // S1
    episode: started === null ? '' : new Date(started).toISOString(), // one spelling: the API writes .100Z where the webhook writes .1Z
    name,
    summary: summaryOf(name, entity, annotations),
    claim: cleared ? 'cleared' : 'firing',
    ...(cleared ? { proof: 'assumed' as const } : {}), // S2
    severity: settings.severities(word) ?? settings.severityDefault,
    labels,
    annotations,
    entity,
    startedAt,
    observedAt: cleared && ended !== null && ended >= startedAt ? ended : receivedAt,
    ...sentOf(cleared ? ended : startedAt, receivedAt),
    ...(!cleared && ended !== null && ended > receivedAt ? { until: ended } : {}),
    links: linksOf(envelope, alert, annotations),
  });
}

/** Only a time ahead of ours proves how far its clock is at least: an end, or a start, may be told long after it. */
function sentOf(said: Instant | null, receivedAt: Instant): Pick<AlertEvent, 'sentAt'> {
  return said !== null && said > receivedAt ? { sentAt: said } : {};
}

function isStatus(status: unknown): status is 'firing' | 'resolved' {
  return status === 'firing' || status === 'resolved';
}

function annotationsOf(envelope: Envelope, alert: JsonObject): Labels {
  const annotations = labelsOf(alert['annotations'], true);
  const value = envelope.sender === 'grafana' ? textOf(alert['valueString']) : '';
  const common = value === '' ? envelope.annotations : { ...envelope.annotations, valueString: value };
  return Object.keys(common).length === 0 ? annotations : { ...common, ...annotations };
}

function summaryOf(name: string, entity: Entity, annotations: Labels): string {
  for (const annotation of ['summary', 'title', 'description', 'message']) {
    const text = own(annotations, annotation);
    if (text.trim() !== '') return text;
  }
  const where = entity.pod ?? entity.host ?? entity.service;
  return where === undefined ? name : `${name} on ${where}`;
}

function entityOf(settings: Settings, labels: Labels): Entity {
  const entity: { -readonly [part in keyof Entity]: string } = {};
  for (const [part, names] of settings.entity) {
    for (const label of names) {
      const value = own(labels, label);
      if (value === '' || speaksForOthers(labels, part, label)) continue;
      entity[part] = part === 'host' ? hostName(value) : value;
      break;
    }
  }
  const target = entity.host === undefined ? targetOf(labels) : null;
  if (target !== null) entity.host = hostName(target);
  if (entity.ip === undefined && entity.host !== undefined && isIP(entity.host) !== 0) entity.ip = entity.host;
  return entity;
}

/** `web-1:9100`, `[::1]:9100` and a probe's target `https://shop.example/health` to a bare host. */
function hostName(value: string): string {
  const target = value.includes('://') ? URL.parse(value)?.hostname : undefined;
  return target === undefined || target === '' ? hostOf(value) : hostOf(target);
}

function linksOf(envelope: Envelope, alert: JsonObject, annotations: Labels): readonly Link[] {
  const links: Link[] = [];
  for (const [text, annotation] of linkAnnotations) put(links, text, own(annotations, annotation));
  for (const [text, member] of linkMembers) put(links, text, alert[member]);
  links.push(...envelope.links);
  return links;
}

function put(links: Link[], text: string, href: unknown): void {
  const link = href === undefined || href === '' ? null : linkOf(text, href);
  if (link !== null && !links.some((held) => held.href === link.href)) links.push(link);
}
