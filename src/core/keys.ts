// What two alerts must share to be taken for one trouble: entity parts and configured label sets, as index keys.
import type { Alert } from './alert.ts';

/** Entity parts that identify something that can break; namespace and cluster are too wide to join by. */
const joining = ['host', 'ip', 'service', 'pod'] as const;

/** Keys in order of strength; the text doubles as the evidence shown to people (`host:db1`). */
export function keysOf(alert: Alert, labelSets: readonly (readonly string[])[]): readonly string[] {
  const keys: string[] = [];
  for (const part of joining) {
    const value = alert.entity[part];
    if (value !== undefined && value !== '') keys.push(`${part}:${value}`);
  }
  for (const names of labelSets) {
    const values = names.map((name) => (Object.hasOwn(alert.labels, name) ? alert.labels[name] : undefined));
    if (names.length > 0 && values.every((value) => value !== undefined && value !== '')) {
      keys.push(names.map((name, place) => `${name}=${values[place]}`).join(', '));
    }
  }
  return keys;
}
