// By how much a wait may honestly end early, whatever kind of wait it is.
import type { Fact } from '../../src/core/records.ts';
import { second, type Millis } from '../../src/core/time.ts';
import { deskName, type Ledger, type Moment } from './ledger.ts';

/** The fact that asked for a wait, and when it was on the log. */
export interface SeenStamp {
  readonly fact: Fact;
  readonly partition: number;
  readonly seen: Moment;
}

/**
 * A restart knows the wall clock only: a jump forward while it waits hastens it, and so does a decision stamped long before it was on the
 * log. A jump counts from when it is believed, which is a while after. So it is for a host that finds on the log what another one wrote,
 * or itself, having been told that it had failed.
 */
export function hastened(ledger: Ledger, asked: SeenStamp, now: Moment): Millis {
  const { seen } = asked;
  if (now.lives === seen.lives && !ledger.repeats) return 0;
  return now.forward - seen.believed + onItsWay(ledger, asked);
}

/**
 * How long before it was on the log a fact was decided. Its stamp says so, unless it is ahead of the clock, which went back since: then
 * the desk goes back too, and what it says of that says from when it counts its waits. Where it has not yet gone back nobody can tell.
 */
function onItsWay({ told }: Ledger, { fact, partition, seen }: SeenStamp): Millis {
  const { at, scope, seq } = fact;
  if (at <= seen.wall) return seen.wall - at;
  const back = told
    .get(deskName(partition, scope))
    ?.slice(seq)
    .find((one) => one.type === 'DeskSetBack');
  if (back === undefined) return second;
  const from = at >= back.stoodFrom ? back.to : Math.min(back.to, at - (back.from - back.to));
  return Math.max(second, seen.wall - from);
}
