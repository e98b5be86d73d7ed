// A stretch of the log through today's rules in virtual time, beside what was decided then: `quench log replay`.
// Actions are simulated, nobody is paged (world.ts). Fed is what the world said of its own accord:
//   alerts, what senders left out, silences; and by hand, as far as its incident is found again here: a resolution, and an ack while a page rings here.
// Left out is what answers the real run's own questions (claims, answers, approvals, wakes: time is virtual) or belongs to its rules (policy, commands).
//   B1  An incident of the recording goes by its alerts: its id is the number of a fact, and here other facts are counted.
//   B2  What the recording knew from before the stretch is told apart: it is no difference of the rules. A silence that was not set in
//       the stretch counts so, too; states of before that flapping rests on do only where the incident was open before.
import type { ShadowAsk, Stretch } from '../../cli/command.ts';
import type { AlertSeen } from '../../core/alert/facts.ts';
import type { AlertDecided } from '../../core/decide/facts.ts';
import type { MuteReason, SilenceSet } from '../../core/mute/facts.ts';
import type { Fact, Input } from '../../core/records.ts';
import { hour, second, type Instant, type Millis } from '../../core/time.ts';
import { iso } from '../../engine/async/moments.ts';
import { createLedger, nameOf, type Ledger, type Sums } from './ledger.ts';
import { merge, type Merged } from './log-range.ts';
import type { Rules } from './replay.ts';
import { createWorld, type World } from './world.ts';

const actionTakesMs: Millis = second;
const told = 100;
/** By no more are a desk's facts later than its input, however far a clock that stamped others runs ahead. */
const lateMs: Millis = hour;

export interface Difference {
  /** `partition:offset` of the input. */
  readonly input: string;
  readonly at: string;
  readonly alert: string;
  readonly summary: string;
  readonly was: { readonly decision: string; readonly reason: string };
  readonly now: { readonly decision: string; readonly reason: string };
}

interface Some<T> {
  readonly count: number;
  readonly first: readonly T[];
}

interface Paged {
  readonly alert: string;
  readonly title: string;
}

export interface Shadowed {
  readonly from: string | null;
  readonly to: string | null;
  readonly policy: string;
  readonly inputs: { readonly fed: Counts; readonly leftOut: Counts };
  readonly now: Sums;
  /** Null when the recording holds no facts. */
  readonly was: Sums | null;
  readonly different: Some<Difference> & { readonly kinds: Counts };
  readonly paged: { readonly onlyThen: Some<Paged>; readonly onlyNow: Some<Paged> };
  /** What goes back to before the stretch and is not compared (B2). */
  readonly fromBefore: { readonly alerts: number; readonly pages: number; readonly runs: number };
  /** Alerts whose decision the recording does not hold. */
  readonly unanswered: number;
}

type Counts = { readonly [word: string]: number };

/** Turns the stretch and compares. Rejects with the signal's reason when told to stop. */
export async function shadow(stretch: Stretch, rules: Rules, ask: Pick<ShadowAsk, 'signal' | 'progress'>): Promise<Shadowed> {
  const then = createThen();
  const now = createNow(rules);
  const fed = new Map<string, number>();
  const leftOut = new Map<string, number>();
  let last: Instant = 0;
  let turned = 0;

  const merged = await merge(stretch, () => last);
  const { startAt } = merged;
  const pairs = createPairs(then, now.ledger, merged);
  for await (const line of merged.lines) {
    ask.signal.throwIfAborted();
    if (line.topic === 'facts') {
      const fact = line.value as unknown as Fact; // written by a host
      if (then.hear(line.partition, fact, startAt) && fact.type === 'AlertDecided') pairs.was(line.partition, fact);
      continue;
    }
    const input = line.value as unknown as Input; // written by intake, effects and timers
    last = Math.max(last, input.at);
    turned += 1;
    ask.progress(turned, last);
    const saying = now.sayable(input, then);
    count(saying === null ? leftOut : fed, input.type);
    if (saying === null) continue;
    const facts = now.say(saying);
    if (input.type === 'SilenceSet') pairs.silence(input);
    if (input.type === 'AlertSeen') pairs.now(line.partition, line.offset, input, facts);
  }
  now.forward(last);
  return {
    from: turned === 0 ? null : iso(startAt),
    to: turned === 0 ? null : iso(last),
    policy: rules.policy.digest,
    inputs: { fed: sorted(fed), leftOut: sorted(leftOut) },
    now: now.ledger.sums(),
    ...pairs.result(),
  };
}

