// An alert arrives: merged into what we believe, put into an incident, muted or not, and decided about.
//   T3  A redelivered event: no fact at all.
import { emit, type TurnContext } from '../context.ts';
import { bucketOf } from '../correlate/storm.ts';
import { deliberate } from '../decide/deliberate.ts';
import type { Decision } from '../decide/facts.ts';
import { acknowledge } from '../decide/people.ts';
import { place, raise } from '../incident/place.ts';
import { incidentOf } from '../incident/row.ts';
import { describeMute, refreshMute } from '../mute/mute.ts';
import { expireUsedSilences } from '../mute/silence.ts';
import { nudge } from '../run/program.ts';
import { scoreOf } from '../score/score.ts';
import type { AlertSeen, Change } from './facts.ts';
import { flapPercent, isFlapping } from './flapping.ts';
import { merge } from './merge.ts';
import type { Alert } from './row.ts';

const deliveriesMax = 20_000;

const deliveriesSwept = 5_000;

export function seeAlert(ctx: TurnContext, input: AlertSeen): void {
  if (isRedelivery(ctx, input)) return; // T3
  const { alerts } = ctx.desk.tables;
  const { event } = input;
  const { fingerprint } = event;
  const held = alerts.rows.get(fingerprint);
  const { change, alert } = merge(held?.alert, event, ctx.at);
  const fresh = change === 'opened' || change === 'reopened';
  emit(ctx, {
    type: 'AlertMerged',
    fingerprint,
    change,
    alert: change === 'repeated' || change === 'noted' || change === 'late' ? counted(held?.alert, alert) : alert,
    count: alert?.count ?? 0,
    observedAt: event.observedAt,
    observed: change !== 'late' && (event.claim === 'cleared' || (event.claim === 'firing' && event.soft !== true)),
    half: fresh && event.soft !== true ? bucketOf(ctx) : null,
    note: event.note ?? null,
  });
  if (alert === null || change === 'late')
    return decided(ctx, input, change, ['record', 'it tells of an episode that is over or was never seen']);
  refreshFlapping(ctx, fingerprint);
  if (alert.state === 'cleared') return heardCleared(ctx, input, change);
  heardFiring(ctx, input, change, alert);
}

/** Of a repeat, only what the counters of AlertMerged cannot say is worth a whole row. */
function counted(held: Alert | undefined, alert: Alert | null): Alert | null {
  if (held === undefined || alert === null) return null;
  const moved =
    held.episode !== alert.episode || held.sourceMute !== alert.sourceMute || held.summary !== alert.summary || held.soft !== alert.soft;
  return moved ? alert : null;
}

function isRedelivery(ctx: TurnContext, input: AlertSeen): boolean {
  if (input.delivery === '') return false;
  const { deliveries } = ctx.desk.tables;
  const seen = deliveries.rows.get(input.delivery);
  if (seen !== undefined && input.index <= seen.upTo) return true;
  if (deliveries.rows.size >= deliveriesMax) {
    const oldest = [...deliveries.rows].sort((a, b) => a[1].at - b[1].at || (a[0] < b[0] ? -1 : 1));
    emit(ctx, { type: 'DeskSwept', table: 'deliveries', keys: oldest.slice(0, deliveriesSwept).map(([key]) => key) });
  }
  return false;
}

function refreshFlapping(ctx: TurnContext, fingerprint: string): void {
  const held = ctx.desk.tables.alerts.rows.get(fingerprint);
  if (held === undefined || held.history.changes === 0) return;
  const percent = flapPercent(held.history);
  const flapping = isFlapping(held.flapping, percent, ctx.policy.flap);
  if (flapping === held.flapping) return;
  emit(ctx, { type: 'AlertFlapping', fingerprint, incident: held.alert.incident, flapping, percent: Math.round(percent * 10) / 10 });
}

function heardFiring(ctx: TurnContext, input: AlertSeen, change: Change, alert: Alert): void {
  const { fingerprint } = alert;
  if (alert.soft) return decided(ctx, input, change, ['hold', 'the source has not confirmed it yet (soft state)']); // I1
  const held = ctx.desk.tables.alerts.rows.get(fingerprint);
  const before = held?.alert.incident ?? null;
  const muted = held?.muted ?? null;
  const incident = change === 'opened' || change === 'reopened' || before === null ? place(ctx, alert) : before;
  if (change === 'severity') raise(ctx, incident, alert);
  const mute = refreshMute(ctx, fingerprint);
  if (alert.acknowledged && incidentOf(ctx, incident)?.state === 'open') acknowledge(ctx, incident, { by: alert.source, via: 'source' });
  if (change !== 'repeated' || mute !== muted) deliberate(ctx, incident, fingerprint);
  const outcome = incidentOf(ctx, incident);
  if (change === 'repeated' || change === 'noted')
    return decided(ctx, input, change, ['record', change === 'noted' ? 'a remark' : 'a repeat of what is known']);
  if (mute !== null) return decided(ctx, input, change, ['suppress', describeMute(mute)]);
  decided(ctx, input, change, [outcome?.decision ?? 'record', outcome?.reason ?? '']);
}

function heardCleared(ctx: TurnContext, input: AlertSeen, change: Change): void {
  const { fingerprint } = input.event;
  refreshMute(ctx, fingerprint);
  expireUsedSilences(ctx);
  const incident = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert.incident ?? null;
  if (incident === null) {
    emit(ctx, { type: 'DeskSwept', table: 'alerts', keys: [fingerprint] });
    return decided(ctx, input, change, ['record', 'cleared before it was confirmed']);
  }
  const row = incidentOf(ctx, incident);
  if (row?.firing === 0 && row.run !== null) nudge(ctx, row.run);
  ctx.toDeliberate.add(incident);
  decided(ctx, input, change, ['record', 'cleared']);
}

function decided(ctx: TurnContext, input: AlertSeen, change: Change, [decision, reason]: readonly [Decision, string]): void {
  const { fingerprint } = input.event;
  const held = ctx.desk.tables.alerts.rows.get(fingerprint);
  const incident = held?.alert.incident ?? null;
  const scored = change === 'opened' || change === 'reopened' || change === 'severity';
  const score =
    held === undefined || !scored ? null : scoreOf(held.alert, ctx.desk.tables.rules.rows.get(held.alert.name), incidentOf(ctx, incident));
  const { delivery, index } = input;
  emit(ctx, { type: 'AlertDecided', fingerprint, change, incident, decision, reason, score, delivery, index, offset: ctx.offset });
}
