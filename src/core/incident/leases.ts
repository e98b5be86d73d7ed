// An alert that its source vouches for until an instant (`endsAt` ahead, as the alerts API has it) is over then, unless the source told of it again.
//   L1  A firing alert that has a lease has exactly one wake of it; what a repeat extends is only the instant. No repeat makes it earlier:
//       that is an older word that came late, or one of two senders, and the later word stands.
//   L2  Whoever comes to it late was away, and may not have heard the source either: it gets a minute and a half to speak first.
//   L3  Such an end is presumed: nobody saw it well, it teaches nothing, and the next word of the source opens the alert again.
//   L4  The wait is asked for in pieces of an hour: an alert that left the desk leaves none behind for a lease of days or years.
import type { AlertEvent } from '../alert/event.ts';
import type { LeaseWake } from '../alert/facts.ts';
import type { Alert } from '../alert/row.ts';
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { nudge } from '../run/program.ts';
import { clockOf, hour, second, type Millis } from '../time.ts';
import type { WakeHandlers } from '../wakes.ts';
import { endPresumed, takeAsEnded } from './life.ts';
import { incidentOf } from './row.ts';

const lateMs: Millis = 5 * second;
const patienceMs: Millis = 90 * second;
const pieceMs: Millis = hour;

export const leaseWakes: WakeHandlers<LeaseWake['kind']> = { lease: onLease };

/** The alert with the lease that the claim gives it; one without an end takes the lease away. */
export function withLease(ctx: TurnContext, before: Alert | undefined, alert: Alert, { until }: AlertEvent): Alert {
  const { lease: _lease, ...bare } = alert;
  if (until === undefined) return alert.lease === undefined ? alert : bare;
  const held = before?.state === 'firing' ? before.lease : undefined;
  return { ...bare, lease: { until: Math.max(until, held?.until ?? until), asked: held?.asked ?? nextSeq(ctx) } };
}

/** Called after the alert was folded. L1 */
export function watchLease(ctx: TurnContext, before: Alert | undefined, { fingerprint, lease }: Alert): void {
  const held = before?.state === 'firing' ? before.lease?.asked : undefined;
  if (lease !== undefined && lease.asked !== held) ask(ctx, fingerprint, lease.asked, lease.until - ctx.at, 'due');
}

function ask(ctx: TurnContext, fingerprint: string, lease: number, afterMs: Millis, why: LeaseWake['why']): void {
  wakeAfter(ctx, Math.min(afterMs, pieceMs), { kind: 'lease', fingerprint, lease, why, asked: nextSeq(ctx) });
}

function onLease(ctx: TurnContext, { fingerprint, lease, why }: LeaseWake): void {
  const alert = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert;
  if (alert?.state !== 'firing' || alert.lease?.asked !== lease) return;
  const { until } = alert.lease;
  if (until > ctx.at) return ask(ctx, fingerprint, lease, until - ctx.at, 'due');
  if (why === 'due' && ctx.at - until > lateMs) return ask(ctx, fingerprint, lease, patienceMs, 'patience'); // L2
  const note = `its source vouched for it until ${clockOf(until)} and told no more of it: taken as ended`;
  takeAsEnded(ctx, alert, note);
  const { incident } = alert;
  if (incident === null) return emit(ctx, { type: 'DeskSwept', table: 'alerts', keys: [fingerprint] });
  const run = incidentOf(ctx, incident)?.run ?? null;
  if (run !== null) nudge(ctx, run);
  endPresumed(ctx, incident, note); // L3
}
