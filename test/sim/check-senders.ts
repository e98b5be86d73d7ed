// What sources said last is what holds: asked of the truth that senders of named episodes wrote down when they spoke (kinds.ts), in whatever
// order, how often and by whatever clock their words arrived.
//   E3  (core/alert/merge.ts) Of an alert, the latest word of its source among those that were decided holds at once; no ended episode reopens.
//   K1  (core/alert/clocks.ts) A clock that is wrong is known to be after five words in time, and one that is right is left alone.
//   L2  (core/incident/leases.ts) What a source vouches for until an instant is over soon after it, and not before.
import { minute, second, type Instant, type Millis } from '../../src/core/time.ts';
import type { AlertDecided } from '../../src/core/decide/facts.ts';
import type { Told } from './kinds.ts';
import { deskName, type Ledger, type Moment } from './ledger.ts';

/** A word in time may lie in a queue, or at a slow disk. */
const inTimeMs: Millis = 20 * second;
const skewMin: Millis = minute;
/** Whoever comes late to the end of a lease lets the source speak first. */
const patienceMs: Millis = 95 * second;
const slackMs: Millis = 8 * second;
const perTroubleMs: Millis = 5 * second;
const samplesMax = 15;
const samplesMin = 5;

/** A word on the log: what it says, and until when it vouches for that. */
interface Word {
  readonly told: Told;
  readonly until: Instant | null;
  readonly claim: string;
  readonly isSoft: boolean;
}

/** An alert of one desk. */
interface Heard {
  readonly desk: string;
  readonly fingerprint: string;
  /** The latest word that was decided, by truth: that it fires, or is over. */
  latest: Told | null;
  /** Number of the latest word that settles nothing: its source has not confirmed it, or something has come between. */
  soft: number;
  /** How far our clock had jumped forward by then: what is known to be over is known for a while. */
  leapt: Millis;
  /** Episodes that their source said are over, with the number of that word. */
  readonly ended: Map<number, number>;
  /** By our clock, with the skew that was known: until when the newest word vouches for it; null when none does. */
  until: Instant | null;
  /** Since when it fires beyond that. */
  overdue: Moment | null;
}

