// Which facts are written short, and how: those of which there are several for each alert. All others are written as they are.
// Numbers of types, bits of members and their order are the stored format: none is ever given another meaning, and a change of any kind
// is a new form (stored.ts).
import type { AlertMerged } from '../alert/facts.ts';
import type { Alert } from '../alert/row.ts';
import type { AlertDecided } from '../decide/facts.ts';
import type { Fact } from '../records.ts';
import { packedAlert, unpackedAlert } from './alert.ts';
import { baseOf, begun, wordAt, type PackedOrNot } from './base.ts';
import { packChanged, packIncidentDecided, packJoined, packOpened } from './incidents.ts';
import { unpackChanged, unpackIncidentDecided, unpackJoined, unpackOpened } from './incidents.ts';
import {
  asIs,
  before,
  finished,
  has,
  instantBefore,
  newIn,
  next,
  put,
  putOptional,
  read,
  readAll,
  readOptional,
  type Packed,
} from './packing.ts';
import { scoreAs, scoreIn } from './parts.ts';
import type { Seen } from './seen.ts';
import { packRequested, packSpent, unpackRequested, unpackSpent } from './waits.ts';

const seqAndAt = 2 | 4;

// ---------------------------------------------------------------- AlertMerged

const usualMerged = 8 | 32 | 512;

function packMerged(number: number, fact: AlertMerged, seen: Seen): PackedOrNot {
  const { fingerprint, change, alert, count, observedAt, half, at } = fact;
  const out = begun(number, 12, fact, seen);
  put(out, 8, fingerprint);
  if (change !== 'opened') put(out, 16, change);
  if (alert !== null) put(out, 32, packedAlert(alert, fact, seen.alert) ?? asIs(alert));
  if (count !== (alert?.count ?? 1)) put(out, 64, count);
  if (observedAt !== (alert?.observedAt ?? at)) put(out, 128, before(at, observedAt));
  if (fact.observed !== true) put(out, 256, fact.observed);
  if (half !== (alert === null ? null : seen.half)) put(out, 512, half);
  if (fact.note !== null) put(out, 1_024, fact.note);
  putOptional(out, 2_048, fact.remembered);
  putOptional(out, 4_096, fact.until, alert?.lease?.until);
  return finished(out, fact, usualMerged | (seen.seq === 0 ? seqAndAt : 0));
}

function unpackMerged(packed: Packed, seen: Seen): AlertMerged {
  const from = newIn(packed, usualMerged | (seen.seq === 0 ? seqAndAt : 0), wordAt);
  const { scope, seq, at } = baseOf(from, seen);
  const fingerprint = next(from) as string; // as it was written
  const change = read<AlertMerged['change']>(from, 16, 'opened');
  const stored = read<unknown>(from, 32, null);
  const alert = Array.isArray(stored) ? unpackedAlert(stored, { fingerprint, seq, at }, seen.alert) : (stored as Alert | null); // as it was written
  const count = read(from, 64, alert?.count ?? 1);
  const observedAt = has(from, 128) ? instantBefore(at, next(from)) : (alert?.observedAt ?? at);
  const observed = read(from, 256, true);
  const half = read(from, 512, alert === null ? null : seen.half);
  const note = read(from, 1_024, null);
  const remembered = readOptional<NonNullable<AlertMerged['remembered']>>(from, 2_048);
  const until = readOptional(from, 4_096, alert?.lease?.until);
  readAll(from);
  const fact = { scope, seq, at, type: 'AlertMerged', fingerprint, change, alert, count, observedAt, observed, half, note } as const;
  return {
    ...fact,
    ...(remembered === undefined ? {} : { remembered }),
    ...(until === undefined ? {} : { until }),
  };
}

// ---------------------------------------------------------------- AlertDecided

const usualDecided = 16 | 512 | 2_048;

