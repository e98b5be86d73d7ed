// What an alert storm is called: what is common to what fires in it and below it, and how far it has spread.
// `alert storm: NodeNetworkDown on 130 hosts, 8 racks`. What belongs to a storm is decide/adopt.ts.
import { isFiring, type Alert } from '../alert/row.ts';
import { firingOf, type Desk } from '../desk.ts';
import type { Incident } from './row.ts';

/** Alerts that are looked at; a larger storm says that there are more. */
const alertsAsked = 1_000;
const rulesShown = 3;
const textCharsMax = 60;

/** Where things stand together, the narrowest first, by the labels that say it. */
const placements: readonly (readonly [word: string, labels: readonly string[]])[] = [
  ['rack', ['rack', 'rack_id']],
  ['zone', ['zone', 'availability_zone', 'topology_kubernetes_io_zone']],
  ['datacenter', ['datacenter', 'dc', 'site']],
  ['cluster', ['cluster']],
  ['namespace', ['namespace']],
  ['region', ['region']],
];

/** What the storm is called now; without an alert that fires, what it was called before. */
export function stormTitle(desk: Desk, storm: Incident): string {
  const { alerts, all } = firingIn(desk, storm);
  if (alerts.length === 0) return storm.title;
  const counts = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const same = counts.get(alert.name);
    if (same === undefined) counts.set(alert.name, [alert]);
    else same.push(alert);
  }
  const rules = [...counts].toSorted(([a, one], [b, other]) => other.length - one.length || (a < b ? -1 : 1));
  const [most] = rules;
  const beyond = all > alerts.length ? `, and ${all - alerts.length} more alerts` : '';
  if (most === undefined || most[1].length * 2 < alerts.length || most[1].length < 2) {
    const named = rules.slice(0, rulesShown).map(([name, { length }]) => `${clip(name)} ${length}`);
    const more = rules.length > rulesShown ? ', …' : '';
    return `alert storm: ${countOf(all, 'alert')} of ${countOf(rules.length, 'rule')} on ${spreadOf(alerts)} (${named.join(', ')}${more})`;
  }
  const others = alerts.length - most[1].length;
  const rest = others === 0 ? '' : `, and ${others} other alert${others === 1 ? '' : 's'}`;
  return `alert storm: ${clip(most[0])} on ${spreadOf(most[1])}${beyond === '' ? rest : beyond}`;
}

/** `130 hosts, 8 racks`, `12 pods in namespace shop`. */
function spreadOf(alerts: readonly Alert[]): string {
  const [thing, count] = thingsOf(alerts);
  const withoutMax = alerts.length * 0.1;
  for (const [word, labels] of placements) {
    const values = new Set<string>();
    let without = 0;
    for (const alert of alerts) {
      const value = placeIn(alert, word, labels);
      if (value === undefined) without += 1;
      else values.add(value);
      if (without > withoutMax) break;
    }
    if (without > withoutMax || values.size >= count) continue;
    const [only = ''] = values;
    return values.size === 1
      ? `${countOf(count, thing)} in ${word} ${clip(only)}`
      : `${countOf(count, thing)}, ${countOf(values.size, word)}`;
  }
  return countOf(count, thing);
}

function placeIn({ labels, entity }: Alert, word: string, names: readonly string[]): string | undefined {
  if ((word === 'cluster' || word === 'namespace') && entity[word] !== undefined) return entity[word];
  for (const name of names) if (Object.hasOwn(labels, name) && labels[name] !== '') return labels[name];
  return undefined;
}

/** What most of them are about, and how many there are of it. */
function thingsOf(alerts: readonly Alert[]): readonly [string, number] {
  for (const part of ['host', 'pod', 'service', 'ip'] as const) {
    const names = new Set<string>();
    let known = 0;
    for (const { entity } of alerts) {
      const name = entity[part];
      if (name === undefined) continue;
      known += 1;
      names.add(name);
    }
    if (known >= alerts.length * 0.9) return [part, names.size];
  }
  return ['alert', alerts.length];
}

function countOf(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** The first so many firing alerts of a storm and of what it speaks for, and how many there are. */
function firingIn(desk: Desk, storm: Incident): { readonly alerts: readonly Alert[]; readonly all: number } {
  const { tables, indexes } = desk;
  const alerts: Alert[] = [];
  let all = 0;
  for (const id of [storm.id, ...[...(indexes.childrenByStorm.get(storm.id) ?? [])].toSorted()]) {
    const incident = tables.incidents.rows.get(id);
    if (incident === undefined || incident.state === 'resolved') continue;
    all += incident.firing;
    for (const fingerprint of firingOf(desk, id)
      .values()
      .take(alertsAsked - alerts.length)) {
      const alert = tables.alerts.rows.get(fingerprint)?.alert;
      if (alert !== undefined && isFiring(alert)) alerts.push(alert);
    }
  }
  return { alerts, all };
}

/** Placeholders in the name of a rule stand for a host or a value, which differ; nobody reads them. */
function clip(name: string): string {
  const text = name.includes('{') ? name.replace(/\s*\{[#$]?[A-Z][A-Z0-9_.:]{0,60}\}/g, '').trim() || name : name;
  return text.length <= textCharsMax ? text : `${text.slice(0, textCharsMax - 1)}…`;
}
