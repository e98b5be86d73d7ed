// A source said until when it holds an alert back, and tells nobody when that time is over: whoever is needed is called then.
//   E3  A mute that has an end has exactly one wait that counts, whether its alert fires or may come back. It is asked for in pieces of an
//       hour, so that an alert that left the desk leaves none behind for days or years; a later end is found by the wait for the earlier.
import type { Alert } from '../alert/row.ts';
import { nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { hour, type Millis } from '../time.ts';
import type { WakeHandlers } from '../wakes.ts';
import type { SourceMuteWake } from './facts.ts';
import { refreshMute } from './mute.ts';

const pieceMs: Millis = hour;

export const sourceMuteWakes: WakeHandlers<SourceMuteWake['kind']> = { sourceMute: onEnd };

/** The alert with the number of the wait for the end of its mute, where none waits for it yet. */
export function withMuteWait(ctx: TurnContext, alert: Alert): Alert {
  const { muteEnd } = alert;
  if (muteEnd === undefined || muteEnd.asked !== undefined) return alert;
  return { ...alert, muteEnd: { ...muteEnd, asked: nextSeq(ctx) } };
}

/** Called after the alert was folded. E3 */
export function watchMuteEnd(ctx: TurnContext, before: Alert | undefined, { fingerprint, muteEnd }: Alert): void {
  if (muteEnd?.asked !== undefined && muteEnd.asked !== before?.muteEnd?.asked)
    ask(ctx, fingerprint, muteEnd.asked, muteEnd.until - ctx.at);
}

function ask(ctx: TurnContext, fingerprint: string, mute: number, afterMs: Millis): void {
  wakeAfter(ctx, Math.min(afterMs, pieceMs), { kind: 'sourceMute', fingerprint, mute, asked: nextSeq(ctx) });
}

function onEnd(ctx: TurnContext, { fingerprint, mute }: SourceMuteWake): void {
  const alert = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert;
  if (alert?.muteEnd?.asked !== mute) return;
  const { until } = alert.muteEnd;
  if (until > ctx.at) return ask(ctx, fingerprint, mute, until - ctx.at);
  refreshMute(ctx, fingerprint);
  if (alert.state === 'firing' && alert.incident !== null) ctx.toDeliberate.add(alert.incident);
}