function packDecided(number: number, fact: AlertDecided, seen: Seen): PackedOrNot {
  const out = begun(number, 13, fact, seen);
  if (fact.fingerprint !== seen.fingerprint) put(out, 8, fact.fingerprint);
  putOptional(out, 16, fact.endpoint, seen.endpoint);
  if (fact.change !== seen.change) put(out, 32, fact.change);
  if (fact.incident !== seen.incident) put(out, 64, fact.incident);
  if (fact.decision !== seen.decision) put(out, 128, fact.decision);
  if (fact.reason !== seen.reason) put(out, 256, fact.reason);
  if (fact.score !== null) put(out, 512, scoreIn(fact.score, seen));
  if (fact.delivery !== seen.delivery) put(out, 1_024, fact.delivery);
  if (fact.index !== (fact.delivery === seen.delivery && fact.delivery !== '' ? seen.index + 1 : 0)) put(out, 4_096, fact.index);
  if (fact.offset !== seen.offset + 1) put(out, 2_048, fact.offset);
  putOptional(out, 8_192, fact.lagMs, lagOf(fact.change, fact.at, seen.alert));
  putOptional(out, 16_384, fact.gapMs);
  putOptional(out, 32_768, fact.skewMs);
  return finished(out, fact, usualDecided);
}

function unpackDecided(packed: Packed, seen: Seen): AlertDecided {
  const from = newIn(packed, usualDecided, wordAt);
  const { scope, seq, at } = baseOf(from, seen);
  const fingerprint = read(from, 8, seen.fingerprint);
  const endpoint = readOptional(from, 16, seen.endpoint);
  const change = read(from, 32, seen.change);
  const incident = read(from, 64, seen.incident);
  const decision = read(from, 128, seen.decision);
  const reason = read(from, 256, seen.reason);
  const score = has(from, 512) ? scoreAs(next(from), seen) : null;
  const delivery = read(from, 1_024, seen.delivery);
  const index = read(from, 4_096, delivery === seen.delivery && delivery !== '' ? seen.index + 1 : 0);
  const offset = read(from, 2_048, seen.offset + 1);
  const lagMs = readOptional(from, 8_192, lagOf(change, at, seen.alert));
  const gapMs = readOptional<number>(from, 16_384);
  const skewMs = readOptional<number>(from, 32_768);
  readAll(from);
  return {
    scope,
    seq,
    at,
    type: 'AlertDecided',
    fingerprint,
    ...(endpoint === undefined ? {} : { endpoint }),
    change,
    incident,
    decision,
    reason,
    score,
    delivery,
    index,
    offset,
    ...(lagMs === undefined ? {} : { lagMs }),
    ...(gapMs === undefined ? {} : { gapMs }),
    ...(skewMs === undefined ? {} : { skewMs }),
  };
}

/** What most senders make it: how late we heard of the beginning. */
function lagOf(change: string, at: number, alert: Alert | null): number | undefined {
  if (alert === null || (change !== 'opened' && change !== 'reopened') || alert.startedAt === alert.observedAt) return undefined;
  return at - (alert.began ?? alert.startedAt);
}

/** How a type is written and read. */
export interface Codec {
  readonly type: Fact['type'];
  /** Null where the fact has to be written whole. */
  pack(number: number, fact: Fact, seen: Seen): PackedOrNot;
  unpack(packed: Packed, seen: Seen): Fact;
}

function codecOf<One extends Fact>(
  type: One['type'],
  pack: (number: number, fact: One, seen: Seen) => PackedOrNot,
  unpack: (packed: Packed, seen: Seen) => One,
): Codec {
  return { type, pack: (number, fact, seen) => pack(number, fact as One, seen), unpack }; // asked for this type only
}

/** By number. */
export const codecs: readonly Codec[] = [
  codecOf('AlertMerged', packMerged, unpackMerged),
  codecOf('AlertDecided', packDecided, unpackDecided),
  codecOf('AlertJoined', packJoined, unpackJoined),
  codecOf('IncidentOpened', packOpened, unpackOpened),
  codecOf('IncidentChanged', packChanged, unpackChanged),
  codecOf('IncidentDecided', packIncidentDecided, unpackIncidentDecided),
  codecOf('WakeRequested', packRequested, unpackRequested),
  codecOf('WakeSpent', packSpent, unpackSpent),
];