// ---------------------------------------------------------------- what was decided

interface Then {
  readonly ledger: Ledger;
  /** False for a repeat of a fact that was heard. */
  hear(partition: number, fact: Fact, since: Instant): boolean;
  /** Fingerprints of an incident, as far as they were told. */
  alertsOf(incident: string): ReadonlySet<string>;
  opened(incident: string): boolean;
  /** What mutes the alert by the facts heard so far, or null. */
  muteOf(fact: AlertDecided): MuteReason | null;
  readonly heard: number;
  readonly before: { pages: number; runs: number };
}

function createThen(): Then {
  const ledger = createLedger();
  const marks = new Map<string, number>();
  const members = new Map<string, Set<string>>();
  const openedHere = new Set<string>();
  const mutes = new Map<string, MuteReason>();
  const before = { pages: 0, runs: 0 };
  let heard = 0;

  function join(incident: string | null, fingerprint: string): void {
    if (incident === null) return;
    const known = members.get(incident);
    if (known === undefined) members.set(incident, new Set([fingerprint]));
    else known.add(fingerprint);
  }

  function note(fact: Fact): void {
    heard += 1;
    if (fact.type === 'IncidentOpened') openedHere.add(fact.incident);
    const begins = fact.type === 'PageOpened' || fact.type === 'RunStarted' || fact.type === 'RunRefused';
    if (begins && !openedHere.has(fact.incident)) before[fact.type === 'PageOpened' ? 'pages' : 'runs'] += 1;
    else ledger.seen(fact);
  }

  return {
    ledger,
    before,
    get heard() {
      return heard;
    },
    hear(partition, fact, since) {
      const mark = `${partition}|${fact.scope}`;
      if (fact.seq <= (marks.get(mark) ?? 0)) return false;
      marks.set(mark, fact.seq);
      if (fact.type === 'AlertDecided' || fact.type === 'AlertJoined') join(fact.incident, fact.fingerprint);
      if (fact.type === 'AlertMuted') {
        if (fact.reason === null) mutes.delete(alertOf(fact));
        else mutes.set(alertOf(fact), fact.reason);
      }
      if (fact.at >= since) note(fact);
      return true;
    },
    alertsOf: (incident) => members.get(incident) ?? new Set(),
    opened: (incident) => openedHere.has(incident),
    muteOf: (fact) => mutes.get(alertOf(fact)) ?? null,
  };
}

function alertOf({ scope, fingerprint }: { readonly scope: string; readonly fingerprint: string }): string {
  return `${scope}|${fingerprint}`;
}

// ---------------------------------------------------------------- what is decided now

interface Now {
  readonly ledger: Ledger;
  /** The input as it can be said here, or null when it is left out. */
  sayable(input: Input, then: Then): Input | null;
  say(input: Input): readonly Fact[];
  forward(until: Instant): void;
}

function createNow(rules: Rules): Now {
  const ledger = createLedger();
  const homes = new Map<string, string>();
  const ringing = new Set<string>();
  let world: World | null = null;

  function seen(fact: Fact): void {
    ledger.seen(fact);
    if (fact.type === 'AlertJoined') homes.set(alertOf(fact), fact.incident);
    if (fact.type === 'PageOpened') ringing.add(fact.incident);
    if (fact.type === 'PageAcked' || fact.type === 'PageClosed') ringing.delete(fact.incident);
  }

  /** B1 */
  function homeOf(scope: string, incident: string, then: Then): string | null {
    for (const fingerprint of then.alertsOf(incident)) {
      const home = homes.get(alertOf({ scope, fingerprint }));
      if (home !== undefined) return home;
    }
    return null;
  }

  return {
    ledger,
    sayable(input, then) {
      switch (input.type) {
        case 'AlertSeen':
        case 'AlertsHidden':
        case 'SilenceSet':
          return input;
        case 'Resolved': {
          const incident = homeOf(input.scope, input.incident, then);
          return incident === null ? null : { ...input, incident };
        }
        case 'Acked': {
          world?.forward(input.at); // what is due by now may ring
          const incident = homeOf(input.scope, input.incident, then);
          if (incident === null || !ringing.has(incident)) return null;
          const { page: _real, ...rest } = input;
          return { ...rest, incident };
        }
        // What is said of runs, pages and wakes of then means nothing to those of now.
        case 'StepClaimed':
        case 'StepAnswered':
        case 'NotifyAnswered':
        case 'Approved':
        case 'Denied':
        case 'CommandGiven':
        case 'Woke':
        case 'PolicyPublished':
          return null;
      }
    },
    say(input) {
      world ??= createWorld(
        { policy: rules.policy, frozen: null, expressions: rules.expressions },
        { answer: () => ({ outcome: { outcome: 'ok', output: {} }, takesMs: actionTakesMs }), seen },
        input.at,
      );
      return world.say(input);
    },
    forward: (until) => world?.forward(until),
  };
}

