// Each alert as it was decided then beside how it is decided now, and where they differ. B2 is told in compare.ts.
import type { Comparison, Difference, Paged, Some } from '../../cli/results.ts';
import type { AlertSeen } from '../../core/alert/facts.ts';
import type { AlertDecided } from '../../core/decide/facts.ts';
import type { MuteReason, SilenceSet } from '../../core/mute/facts.ts';
import type { Fact } from '../../core/records.ts';
import { hour, type Millis } from '../../core/time.ts';
import { iso } from '../../engine/instant.ts';
import { count, sorted } from './counts.ts';
import { nameOf, type Ledger } from './ledger.ts';
import type { Merged } from './log-range.ts';
import type { Recording } from './recording.ts';

const listedMax = 100;
/** By no more are a desk's facts later than its input, however far a clock that stamped others runs ahead. */
const lateMs: Millis = hour;

/** The part of a comparison that is made of pairs. */
export type Compared = Pick<Comparison, 'was' | 'different' | 'paged' | 'fromBefore' | 'unanswered'>;

export interface Pairs {
  was(partition: number, fact: AlertDecided): void;
  now(partition: number, offset: number, input: AlertSeen, facts: readonly Fact[]): void;
  /** A silence was set in the range. */
  silence(input: SilenceSet): void;
  result(): Compared;
}

type Said = Pick<AlertDecided, 'change' | 'decision' | 'reason'>;

interface Recorded {
  readonly was: AlertDecided;
  /** What muted it when it was decided. */
  readonly mute: MuteReason | null;
}

/** Keeps what has no partner yet, and only what can get one. */
export function createPairs(recording: Recording, ledger: Ledger, { firsts, nextFactAt }: Pick<Merged, 'firsts' | 'nextFactAt'>): Pairs {
  const old = new Map<string, Recorded>();
  const fresh = new Map<string, { readonly input: AlertSeen; readonly now: Said }>();
  const silences = new Set<string>();
  const kinds = new Map<string, number>();
  const first: Difference[] = [];
  /** Occurrences that are not compared (B2). */
  const before = new Set<string>();
  let different = 0;
  let number = 0;
  let alone = 0;

  function meet(key: string): void {
    const recorded = old.get(key);
    const present = fresh.get(key);
    if (recorded === undefined || present === undefined) return;
    old.delete(key);
    fresh.delete(key);
    const { was } = recorded;
    const { input, now } = present;
    if (isFromBefore(was, now, recording) || isMutedFromBefore(recorded)) return void before.add(nameOf(input.event));
    recording.ledger.line(number, input, [was]);
    if (was.decision === now.decision) return;
    different += 1;
    count(kinds, `${was.decision} to ${now.decision}`);
    if (first.length >= listedMax) return;
    const { decision, reason } = was;
    first.push({
      input: key,
      at: iso(input.at),
      alert: nameOf(input.event),
      summary: input.event.summary,
      was: { decision, reason },
      now: { decision: now.decision, reason: now.reason },
    });
  }

  /** B2 */
  function isMutedFromBefore({ was, mute }: Recorded): boolean {
    return was.decision === 'suppress' && mute?.kind === 'silence' && !silences.has(`${was.scope}|${mute.silence}`);
  }

  return {
    was(partition, fact) {
      if (fact.offset < (firsts.get(partition) ?? Infinity)) return;
      const key = `${partition}:${fact.offset}`;
      old.set(key, { was: fact, mute: recording.muteOf(fact) });
      meet(key);
    },
    now(partition, offset, input, facts) {
      number += 1;
      ledger.line(number, input, facts);
      const decided = facts.find((fact) => fact.type === 'AlertDecided');
      if (decided === undefined) return; // a redelivery
      const { change, decision, reason } = decided;
      const key = `${partition}:${offset}`;
      fresh.set(key, { input: leastOf(input), now: { change, decision, reason } });
      meet(key);
      if (nextFactAt(partition) > input.at + lateMs && fresh.delete(key)) alone += 1;
    },
    silence({ scope, silence }) {
      silences.add(`${scope}|${silence.id}`);
    },
    result() {
      const wasPaged = pagedIn(recording.ledger);
      const nowPaged = pagedIn(ledger);
      const only = (these: ReadonlyMap<string, string>, those: ReadonlyMap<string, string>): Some<Paged> =>
        someOf([...these].filter(([alert]) => !those.has(alert) && !before.has(alert)));
      const isCompared = recording.facts > 0;
      const none = { count: 0, first: [] };
      return {
        was: isCompared ? recording.ledger.sums() : null,
        different: { count: different, kinds: sorted(kinds), first },
        paged: isCompared ? { onlyThen: only(wasPaged, nowPaged), onlyNow: only(nowPaged, wasPaged) } : { onlyThen: none, onlyNow: none },
        fromBefore: { alerts: before.size, ...recording.before },
        unanswered: alone + fresh.size,
      };
    },
  };
}

function someOf(paged: readonly (readonly [string, string])[]): Some<Paged> {
  return { count: paged.length, first: paged.slice(0, listedMax).map(([alert, title]) => ({ alert, title })) };
}

const none = {};

/** Of an alert what the comparison reads, under the name that it goes by. */
function leastOf(input: AlertSeen): AlertSeen {
  const { type, scope, at, endpoint, index, event } = input;
  const { source, fingerprint, name, summary, claim, severity, startedAt, observedAt } = event;
  const known = { source, fingerprint, episode: '', name, summary, claim, severity, startedAt, observedAt };
  const annotations = { uid: nameOf(event) };
  return { type, scope, at, endpoint, delivery: '', index, event: { ...known, labels: none, annotations, entity: none, links: [] } };
}

/** B2: it fired before, or what it joined was open before. */
function isFromBefore(was: AlertDecided, now: Said, recording: Recording): boolean {
  const isNew = (change: string): boolean => change === 'opened' || change === 'reopened';
  if (was.incident !== null && !recording.opened(was.incident)) return true;
  return isNew(now.change) && !isNew(was.change);
}

/** Occurrences in incidents for which somebody was paged, with the incident's title. */
function pagedIn(ledger: Ledger): ReadonlyMap<string, string> {
  const paged = new Map<string, string>();
  for (const { alerts, pages, title } of ledger.incidents()) if (pages.length > 0) for (const alert of alerts) paged.set(alert, title);
  return paged;
}
