// How facts about incidents are written short. Bits of members and their order are the stored format (facts.ts).
import type { IncidentDecided } from '../decide/facts.ts';
import type { AlertJoined, IncidentChanged, IncidentOpened } from '../incident/facts.ts';
import { baseOf, begun, wordAt, type PackedOrNot } from './base.ts';
import { finished, has, newIn, next, put, putOptional, read, readAll, readOptional, type Packed } from './packing.ts';
import { evidenceAs, evidenceIn, isSameEvidence, keysAs, keysIn, scoreAs, scoreIn } from './parts.ts';
import type { Seen } from './seen.ts';

const usualJoined = 128;

export function packJoined(number: number, fact: AlertJoined, seen: Seen): PackedOrNot {
  const { alert } = seen;
  const out = begun(number, 14, fact, seen);
  if (fact.incident !== (seen.incident ?? '')) put(out, 8, fact.incident);
  if (fact.fingerprint !== seen.fingerprint) put(out, 16, fact.fingerprint);
  if (fact.summary !== (alert?.summary ?? '')) put(out, 32, fact.summary);
  if (fact.source !== (alert?.source ?? '')) put(out, 64, fact.source);
  put(out, 128, keysIn(fact.keys, alert));
  if (!isSameEvidence(fact.evidence, seen.evidence)) put(out, 256, evidenceIn(fact.evidence));
  if (fact.startedAt !== (alert?.startedAt ?? 0)) put(out, 512, fact.startedAt);
  if (fact.severity !== (alert?.severity ?? 'critical')) put(out, 1_024, fact.severity);
  if (fact.members !== seen.members + 1) put(out, 2_048, fact.members);
  if (fact.listed !== seen.listed) put(out, 4_096, fact.listed);
  return finished(out, fact, usualJoined);
}

export function unpackJoined(packed: Packed, seen: Seen): AlertJoined {
  const { alert } = seen;
  const from = newIn(packed, usualJoined, wordAt);
  const { scope, seq, at } = baseOf(from, seen);
  const incident = read(from, 8, seen.incident ?? '');
  const fingerprint = read(from, 16, seen.fingerprint);
  const summary = read(from, 32, alert?.summary ?? '');
  const source = read(from, 64, alert?.source ?? '');
  const keys = keysAs(next(from), alert);
  const evidence = has(from, 256) ? evidenceAs(next(from)) : seen.evidence;
  const startedAt = read(from, 512, alert?.startedAt ?? 0);
  const severity = read(from, 1_024, alert?.severity ?? 'critical');
  const members = read(from, 2_048, seen.members + 1);
  const listed = read(from, 4_096, seen.listed);
  readAll(from);
  const ofAlert = { fingerprint, summary, source, evidence, keys, startedAt, severity };
  return { scope, seq, at, type: 'AlertJoined', incident, ...ofAlert, members, listed };
}

export function packOpened(number: number, fact: IncidentOpened, seen: Seen): PackedOrNot {
  const out = begun(number, 8, fact, seen);
  if (fact.incident !== `i${fact.seq}.${fact.scope}`) put(out, 8, fact.incident);
  if (fact.title !== (seen.alert?.summary ?? '')) put(out, 16, fact.title);
  if (fact.severity !== (seen.alert?.severity ?? 'critical')) put(out, 32, fact.severity);
  if (fact.storm !== false) put(out, 64, fact.storm);
  return finished(out, fact, 0);
}

export function unpackOpened(packed: Packed, seen: Seen): IncidentOpened {
  const from = newIn(packed, 0, wordAt);
  const { scope, seq, at } = baseOf(from, seen);
  const incident = read(from, 8, `i${seq}.${scope}`);
  const title = read(from, 16, seen.alert?.summary ?? '');
  const severity = read(from, 32, seen.alert?.severity ?? 'critical');
  const storm = read(from, 64, false);
  readAll(from);
  return { scope, seq, at, type: 'IncidentOpened', incident, title, severity, storm };
}

const usualChanged = 128;

export function packChanged(number: number, fact: IncidentChanged, seen: Seen): PackedOrNot {
  const out = begun(number, 10, fact, seen);
  if (fact.incident !== (seen.incident ?? '')) put(out, 8, fact.incident);
  if (fact.severity !== (seen.alert?.severity ?? 'critical')) put(out, 16, fact.severity);
  if (fact.title !== seen.title) put(out, 32, fact.title);
  if (fact.root !== seen.fingerprint) put(out, 64, fact.root);
  put(out, 128, scoreIn(fact.score, seen));
  if (fact.settled !== false) put(out, 256, fact.settled);
  putOptional(out, 512, fact.words);
  return finished(out, fact, usualChanged);
}

export function unpackChanged(packed: Packed, seen: Seen): IncidentChanged {
  const from = newIn(packed, usualChanged, wordAt);
  const { scope, seq, at } = baseOf(from, seen);
  const incident = read(from, 8, seen.incident ?? '');
  const severity = read(from, 16, seen.alert?.severity ?? 'critical');
  const title = read(from, 32, seen.title);
  const root = read(from, 64, seen.fingerprint);
  const score = scoreAs(next(from), seen);
  const settled = read(from, 256, false);
  const words = readOptional<true>(from, 512);
  readAll(from);
  return {
    scope,
    seq,
    at,
    type: 'IncidentChanged',
    incident,
    severity,
    title,
    root,
    score,
    settled,
    ...(words === undefined ? {} : { words }),
  };
}

const usualIncidentDecided = 32;

export function packIncidentDecided(number: number, fact: IncidentDecided, seen: Seen): PackedOrNot {
  const out = begun(number, 7, fact, seen);
  if (fact.incident !== (seen.incident ?? '')) put(out, 8, fact.incident);
  if (fact.decision !== 'hold') put(out, 16, fact.decision);
  if (fact.reason !== seen.reason) put(out, 32, fact.reason);
  putOptional(out, 64, fact.waitsFor);
  return finished(out, fact, usualIncidentDecided);
}

export function unpackIncidentDecided(packed: Packed, seen: Seen): IncidentDecided {
  const from = newIn(packed, usualIncidentDecided, wordAt);
  const { scope, seq, at } = baseOf(from, seen);
  const incident = read(from, 8, seen.incident ?? '');
  const decision = read<IncidentDecided['decision']>(from, 16, 'hold');
  const reason = read(from, 32, seen.reason);
  const waitsFor = readOptional<readonly string[]>(from, 64);
  readAll(from);
  return { scope, seq, at, type: 'IncidentDecided', incident, decision, reason, ...(waitsFor === undefined ? {} : { waitsFor }) };
}
