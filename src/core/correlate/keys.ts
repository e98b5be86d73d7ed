// What two alerts must share to be taken for one trouble: entity parts and configured label sets, as index keys.
import type { Alert } from '../alert/row.ts';

/** Entity parts that identify something that can break; namespace and cluster are too wide to join by. */
const joining = ['host', 'ip', 'service', 'pod'] as const;

export interface Key {
  readonly kind: 'entity' | 'labels';
  /** What the index holds, and the evidence that people see: `host:db1`, `shard=3`. */
  readonly text: string;
}

/** Keys of an alert in order of strength. */
export function keysOf(alert: Alert, labelSets: readonly (readonly string[])[]): readonly Key[] {
  const keys: Key[] = [];
  for (const part of joining) {
    const value = alert.entity[part];
    if (value !== undefined && value !== '') keys.push({ kind: 'entity', text: `${part}:${value}` });
  }
  for (const names of labelSets) {
    const values = names.map((name) => (Object.hasOwn(alert.labels, name) ? alert.labels[name] : undefined));
    if (names.length > 0 && values.every((value) => value !== undefined && value !== '')) {
      keys.push({ kind: 'labels', text: names.map((name, place) => `${name}=${values[place]}`).join(', ') });
    }
  }
  return keys;
}