export function checkSenders(ledger: Ledger): void {
  /** Words on the log that were not decided yet, by place. */
  const words = new Map<string, Word>();
  const alerts = new Map<string, Heard>();
  const fresh = new Set<Heard>();
  const leased = new Set<Heard>();
  /** Differences of clocks as each desk measured them, by endpoint; newest last. */
  const samples = new Map<string, number[]>();
  const isRight = ({ forward, back }: Moment): boolean => forward === 0 && back === 0;

  ledger.watch({
    input(input, partition, offset) {
      if (input.type !== 'AlertSeen') return;
      const told = ledger.claims.get(input.event.annotations['mark'] ?? '');
      const { claim, until = null, soft: isSoft = false } = input.event;
      if (told !== undefined) words.set(`${partition}:${offset}`, { told, until, claim, isSoft });
    },
    fact({ fact, partition, seen }) {
      if (fact.type === 'AlertMerged' && fact.note?.includes('taken as ended') === true)
        presumed(deskName(partition, fact.scope), fact, seen);
      if (fact.type !== 'AlertDecided') return;
      const place = `${partition}:${fact.offset}`;
      const word = words.get(place);
      words.delete(place);
      if (word === undefined) return;
      const desk = deskName(partition, fact.scope);
      if (isRight(seen)) skewed(`${desk} ${fact.endpoint}`, fact, word.told);
      heard(desk, fact, word, seen);
    },
    settled(now) {
      for (const alert of fresh) holds(alert);
      fresh.clear();
      for (const alert of leased) if (isRight(now)) overdue(alert, now);
    },
  });

  function heard(desk: string, fact: AlertDecided, { told, until, claim, isSoft }: Word, { forward, believed }: Moment): void {
    const key = `${desk} ${told.fingerprint}`;
    const alert = alerts.get(key) ?? {
      desk,
      fingerprint: told.fingerprint,
      latest: null,
      soft: 0,
      leapt: 0,
      ended: new Map(),
      until: null,
      overdue: null,
    };
    alerts.set(key, alert);
    if (alert.leapt !== forward + believed) {
      alert.leapt = forward + believed;
      unsure(alert);
      alert.ended.clear();
    }
    if (told.sender.kind === 'leasing') return leases(alert, fact, claim, until);
    const endedBy = alert.ended.get(told.episode);
    if ((fact.change === 'opened' || fact.change === 'reopened') && endedBy !== undefined && endedBy > told.number)
      ledger.breach(`E3: ${key} ${fact.change} with episode ${told.episode} of a ${told.sender.kind} sender, which had ended`);
    if (told.claim === 'cleared') alert.ended.set(told.episode, told.number);
    if (told.claim !== 'cleared' && told.claim !== 'firing') return;
    if (isSoft) return void (alert.soft = Math.max(alert.soft, told.number)); // what is not confirmed need not be held, and may be
    if (alert.latest !== null && told.number < alert.latest.number) ledger.reach('word that came behind a later one');
    else alert.latest = told;
    fresh.add(alert);
  }

  /** Until its source says something newer, nothing is asked of the alert. */
  function unsure(alert: Heard): void {
    alert.soft = Math.max(alert.soft, alert.latest?.number ?? 0);
    alert.latest = null;
  }

  /** E3 */
  function holds({ desk, fingerprint, latest, soft }: Heard): void {
    const row = ledger.desks.get(desk)?.tables.alerts.rows.get(fingerprint);
    const isFiring = row?.alert.state === 'firing';
    if (latest === null || latest.number <= soft || isFiring === (latest.claim === 'firing')) return;
    const { kind } = latest.sender;
    ledger.breach(
      `E3: ${desk} ${fingerprint} ${isFiring ? 'fires' : 'is over'}, and the last word of its ${kind} sender was ${latest.claim}`,
    );
  }

  /** K1: what is said of the clock before this word is measured. */
  function skewed(key: string, { skewMs = 0, lagMs }: AlertDecided, { sender }: Told): void {
    const lags = samples.get(key) ?? [];
    samples.set(key, lags);
    const inTime = lags.filter((lag) => Math.abs(lag + sender.aheadMs) <= inTimeMs);
    if (lags.length >= samplesMin && inTime.length >= Math.ceil(lags.length * 0.8)) {
      const due = Math.abs(sender.aheadMs) < skewMin ? 0 : -sender.aheadMs;
      if (Math.abs(skewMs - due) > inTimeMs) ledger.breach(`K1: ${key} is said to be behind by ${skewMs} ms instead of ${due} ms`);
      if (due !== 0) ledger.reach('clock of a sender taken out');
    }
    if (lagMs !== undefined) lags.push(lagMs);
    if (lags.length > samplesMax) lags.shift();
  }

  function leases(alert: Heard, { change, skewMs = 0 }: AlertDecided, claim: string, until: Instant | null): void {
    if (claim === 'firing' && change !== 'late') {
      const before = leased.has(alert) ? (alert.until ?? 0) : 0;
      alert.until = until === null ? null : Math.max(until + skewMs, before);
      alert.overdue = null;
      if (until !== null) leased.add(alert);
    } else if (claim === 'cleared') leased.delete(alert);
  }

  /** L2 */
  function presumed(desk: string, { fingerprint, at }: { readonly fingerprint: string; readonly at: Instant }, seen: Moment): void {
    const alert = alerts.get(`${desk} ${fingerprint}`);
    if (alert === undefined) return;
    unsure(alert); // nobody told it for long: not the source, but we say that it is over
    if (!leased.delete(alert)) return;
    ledger.reach('lease ended');
    if (isRight(seen) && alert.until !== null && at < alert.until)
      ledger.breach(`L2: ${desk} ${fingerprint} is taken as ended ${alert.until - at} ms before its source ends to vouch for it`);
  }

  /** L2 */
  function overdue(alert: Heard, now: Moment): void {
    const { desk, fingerprint, until, overdue: since } = alert;
    if (until === null || now.wall <= until) return;
    const state = ledger.desks.get(desk)?.tables.alerts.rows.get(fingerprint)?.alert.state;
    if (state !== 'firing') return void leased.delete(alert);
    if (since === null) return void (alert.overdue = now);
    const slack = slackMs + perTroubleMs * (now.troubles - since.troubles + now.lives - since.lives);
    if (now.up - since.up <= patienceMs * (1 + now.lives - since.lives) + slack) return;
    leased.delete(alert);
    ledger.breach(`L2: ${desk} ${fingerprint} fires ${now.up - since.up} ms after its source has ended to vouch for it`);
  }
}
