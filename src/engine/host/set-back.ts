// Looks whether desks of a partition are ahead of the clock, and says so on the log: only then may their time go back (core/clock).
// So a desk heals after a clock that ran ahead was set right, and after a restart, too.
//   K5  Nothing is corrected before it has stood so for `lastsMs`, and not while inputs still come that are stamped ahead of our clock:
//       then another process of the gateway says that our clock is the wrong one; nor while a jump of our clock is in doubt: a process
//       that was stopped meanwhile still goes by the time before.
import { aheadMax } from '../../core/clock/correct.ts';
import type { ClockCorrected } from '../../core/clock/facts.ts';
import { metaOf, type Desk } from '../../core/desk.ts';
import { everyScope } from '../../core/stamp.ts';
import { second, type Instant, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { createMeter, type Meter } from '../meter.ts';

const lookEveryMs: Millis = second;
const lastsMs: Millis = 5 * second;
/** Stands for what a desk was when it was corrected: from then on anything may be asked of it on the time that holds now. */
const corrected = -1;
/** Desks corrected by one look; the next goes on. */
const desksAtOnceMax = 256;

export interface SetBackDeps {
  readonly partition: number;
  readonly log: Pick<EventLog, 'append'>;
  readonly clock: Clock;
  /** False once our lease on the partition may have run out. */
  readonly holds: () => boolean;
  readonly onTrouble: (error: unknown) => void;
  readonly stopping: AbortSignal;
  readonly desks: () => ReadonlyMap<string, Desk>;
  /** Brings back desks at rest whose time is later. */
  readonly wakeLater: (than: Instant) => void;
  /** The latest stamp of the inputs turned since it was last asked; 0 when none was. */
  readonly takeNewestStamp: () => Instant;
}

/** Its value: how far the desk that is furthest ahead of the clock is ahead of it, as of a moment ago; 0 when none is. */
export function createSetBack({
  partition,
  log,
  clock,
  holds,
  onTrouble,
  stopping,
  desks,
  wakeLater,
  takeNewestStamp,
}: SetBackDeps): Meter<Millis> {
  let since: Millis | null = null;
  /** How each desk stood when it was last seen not to be ahead, and by how much the clock was ahead of the steady clock then. */
  const stood = new Map<string, { readonly now: Instant; readonly seq: number; readonly offset: Millis }>();

  async function look(): Promise<Millis> {
    const now = clock.now();
    const steady = clock.steady();
    const ahead: Desk[] = [];
    wakeLater(now + aheadMax);
    let aheadMs: Millis = 0;
    for (const desk of desks().values()) {
      const { now: at, seq } = metaOf(desk);
      if (at - now <= aheadMax) stood.set(desk.scope, { now: at, seq, offset: now - steady });
      else if (desk.scope !== everyScope) {
        ahead.push(desk);
        aheadMs = Math.max(aheadMs, at - now);
      }
    }
    for (const scope of stood.size > desks().size ? stood.keys() : []) if (!desks().has(scope)) stood.delete(scope);
    const isContradicted = takeNewestStamp() - now > aheadMax;
    if (ahead.length === 0 || isContradicted || clock.inDoubt?.() === true || !holds()) since = null;
    else since ??= steady;
    if (since === null || steady - since < lastsMs) return aheadMs; // K5
    since = null;
    for (const desk of ahead.slice(0, desksAtOnceMax)) {
      const value: ClockCorrected = {
        type: 'ClockCorrected',
        scope: desk.scope,
        at: now,
        ...aheadBy(desk, now, steady),
        to: now,
      };
      await log.append('inputs', { partition, scope: desk.scope, values: [value], mayUseReserve: true });
      stood.set(desk.scope, { now, seq: corrected, offset: now - steady });
    }
    return aheadMs;
  }

  /** Of a desk that this process never saw right it is not known: all that is ahead may have been asked since. */
  function aheadBy(desk: Desk, now: Instant, steady: Millis): Pick<ClockCorrected, 'from' | 'stoodFrom'> {
    const last = stood.get(desk.scope);
    if (last === undefined) return { from: now, stoodFrom: now };
    const isIdle = last.seq === metaOf(desk).seq;
    return { from: Math.max(now, last.offset + steady), stoodFrom: isIdle ? last.now + 1 : last.now };
  }

  const meter = createMeter({ clock, everyMs: lookEveryMs, first: 0, measure: look, onTrouble });
  stopping.addEventListener('abort', meter.stop, { once: true });
  return meter;
}
