// What two alerts must share to be taken for one trouble: entity parts and configured label sets, as index keys.
//   K1  A name that says "here" or "not known" joins nothing: localhost, 127.0.0.1, unknown, n/a.
//   K2  The same name in two clusters, or of a service or pod in two namespaces, is two things; a member that names neither stands between none.
//   K3  A short host name joins the full one of which it is the beginning, as long as only one full name is meant.
import type { Alert } from '../alert/row.ts';

/** Entity parts that identify something that can break; namespace and cluster are too wide to join by. */
const joining = ['host', 'ip', 'service', 'pod'] as const;

export interface Key {
  readonly kind: 'entity' | 'labels';
  /** What the index holds, and the evidence that people see: `host:db1`, `shard=3`. */
  readonly text: string;
  /** `index`: only held, to be found or to keep others out; `ask`: only looked up, as the other spelling of a host. */
  readonly role: 'both' | 'index' | 'ask';
  /** Places that must not differ (K2): texts of marks, `cluster:eu-1`. */
  readonly within: readonly string[];
  /** Mark of incidents that this key must not join, and whether two of them leave open which is meant (K3). */
  readonly not?: string;
  readonly onlyOne?: true;
  /** What people see instead of the text. */
  readonly shown?: string;
}

const vague =
  /^(?:localhost(?:\.localdomain|\.local)?|localhost[46]|127(?:\.\d{1,3}){3}|::1|0\.0\.0\.0|::|\*?unknown\*?|n\/?a|none|null|undefined|default|-|\?|\*|all)$/;

/** Keys of an alert in order of strength. */
export function keysOf(alert: Alert, labelSets: readonly (readonly string[])[]): readonly Key[] {
  const keys: Key[] = [];
  if (alert.subject !== undefined) keys.push(subjectKey(alert.subject));
  const clusters = marksOf('cluster', alert.entity.cluster);
  const namespaces = marksOf('namespace', alert.entity.namespace);
  for (const part of joining) {
    const value = alert.entity[part];
    if (value === undefined || value === '' || vague.test(value.toLowerCase())) continue; // K1
    const within = part === 'host' || part === 'ip' ? clusters : [...clusters, ...namespaces];
    keys.push({ kind: 'entity', text: `${part}:${value}`, role: 'both', within });
    if (part === 'host') keys.push(...spellingsOf(value, within));
  }
  for (const names of labelSets) {
    const values = names.map((name) => (Object.hasOwn(alert.labels, name) ? alert.labels[name] : undefined));
    if (names.length > 0 && values.every((value) => value !== undefined && value !== '')) {
      keys.push({ kind: 'labels', text: names.map((name, place) => `${name}=${values[place]}`).join(', '), role: 'both', within: [] });
    }
  }
  if (keys.length === 0) return keys;
  for (const mark of [...clusters, ...namespaces]) {
    for (const text of [mark, anyOf(mark)]) keys.push({ kind: 'entity', text, role: 'index', within: [] });
  }
  return keys;
}

/** By which occurrences of one thing find each other. */
export function subjectKey(subject: string): Key {
  return { kind: 'labels', text: `subject:${subject}`, role: 'both', within: [], shown: 'what it is about' };
}

/** The mark of every incident with a member that names such a place, whichever. */
export function anyOf(mark: string): string {
  return `${mark.slice(0, mark.indexOf(':'))}:*`;
}

function marksOf(part: 'cluster' | 'namespace', value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : [`${part}:${value}`];
}

/** K3. Of a full name the short one is looked up, of a short one the full names that begin with it; addresses have no short form. */
function spellingsOf(host: string, within: readonly string[]): readonly Key[] {
  const dot = host.indexOf('.');
  if (/^[\d.]+$/.test(host) || host.includes(':') || dot === 0) return [];
  const short = dot < 0 ? host : host.slice(0, dot);
  const full = `fqdn:${short}`;
  if (dot < 0) return [{ kind: 'entity', text: full, role: 'ask', within, onlyOne: true, shown: `host:${short} as the short name` }];
  return [
    { kind: 'entity', text: full, role: 'index', within },
    { kind: 'entity', text: `host:${short}`, role: 'ask', within, not: full, shown: `host:${host} as ${short}` },
  ];
}
