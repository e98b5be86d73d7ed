// A desk whose time ran ahead of the clock goes back to it, and its silences with it.
//   K3  Only a desk that is further ahead than `aheadMax` goes back: a correction that comes again, or late, changes nothing.
//   K4  A silence lasts as long from its setting as it was asked to: its end is where its wait ends, by the time that holds now.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { metaOf, type Desk } from '../desk.ts';
import type { Silence } from '../mute/facts.ts';
import { second, type Instant, type Millis } from '../time.ts';
import { tokenOf } from '../wakes.ts';
import type { ClockCorrected } from './facts.ts';

/** So far a desk's time may be ahead of the clock that corrects it: processes on several machines never agree wholly. */
export const aheadMax: Millis = 30 * second;

/** The time of the turn that corrects: the clock's, or the desk's own when it is not that far ahead. */
export function correctedTime(desk: Desk, { to }: Pick<ClockCorrected, 'to'>): Instant {
  const { now } = metaOf(desk);
  return now - to > aheadMax ? to : now; // K3
}

export function setBack(ctx: TurnContext, input: ClockCorrected): void {
  const { now } = metaOf(ctx.desk);
  if (ctx.at >= now) return; // K3
  const { from } = input;
  emit(ctx, { type: 'DeskSetBack', from, stoodFrom: input.stoodFrom, to: ctx.at });
  const rows = [...ctx.desk.tables.silences.rows.values()].sort((a, b) => (a.silence.id < b.silence.id ? -1 : 1));
  for (const { silence } of rows) resettle(ctx, silence, Math.max(now, from));
}

/** K4; and what it may mute is looked at again, if the time that was ahead had taken it for over or for begun. */
function resettle(ctx: TurnContext, silence: Silence, from: Instant): void {
  const { id, startsAt, endsAt } = silence;
  const wait = ctx.desk.tables.wakes.rows.get(tokenOf({ kind: 'silence', silence: id, endsAt }));
  const by = wait === undefined ? 0 : endsAt - wait.dueAt;
  if (by > 0) {
    const next = { ...silence, startsAt: startsAt - by, endsAt: endsAt - by };
    emit(ctx, { type: 'SilenceChanged', silence: next, state: 'active' });
    if (next.startsAt > ctx.at) wakeAfter(ctx, next.startsAt - ctx.at, { kind: 'silenceStart', silence: id, startsAt: next.startsAt });
    wakeAfter(ctx, next.endsAt - ctx.at, { kind: 'silence', silence: id, endsAt: next.endsAt });
  }
  if (by > 0 || endsAt <= from || startsAt > ctx.at)
    wakeAfter(ctx, 0, { kind: 'silenceReview', silence: id, from: '', asked: nextSeq(ctx) });
}
