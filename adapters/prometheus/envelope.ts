// What one body says: its alerts, and what it says once for all of them. Webhooks of Alertmanager and Grafana, a list as the API takes it, and
// the single alert of Grafana before version 9, which becomes one of the list. What an alert says is source.ts.
import type { Link } from '../../src/core/alert/event.ts';
import type { Labels } from '../../src/core/alert/labels.ts';
import { isObject, labelsOf, linkOf, textOf, type JsonObject } from '../kit/event.ts';

const vendor = 'prometheus';

/** Alerts that the sender knows of but left out of the body (`max_alerts`); they are not sent otherwise. */
export interface Hidden {
  readonly count: number;
  /** The sender's group key, so that two groups are not taken for one. */
  readonly group: string;
}

/** What the body says once for all its alerts. */
export interface Envelope {
  readonly alerts: readonly unknown[];
  readonly sender: 'api' | 'alertmanager' | 'grafana';
  /** Labels that it says once for all; an alert that lacks one of them may have it from here. */
  readonly common: Labels;
  readonly annotations: Labels;
  readonly links: readonly Link[];
  readonly hidden?: Hidden;
  /** What was left out of it and why. */
  readonly leftOut?: string;
}

export function envelopeOf(body: unknown, api: boolean): Envelope | null {
  if (Array.isArray(body)) return { alerts: body, sender: 'api', common: {}, annotations: {}, links: [] };
  if (api || !isObject(body)) return null;
  if (!Array.isArray(body['alerts'])) return legacyOf(body);
  const sender = body['version'] === '1' || Object.hasOwn(body, 'orgId') ? 'grafana' : 'alertmanager';
  const home = linkOf(sender === 'grafana' ? 'Grafana' : 'Alertmanager', body['externalURL']);
  const hidden = hiddenOf(body);
  return {
    alerts: body['alerts'],
    sender,
    common: { ...labelsOf(body['groupLabels'], false), ...labelsOf(body['commonLabels'], false) },
    annotations: routeAnnotations(body),
    links: home === null ? [] : [home],
    ...(hidden === null ? {} : { hidden }),
  };
}

const legacyStates: ReadonlyMap<string, 'firing' | 'resolved'> = new Map([
  ['alerting', 'firing'],
  ['no_data', 'firing'],
  ['ok', 'resolved'],
]);

/** Grafana's own alerts before version 9: one rule a body. Series that it matched come and go while it fires, so they are no identity. */
function legacyOf(body: JsonObject): Envelope | null {
  const rule = textOf(body['ruleName']);
  const state = textOf(body['state']).toLowerCase();
  if (state === '' || (rule === '' && textOf(body['ruleId']) === '')) return null;
  const envelope: Envelope = { alerts: [], sender: 'grafana', common: {}, annotations: {}, links: [] };
  if (rule === 'Test notification') return { ...envelope, leftOut: '1 test alerts left out' };
  const status = legacyStates.get(state);
  if (status === undefined) return { ...envelope, leftOut: `state ${quoted(state)} of a rule left out: it neither fires nor is over` };
  const title = textOf(body['title']);
  const labels = {
    ...labelsOf(body['tags'], false),
    alertname: rule || title.replace(/^\[[^\]]{1,20}\]\s*/, '') || `rule ${textOf(body['ruleId'])}`,
    ...labelsOf({ rule_id: body['ruleId'], org_id: body['orgId'] }, false),
  };
  const annotations = labelsOf({ summary: title, message: body['message'], values: valuesOf(body['evalMatches']) }, false);
  const alert = {
    status,
    labels,
    annotations,
    generatorURL: body['ruleUrl'],
    imageURL: body['imageUrl'],
    series: seriesOf(body['evalMatches']),
  };
  return { ...envelope, alerts: [alert] };
}

/** Of the one series that matched: it says where the trouble is, and never what the alert is. */
function seriesOf(matches: unknown): Labels {
  const only: unknown = Array.isArray(matches) && matches.length === 1 ? matches[0] : null;
  return isObject(only) ? labelsOf(only['tags'], false) : {};
}

/** `cpu=97 {"instance":"web1"}`, at most eight. */
function valuesOf(matches: unknown): string {
  if (!Array.isArray(matches)) return '';
  const texts = matches.slice(0, 8).flatMap((match) => {
    if (!isObject(match)) return [];
    const tags = labelsOf(match['tags'], false);
    return [`${textOf(match['metric'])}=${textOf(match['value'])}${Object.keys(tags).length === 0 ? '' : ` ${JSON.stringify(tags)}`}`];
  });
  return texts.join(', ');
}

/** Why it was sent and by which route (Alertmanager 0.32 and 0.34): told to people, never identity. */
function routeAnnotations(body: JsonObject): Labels {
  const annotations: Record<string, string> = {};
  const reason = textOf(body['notification_reason']);
  if (reason !== '') annotations['notification_reason'] = reason;
  for (const [name, value] of Object.entries(labelsOf(body['routeLabels'], false))) annotations[`route_${name}`] = value;
  return annotations;
}

function hiddenOf(body: JsonObject): Hidden | null {
  const count = body['truncatedAlerts'];
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count <= 0) return null;
  return { count, group: textOf(body['groupKey']).slice(0, 256).toWellFormed() };
}

export function misshapen(body: unknown, api: boolean): string {
  const expected = api ? 'the API takes a list of alerts' : 'expected an object with a list "alerts" (webhook), or a list of alerts (API)';
  if (!isObject(body)) return `${vendor}: ${expected}, got ${body === null ? 'null' : typeof body}`;
  const members = Object.keys(body).slice(0, 4).map(quoted).join(', ');
  return `${vendor}: ${expected}, got an object with ${members === '' ? 'no member' : members}; a "payload" template in the receiver replaces the body: remove it`;
}

export function quoted(text: string): string {
  return JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 39)}…`);
}
