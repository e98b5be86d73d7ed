// What a source holds back until an instant is held back until then, and no longer: its source tells nobody when that time is over.
//   E2, E3 (core/mute), by the words on the log and the skew that was known of their sender. Asked while the clock is right.
import type { AlertDecided } from '../../src/core/decide/facts.ts';
import { second, type Instant, type Millis } from '../../src/core/time.ts';
import { deskName, type Ledger, type Moment } from './ledger.ts';

const slackMs: Millis = 8 * second;
const perTroubleMs: Millis = 3 * second;

/** A word on the log about a mute, and until when it holds; null when it lifts it or says no end. */
type Word = { readonly until: Instant | null };

interface Held {
  readonly desk: string;
  readonly fingerprint: string;
  /** By our clock. */
  readonly until: Instant;
  /** Since when it is held back beyond that. */
  overdue: Moment | null;
}

export function checkMutes(ledger: Ledger): void {
  const words = new Map<string, Word>();
  const held = new Map<string, Held>();
  const isRight = ({ forward, back }: Moment): boolean => forward === 0 && back === 0;

  ledger.watch({
    input(input, partition, offset) {
      if (input.type !== 'AlertSeen' || input.event.sourceMute === undefined) return;
      words.set(`${partition}:${offset}`, { until: (input.event.sourceMute === null ? null : input.event.muteUntil) ?? null });
    },
    fact({ fact, partition, seen }) {
      const desk = deskName(partition, fact.scope);
      if (fact.type === 'AlertMuted' && fact.sourceMute === null) lifted(`${desk} ${fact.fingerprint}`, fact.at, seen);
      if (fact.type === 'AlertDecided') heard(desk, fact, `${partition}:${fact.offset}`);
    },
    settled(now) {
      for (const [key, one] of held) if (isRight(now)) overdue(key, one, now);
    },
  });

  function heard(desk: string, { fingerprint, change, skewMs = 0 }: AlertDecided, place: string): void {
    const word = words.get(place);
    words.delete(place);
    if (word === undefined || change === 'late') return;
    const key = `${desk} ${fingerprint}`;
    if (word.until === null) return void held.delete(key);
    held.set(key, { desk, fingerprint, until: word.until + skewMs, overdue: null });
  }

  function lifted(key: string, at: Instant, seen: Moment): void {
    const until = held.get(key)?.until;
    held.delete(key);
    ledger.reach('mute of a source ended');
    if (isRight(seen) && until !== undefined && at < until)
      ledger.breach(`E2: ${key} is no longer held back ${until - at} ms before the end`);
  }

  function overdue(key: string, one: Held, now: Moment): void {
    if (now.wall <= one.until) return;
    if (ledger.desks.get(one.desk)?.tables.alerts.rows.get(one.fingerprint)?.muted?.kind !== 'source') return void (one.overdue = null);
    const since = one.overdue;
    if (since === null) return void (one.overdue = now);
    const slack = slackMs + perTroubleMs * (now.troubles - since.troubles + now.lives - since.lives);
    if (since.disturbances !== now.disturbances) return void (one.overdue = now);
    if (now.up - since.up <= slack) return;
    held.delete(key);
    ledger.breach(`E2: ${key} is held back ${now.up - since.up} ms after the end that its source said`);
  }
}
