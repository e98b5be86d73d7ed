// An alert of which nobody says a word more is taken as ended: after the policy's span, or sooner where its sender is known to repeat what lasts.
//   S1, S2 (core/alert/staleness.ts), counted anew from the words on the log. Asked of worlds that last so long, while the clock is right.
import { hour, minute, second, type Millis } from '../../src/core/time.ts';
import { deskName, type Ledger, type Moment } from './ledger.ts';

const gapsMin = 20;
const tellingsMin = 6;
const staleMin: Millis = 12 * hour;
const slackMs: Millis = 2 * minute;

interface Heard {
  readonly desk: string;
  readonly fingerprint: string;
  readonly sender: Sender;
  at: Moment;
  tellings: number;
}

interface Sender {
  gaps: number;
  longestMs: Millis;
}

export function checkStale(ledger: Ledger, staleMs: Millis): void {
  if (staleMs <= staleMin) return;
  const claims = new Map<string, string>();
  const senders = new Map<string, Sender>();
  const alerts = new Map<string, Heard>();
  const isRight = ({ forward, back }: Moment): boolean => forward === 0 && back === 0;

  ledger.watch({
    input(input, partition, offset) {
      if (input.type === 'AlertSeen') claims.set(`${partition}:${offset}`, input.event.claim);
    },
    fact({ fact, partition, seen }) {
      const desk = deskName(partition, fact.scope);
      if (fact.type === 'AlertMerged' && fact.note?.includes('nobody repeated') === true) ended(`${desk} ${fact.fingerprint}`, seen);
      if (fact.type !== 'AlertDecided' || fact.change === 'late') return;
      const key = `${desk} ${fact.fingerprint}`;
      const sender = senders.get(`${desk} ${fact.endpoint}`) ?? { gaps: 0, longestMs: 0 };
      senders.set(`${desk} ${fact.endpoint}`, sender);
      const isNew = fact.change === 'opened' || fact.change === 'reopened';
      const before = alerts.get(key);
      if (fact.change === 'repeated' && claims.get(`${partition}:${fact.offset}`) === 'firing' && before !== undefined) {
        sender.gaps += 1;
        sender.longestMs = Math.max(sender.longestMs, seen.steady - before.at.steady + second);
      }
      if (fact.change === 'cleared') alerts.delete(key);
      else alerts.set(key, { desk, fingerprint: fact.fingerprint, sender, at: seen, tellings: isNew ? 1 : (before?.tellings ?? 0) + 1 });
    },
    settled(now) {
      if (isRight(now)) for (const [key, alert] of alerts) held(key, alert, now);
    },
  });

  function dueMs({ sender, tellings }: Heard): Millis {
    if (sender.gaps < gapsMin || tellings < tellingsMin) return staleMs;
    ledger.reach('silence of a sender that repeats');
    return Math.min(staleMs, Math.max(staleMin, 4 * sender.longestMs));
  }

  function ended(key: string, seen: Moment): void {
    const alert = alerts.get(key);
    alerts.delete(key);
    if (alert === undefined || !isRight(seen)) return;
    const silentMs = seen.steady - alert.at.steady;
    if (silentMs + slackMs < dueMs(alert)) ledger.breach(`S1: ${key} is taken as ended after ${silentMs} ms of silence`);
  }

  function held(key: string, alert: Heard, now: Moment): void {
    if (now.up - alert.at.up < staleMin + slackMs || now.up - alert.at.up < dueMs(alert) + slackMs) return;
    alerts.delete(key);
    const row = ledger.desks.get(alert.desk)?.tables.alerts.rows.get(alert.fingerprint);
    if (row?.alert.state === 'firing') ledger.breach(`S1: ${key} fires after ${now.up - alert.at.up} ms in which nobody told of it`);
  }
}
