// The time of desks follows the clock (core/clock): once it has been right for long, no desk is ahead of it, and silences stand (K3, K4);
// and when a desk has gone back, nothing on it was left behind in the time that was ahead (K1, K2).
import { aheadMax } from '../../src/core/clock/correct.ts';
import { metaOf, type Desk } from '../../src/core/desk.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { hour, minute, second, type Instant } from '../../src/core/time.ts';
import { tokenOf, type WakeRow } from '../../src/core/wakes.ts';
import { deskName, type Ledger } from './ledger.ts';

const slackMs = second;
/** No number of a row that is no instant is as large. */
const firstInstant: Instant = Date.UTC(2020, 0);
/** A sender's own words stay as they were said, it may vouch for an alert, or hold it back, as long as it likes, and no end is before its start; what mutes one is looked at again (K4). */
const asTheyAre = new Set([
  'startedAt',
  'observedAt',
  'sentAt',
  'said',
  'began',
  'lease',
  'muted',
  'muteEnd',
  'clearedAt',
  'startsAt',
  'endsAt',
]);
/** Ends lie ahead by their nature. */
const ends = new Set(['dueAt', 'until', 'holdsUntil', 'approveUntil']);
/** No end lies further ahead in simulated worlds. */
const endsWithin = 6 * hour;

/** A wake comes when it was due at the earliest (T2), which takes a desk ahead again that had been set back; so long after it, it is right. */
const rightAgainMs = minute;

export function checkClock(ledger: Ledger): { calm(): void } {
  const woken = new Map<string, number>();
  let wentBack: string[] = [];
  ledger.watch({
    fact({ fact, partition, seen }) {
      if (fact.type === 'WakeSpent') woken.set(deskName(partition, fact.scope), seen.steady);
      if (fact.type !== 'DeskSetBack') return;
      ledger.reach('desk set back');
      wentBack.push(deskName(partition, fact.scope));
    },
    settled() {
      for (const name of wentBack) {
        const desk = ledger.desks.get(name);
        if (desk === undefined) continue;
        const left = leftBehind(desk);
        if (left !== null) ledger.breach(`K1: ${name} went back and ${left}`);
      }
      wentBack = [];
    },
  });

  return {
    calm() {
      const { wall, steady } = ledger.moment();
      for (const [name, desk] of ledger.desks) {
        if (name.endsWith(`/${everyScope}`)) continue;
        const ahead = metaOf(desk).now - wall;
        const isWoken = steady - (woken.get(name) ?? -Infinity) < rightAgainMs;
        if (ahead > aheadMax + slackMs && !isWoken)
          ledger.breach(`K3: ${name} is ${ahead} ms ahead of the clock long after it was set right`);
        for (const { silence } of desk.tables.silences.rows.values()) {
          const { id, endsAt } = silence;
          if (!desk.tables.wakes.rows.has(tokenOf({ kind: 'silence', silence: id, endsAt })))
            ledger.breach(`K4: nothing ends the silence ${id}`);
        }
      }
    },
  };
}

/** Where a row of the desk holds an instant that is ahead of the desk's time, whatever kind of row it is; null when none does. */
function leftBehind(desk: Desk): string | null {
  const { now } = metaOf(desk);
  for (const [table, { rows }] of Object.entries(desk.tables)) {
    for (const [key, row] of rows) {
      // A wait is long by its nature: it is counted from when it was asked for.
      const found = table === 'wakes' ? aheadIn({ asked: askedAt(row as WakeRow) }, now, '') : aheadIn(row, now, '');
      if (found !== null) return `${table} ${key} is still ahead of it: ${found}`;
    }
  }
  return null;
}

function askedAt({ dueAt, afterMs }: WakeRow): Instant {
  return dueAt - afterMs;
}

function aheadIn(value: unknown, now: Instant, name: string): string | null {
  if (typeof value === 'number') {
    const max = ends.has(name) ? now + endsWithin : now;
    return value >= firstInstant && value > max ? `${name} by ${value - now} ms` : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    if (asTheyAre.has(key)) continue;
    const found = aheadIn(inner, now, Array.isArray(value) ? name : key);
    if (found !== null) return found;
  }
  return null;
}
