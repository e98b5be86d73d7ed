// Why an alert must not call anybody now, or null. Muting stops notifications, never state: a muted alert still resolves.
import type { HeldAlert, Incident } from './desk.ts';
import { matchesAll, type Labels } from './labels.ts';
import { emit, type Turn } from './law.ts';
import type { MuteReason, Silence } from './records.ts';
import { flapPercent } from './flap.ts';

const membersAskedMax = 10_000;

/** The strongest reason: the source does not trust it yet, the source holds it back, it flaps, a silence matches. */
export function muteOf(turn: Turn, held: HeldAlert): MuteReason | null {
  const { alert } = held;
  if (alert.soft) return { kind: 'soft' };
  if (alert.sourceMute !== null) return { kind: 'source', says: alert.sourceMute };
  if (held.flapping) return { kind: 'flapping', percent: Math.round(flapPercent(held.history)) };
  const silence = silenceOf(turn, alert.labels);
  return silence === null ? null : { kind: 'silence', silence: silence.id, until: silence.endsAt, comment: silence.comment };
}

/** The matching silence that lasts longest; ties go to the smaller id, so that the order of rows never matters. */
function silenceOf(turn: Turn, labels: Labels): Silence | null {
  let best: Silence | null = null;
  for (const { silence } of turn.desk.tables.silences.rows.values()) {
    if (turn.at < silence.startsAt || turn.at >= silence.endsAt) continue;
    if (!matchesAll(silence.matchers, labels, turn.law.expressions.pattern)) continue;
    if (best === null || silence.endsAt > best.endsAt || (silence.endsAt === best.endsAt && silence.id < best.id)) best = silence;
  }
  return best;
}

/**
 * Why no member of an incident may call anybody, or null when one may; `first` is asked before the others.
 * Of members beyond the list what was last written down counts; more than `membersAskedMax` muted ones are taken as calling.
 */
export function hushOf(turn: Turn, incident: Incident, first: string | null): string | null {
  let reason = 'no alert of it fires';
  const over = incident.firing === 0;
  if (over && !isInDoubt(incident)) return reason;
  const members = turn.desk.indexes.alertsByIncident.get(incident.id) ?? [];
  let asked = 0;
  for (const fingerprint of first === null ? members : firstThen(first, members)) {
    const held = turn.desk.tables.alerts.rows.get(fingerprint);
    if (held === undefined || (held.alert.state !== 'firing' && !over)) continue;
    asked += 1;
    const mute = asked <= turn.law.policy.grouping.membersMax ? muteOf(turn, held) : held.muted;
    if (mute === null || asked > membersAskedMax) return null;
    if (over && mute.kind !== 'silence') return null; // what a source said of an alert that has cleared it never takes back
    reason = describeMute(mute);
  }
  return reason;
}

/** Lazily: the first mostly answers the question, and a storm has many members. */
function* firstThen(first: string, rest: Iterable<string>): Iterable<string> {
  yield first;
  yield* rest;
}

/** A run left open what it did, and nobody has looked yet: it calls a person even when every alert has cleared. */
export function isInDoubt(incident: Incident): boolean {
  const { state, run, outcome } = incident;
  return state === 'open' && run === null && (outcome?.end === 'unknown' || outcome?.end === 'stuck' || outcome?.end === 'degraded');
}

/** Writes down that the reason changed, if it did, and returns the one that holds. */
export function refreshMute(turn: Turn, fingerprint: string): MuteReason | null {
  const held = turn.desk.tables.alerts.rows.get(fingerprint);
  if (held === undefined) return null;
  const reason = held.alert.state === 'firing' ? muteOf(turn, held) : null;
  if (!same(held.muted, reason)) emit(turn, { type: 'AlertMuted', fingerprint, incident: held.alert.incident, reason });
  return reason;
}

function same(a: MuteReason | null, b: MuteReason | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.kind === 'silence' && b.kind === 'silence') return a.silence === b.silence && a.until === b.until;
  if (a.kind === 'source' && b.kind === 'source') return a.says === b.says;
  return a.kind === b.kind;
}

export function describeMute(reason: MuteReason): string {
  switch (reason.kind) {
    case 'soft':
      return 'the source has not confirmed it yet (soft state)';
    case 'source':
      return `the source holds it back: ${reason.says}`;
    case 'flapping':
      return `it flaps (${reason.percent} % weighted state changes)`;
    case 'silence':
      return `silence ${reason.silence}${reason.comment === '' ? '' : `: ${reason.comment}`}`;
  }
}
