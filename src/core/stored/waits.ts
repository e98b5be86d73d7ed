// How waits are written short. Bits of members, their order, and places in tables are the stored format (facts.ts).
import type { Wake, WakeRequested, WakeSpent } from '../wakes.ts';
import { baseOf, begun, wordAt, type PackedOrNot } from './base.ts';
import {
  asIs,
  before,
  damaged,
  finished,
  instantBefore,
  isPlain,
  listOf,
  newIn,
  next,
  put,
  read,
  readAll,
  type Packed,
} from './packing.ts';
import type { Seen } from './seen.ts';

const usualRequested = 8 | 16;

export function packRequested(number: number, fact: WakeRequested, seen: Seen): PackedOrNot {
  const out = begun(number, 8, fact, seen);
  put(out, 8, wakeIn(fact.wake, fact.seq, seen));
  put(out, 16, fact.afterMs);
  if (fact.token !== Object.values(fact.wake).join('|')) put(out, 32, fact.token);
  if (fact.dueAt !== fact.at + fact.afterMs) put(out, 64, fact.dueAt);
  return finished(out, fact, usualRequested);
}

export function unpackRequested(packed: Packed, seen: Seen): WakeRequested {
  const from = newIn(packed, usualRequested, wordAt);
  const { scope, seq, at } = baseOf(from, seen);
  const wake = wakeAs(next(from), seq, seen);
  const afterMs = next(from) as number; // as it was written
  const token = read(from, 32, Object.values(wake).join('|'));
  const dueAt = read(from, 64, at + afterMs);
  readAll(from);
  return { scope, seq, at, type: 'WakeRequested', token, wake, dueAt, afterMs };
}

export function packSpent(number: number, fact: WakeSpent, seen: Seen): PackedOrNot {
  const out = begun(number, 5, fact, seen);
  put(out, 8, fact.token);
  return finished(out, fact, 8);
}

export function unpackSpent(packed: Packed, seen: Seen): WakeSpent {
  const from = newIn(packed, 8, wordAt);
  const { scope, seq, at } = baseOf(from, seen);
  const token = next(from) as string; // as it was written
  readAll(from);
  return { scope, seq, at, type: 'WakeSpent', token };
}

/** Waits are known by their place in it, and their members by theirs. */
const wakes: readonly (readonly [kind: string, ...members: readonly string[]])[] = [
  ['settle', 'incident', 'life'],
  ['stale', 'incident', 'life'],
  ['lease', 'fingerprint', 'lease', 'why', 'asked'],
];

/** Members in turn: what is expected of them as 0, a number of a fact by how far it lies below that of this one. */
function wakeIn(wake: unknown, seq: number, seen: Seen): unknown {
  if (!isPlain(wake)) return asIs(wake);
  const place = wakes.findIndex(([kind]) => kind === wake['kind']);
  const members = wakes[place];
  const names = Object.keys(wake);
  if (members?.length !== names.length || names[0] !== 'kind') return wake;
  const packed: unknown[] = [place];
  for (let at = 1; at < members.length; at += 1) {
    const name = members[at] ?? '';
    if (names[at] !== name) return wake;
    const value = wake[name];
    if (name === 'lease' || name === 'asked') packed.push(before(seq, value));
    else packed.push(value === expectedOf(name, seen) ? 0 : [value]);
  }
  return packed;
}

function expectedOf(name: string, seen: Seen): unknown {
  if (name === 'incident') return seen.incident;
  if (name === 'fingerprint') return seen.fingerprint;
  return name === 'why' ? 'due' : 1;
}

function wakeAs(stored: unknown, seq: number, seen: Seen): Wake {
  if (!Array.isArray(stored)) return stored as Wake; // as it was written
  const [place, ...values] = stored as Packed;
  const [kind, ...names] = wakes[Number(place)] ?? [];
  if (kind === undefined || names.length !== values.length) throw damaged('it waits for something that nobody knows');
  const made: Record<string, unknown> = { kind };
  for (const [at, name] of names.entries()) {
    const value = values[at];
    if (name === 'lease' || name === 'asked') made[name] = instantBefore(seq, value);
    else made[name] = value === 0 ? expectedOf(name, seen) : listOf(value)[0];
  }
  return made as Wake; // as it was written
}