// ---------------------------------------------------------------- both beside each other

interface Pairs {
  was(partition: number, fact: AlertDecided): void;
  now(partition: number, offset: number, input: AlertSeen, facts: readonly Fact[]): void;
  /** A silence was set in the stretch. */
  silence(input: SilenceSet): void;
  result(): Pick<Shadowed, 'was' | 'different' | 'paged' | 'fromBefore' | 'unanswered'>;
}

type Said = Pick<AlertDecided, 'change' | 'decision' | 'reason'>;

interface Old {
  readonly was: AlertDecided;
  /** What muted it when it was decided. */
  readonly mute: MuteReason | null;
}

/** What has no partner yet is held, so only what can get one. */
function createPairs(then: Then, ledger: Ledger, { firsts, nextFactAt }: Pick<Merged, 'firsts' | 'nextFactAt'>): Pairs {
  const old = new Map<string, Old>();
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
    const one = old.get(key);
    const other = fresh.get(key);
    if (one === undefined || other === undefined) return;
    old.delete(key);
    fresh.delete(key);
    const { was } = one;
    const { input, now } = other;
    if (isFromBefore(was, now, then) || isMutedFromBefore(one)) return void before.add(nameOf(input.event));
    then.ledger.line(number, input, [was]);
    if (was.decision === now.decision) return;
    different += 1;
    count(kinds, `${was.decision} to ${now.decision}`);
    if (first.length >= told) return;
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
  function isMutedFromBefore({ was, mute }: Old): boolean {
    return was.decision === 'suppress' && mute?.kind === 'silence' && !silences.has(`${was.scope}|${mute.silence}`);
  }

  return {
    was(partition, fact) {
      if (fact.offset < (firsts.get(partition) ?? Infinity)) return;
      const key = `${partition}:${fact.offset}`;
      old.set(key, { was: fact, mute: then.muteOf(fact) });
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
      const wasPaged = pagedIn(then.ledger);
      const nowPaged = pagedIn(ledger);
      const only = (these: ReadonlyMap<string, string>, those: ReadonlyMap<string, string>): Some<Paged> => {
        const found = [...these].filter(([alert]) => !those.has(alert) && !before.has(alert));
        return { count: found.length, first: found.slice(0, told).map(([alert, title]) => ({ alert, title })) };
      };
      const isCompared = then.heard > 0;
      const none = { count: 0, first: [] };
      return {
        was: isCompared ? then.ledger.sums() : null,
        different: { count: different, kinds: sorted(kinds), first },
        paged: isCompared ? { onlyThen: only(wasPaged, nowPaged), onlyNow: only(nowPaged, wasPaged) } : { onlyThen: none, onlyNow: none },
        fromBefore: { alerts: before.size, ...then.before },
        unanswered: alone + fresh.size,
      };
    },
  };
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
function isFromBefore(was: AlertDecided, now: Said, then: Then): boolean {
  const isNew = (change: string): boolean => change === 'opened' || change === 'reopened';
  if (was.incident !== null && !then.opened(was.incident)) return true;
  return isNew(now.change) && !isNew(was.change);
}

/** Occurrences in incidents for which somebody was paged, with the incident's title. */
function pagedIn(ledger: Ledger): ReadonlyMap<string, string> {
  const paged = new Map<string, string>();
  for (const { alerts, pages, title } of ledger.incidents()) if (pages.length > 0) for (const alert of alerts) paged.set(alert, title);
  return paged;
}

// ---------------------------------------------------------------- counting

function count(counts: Map<string, number>, word: string): void {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}

function sorted(counts: ReadonlyMap<string, number>): Counts {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
