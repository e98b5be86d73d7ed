// When an alert begins to flap, and when it has been steady long enough to end that: what is told, and whom that lets be called.
// Whether its changes make it flap is flapping.ts; what mutes, mute/mute.ts; what a flapping incident waits for, decide/flaps.ts.
//   F1  Only a change begins it; being steady for the policy's span ends it, firing or not.
//   F2  While an alert flaps exactly one wake looks at it.
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { incidentOf } from '../incident/row.ts';
import { refreshMute } from '../mute/mute.ts';
import { tellFlapping } from '../page/ring.ts';
import type { WakeHandlers } from '../wakes.ts';
import type { SteadyWake } from './facts.ts';
import { flapPercent, flapText, lastChange, steadyMsDefault } from './flapping.ts';
import type { AlertRow } from './row.ts';

export const alertWakes: WakeHandlers<SteadyWake['kind']> = { steady: (ctx, { fingerprint }) => onSteady(ctx, fingerprint) };

/** Called after a state of the alert was observed. */
export function refreshFlapping(ctx: TurnContext, fingerprint: string): void {
  const row = ctx.desk.tables.alerts.rows.get(fingerprint);
  if (row?.flapping === true) return endIfSteady(ctx, row, false); // one of 0.1.0 that no wake looks at
  if (row === undefined || lastChange(row.history) !== ctx.at) return; // F1
  const percent = flapPercent(row.history, ctx.at);
  if (percent < ctx.policy.flap.startPercent) return;
  const { incident } = row.alert;
  const text = flapText(row.history, ctx.at);
  emit(ctx, { type: 'AlertFlapping', fingerprint, incident, flapping: true, percent: rounded(percent), text });
  wakeAfter(ctx, steadyMsOf(ctx), { kind: 'steady', fingerprint, asked: nextSeq(ctx) }); // F2
  const told = incidentOf(ctx, incident);
  if (told?.flapping === 1) tellFlapping(ctx, told);
}

/** Called after a new alert has its place: what it has taken over from the occurrence before it may make it flap, or flaps already (F2). */
export function refreshInherited(ctx: TurnContext, fingerprint: string): void {
  if (ctx.desk.tables.alerts.rows.get(fingerprint)?.flapping !== true) return refreshFlapping(ctx, fingerprint);
  wakeAfter(ctx, steadyMsOf(ctx), { kind: 'steady', fingerprint, asked: nextSeq(ctx) });
}

function onSteady(ctx: TurnContext, fingerprint: string): void {
  const row = ctx.desk.tables.alerts.rows.get(fingerprint);
  if (row?.flapping === true) endIfSteady(ctx, row, true);
}

/** Ends the flapping of what has been steady; else looks again later, when `again`. */
function endIfSteady(ctx: TurnContext, row: AlertRow, again: boolean): void {
  const { fingerprint, incident } = row.alert;
  const since = lastChange(row.history) ?? 0;
  const percent = flapPercent(row.history, ctx.at);
  const left = since + steadyMsOf(ctx) - ctx.at;
  if (left > 0 && percent > ctx.policy.flap.stopPercent) {
    if (again) wakeAfter(ctx, left, { kind: 'steady', fingerprint, asked: nextSeq(ctx) });
    return;
  }
  const steady = flapText(row.history, since);
  emit(ctx, { type: 'AlertFlapping', fingerprint, incident, flapping: false, percent: rounded(percent), steady });
  refreshMute(ctx, fingerprint);
  if (incident !== null) ctx.toDeliberate.add(incident);
}

function steadyMsOf({ policy }: TurnContext): number {
  return policy.flap.steadyMs ?? steadyMsDefault;
}

function rounded(percent: number): number {
  return Math.round(percent * 10) / 10;
}
