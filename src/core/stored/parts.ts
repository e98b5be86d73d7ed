// How parts of facts are written short: scores, evidence, keys of correlation, waits. Orders are the stored format (facts.ts).
import type { Alert } from '../alert/row.ts';
import type { Evidence } from '../correlate/found.ts';
import type { Score, ScoreTerm } from '../score/score.ts';
import { entityParts } from './alert.ts';
import { asIs, damaged, isPlain, listOf, type Packed } from './packing.ts';
import type { Seen } from './seen.ts';

// ---------------------------------------------------------------- evidence

export function isEvidence(value: unknown): value is Evidence {
  return isPlain(value) && Object.keys(value).length === 3 && 'kind' in value && 'shared' in value && 'lagSeconds' in value;
}

export function isSameEvidence(one: Evidence, other: Evidence): boolean {
  return one.kind === other.kind && one.shared === other.shared && one.lagSeconds === other.lagSeconds && isEvidence(one);
}

export function evidenceIn(evidence: Evidence): unknown {
  return isEvidence(evidence) ? [evidence.kind, evidence.shared, evidence.lagSeconds] : asIs(evidence);
}

export function evidenceAs(stored: unknown): Evidence {
  if (!Array.isArray(stored)) return stored as Evidence; // as it was written
  const [kind, shared, lagSeconds] = stored as Packed;
  return { kind, shared, lagSeconds } as Evidence; // as it was written
}

// ---------------------------------------------------------------- scores

export function isScore(value: unknown): value is Score {
  return isPlain(value) && typeof value['value'] === 'number' && Array.isArray(value['terms']) && Object.keys(value).length === 2;
}

function isTerm(value: unknown): value is ScoreTerm {
  if (!isPlain(value) || Object.keys(value).length !== 4) return false;
  const { name, weight, value: worth, why } = value;
  return typeof name === 'string' && typeof weight === 'number' && typeof worth === 'number' && typeof why === 'string';
}

/** The term that stood in that place last, or what stands there mostly. */
function expectedTerm(place: number, { score, alert }: Seen): ScoreTerm {
  const last = score?.terms[place];
  if (last !== undefined && last !== null) return last;
  if (place === 0) return { name: 'severity', weight: 1.4, value: 3, why: `severity ${alert?.severity ?? ''}` };
  return { name: 'rule', weight: 0, value: 0.5, why: `${alert?.name ?? ''}: no history` };
}

/** The value, then term after term: 0 for one that is as expected, else its members, each 0 or `[member]`. */
export function scoreIn(score: unknown, seen: Seen): unknown {
  if (!isScore(score)) return asIs(score);
  const packed: unknown[] = [score.value];
  for (const term of score.terms) {
    if (!isTerm(term)) return score;
    const { name, weight, value, why } = expectedTerm(packed.length - 1, seen);
    const members = [
      term.name === name ? 0 : [term.name],
      term.weight === weight ? 0 : [term.weight],
      term.value === value ? 0 : [term.value],
      term.why === why ? 0 : [term.why],
    ];
    packed.push(members.every((member) => member === 0) ? 0 : members);
  }
  return packed;
}

export function scoreAs(stored: unknown, seen: Seen): Score {
  if (!Array.isArray(stored)) return stored as Score; // as it was written
  const packed = stored as Packed;
  const terms: ScoreTerm[] = [];
  for (let at = 1; at < packed.length; at += 1) {
    const { name, weight, value, why } = expectedTerm(at - 1, seen);
    const term = packed[at];
    if (term === 0) {
      terms.push({ name, weight, value, why });
      continue;
    }
    const [itsName, itsWeight, itsValue, itsWhy] = listOf(term);
    terms.push({
      name: memberOf(itsName, name),
      weight: memberOf(itsWeight, weight),
      value: memberOf(itsValue, value),
      why: memberOf(itsWhy, why),
    });
  }
  return { value: packed[0] as number, terms }; // as it was written
}

function memberOf<Value>(stored: unknown, expected: Value): Value {
  return stored === 0 ? expected : (listOf(stored)[0] as Value); // as it was written
}

// ---------------------------------------------------------------- keys

/** Keys are known by their place in it; the last one is made of the first, up to its first dot. */
const keyParts = [...entityParts, 'fqdn'] as const;

/** What an alert is joined by, as the part of its entity that says so. */
export function keysIn(keys: readonly unknown[], alert: Alert | null): Packed {
  return keys.map((key) => (typeof key === 'string' ? (partOf(key, alert) ?? key) : [key]));
}

/** Without making the keys that it might be. */
function partOf(key: string, alert: Alert | null): number | null {
  if (alert === null) return null;
  const colon = key.indexOf(':');
  const place = colon < 0 ? -1 : keyParts.findIndex((part) => part.length === colon && key.startsWith(part));
  const value: unknown = valueAt(place, alert);
  if (typeof value !== 'string') return null;
  const length = lengthAt(place, value);
  return key.length === colon + 1 + length && value.startsWith(key.slice(colon + 1)) ? place : null;
}

function valueAt(place: number, { entity }: Alert): unknown {
  const part = keyParts[place];
  return part === undefined ? undefined : entity[part === 'fqdn' ? 'host' : part];
}

function lengthAt(place: number, value: string): number {
  const dot = keyParts[place] === 'fqdn' ? value.indexOf('.') : -1;
  return dot < 0 ? value.length : dot;
}

export function keysAs(stored: unknown, alert: Alert | null): readonly string[] {
  return listOf(stored).map((key) => {
    if (typeof key === 'string') return key;
    if (typeof key !== 'number') return listOf(key)[0] as string; // as it was written
    const value = alert === null ? undefined : valueAt(key, alert);
    if (typeof value !== 'string') throw damaged('it has a key that its alert does not have');
    return `${keyParts[key]}:${value.slice(0, lengthAt(key, value))}`;
  });
}
