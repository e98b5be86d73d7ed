// An alert arrives: merged into what we believe, put into an incident, muted or not, and decided about.
//   T3  A redelivered event: no fact at all.
import { emit, type TurnContext } from '../context.ts';
import { bucketOf } from '../correlate/storm.ts';
import { adoptWindow } from '../decide/adopt.ts';
import { deliberate } from '../decide/deliberate.ts';
import type { Decision } from '../decide/facts.ts';
import { refreshHeld } from '../decide/held.ts';
import { acknowledgeAtSource, releaseAtSource } from '../decide/people.ts';
import { watchLease, withLease } from '../incident/leases.ts';
import { place, raise } from '../incident/place.ts';
import { incidentOf } from '../incident/row.ts';
import { watchMuteEnd, withMuteWait } from '../mute/ends.ts';
import { describeMute, refreshMute } from '../mute/mute.ts';
import { expireUsedSilences } from '../mute/silence.ts';
import { nudge } from '../run/program.ts';
import { scoreOf } from '../score/score.ts';
import type { Millis } from '../time.ts';
import { byOurClock, describeSkew, isAsked, lagOf, skewOf } from './clocks.ts';
import type { AlertSeen, Change } from './facts.ts';
import { merge } from './merge.ts';
import { forgetOldest, rememberedOf } from './remembered.ts';
import { gapOf } from './staleness.ts';
import { refreshFlapping, refreshInherited } from './steady.ts';
import type { Alert } from './row.ts';

const deliveriesMax = 20_000;

const deliveriesSwept = 5_000;

export function seeAlert(ctx: TurnContext, seen: AlertSeen): void {
  if (isRedelivery(ctx, seen)) return; // T3
  const { alerts } = ctx.desk.tables;
  const skewMs = skewOf(ctx, seen.endpoint);
  const event = byOurClock(seen.event, { skewMs, at: ctx.at, asked: isAsked(seen) });
  const { fingerprint } = event;
  const row = alerts.rows.get(fingerprint);
  const input: Taken = { ...seen, event, told: seen, skewMs, before: row?.alert };
  const known = row === undefined ? rememberedOf(ctx, fingerprint) : undefined;
  const { change, alert: merged, why, remembered } = merge(row?.alert, event, ctx.at, known, seen.event);
  const fires = merged?.state === 'firing' && event.claim === 'firing' && change !== 'late';
  const leased = fires ? withLease(ctx, row?.alert, merged, event) : merged;
  const alert = leased === null ? null : withMuteWait(ctx, leased);
  const fresh = change === 'opened' || change === 'reopened';
  emit(ctx, {
    type: 'AlertMerged',
    fingerprint,
    change,
    alert: change === 'repeated' || change === 'noted' || change === 'late' ? counted(row?.alert, alert) : alert,
    count: alert?.count ?? 0,
    observedAt: event.observedAt,
    observed: change !== 'late' && (event.claim === 'cleared' || (event.claim === 'firing' && event.soft !== true)),
    half: fresh && event.soft !== true ? bucketOf(ctx) : null,
    note: why ?? event.note ?? (fresh ? describeSkew(skewMs) : undefined) ?? null,
    ...(remembered === undefined ? {} : { remembered }),
    ...(fires && event.until !== undefined && alert?.lease !== undefined ? { until: alert.lease.until } : {}),
  });
  if (fires && alert !== null) watchLease(ctx, row?.alert, alert);
  if (alert !== null) watchMuteEnd(ctx, row?.alert, alert);
  if (remembered !== undefined) forgetOldest(ctx);
  if (alert === null || change === 'late')
    return decided(ctx, input, change, ['record', 'it tells of an episode that is over or was never seen']);
  refreshFlapping(ctx, fingerprint);
  if (alert.state === 'cleared') return takeCleared(ctx, input, change);
  takeFiring(ctx, input, change, alert);
}

/** A claim by our clock, with what its sender's clock said. */
interface Taken extends AlertSeen {
  readonly told: AlertSeen;
  readonly skewMs: Millis;
  readonly before: Alert | undefined;
}

/** What a repeat may move beside its counters. */
const said = [
  'episode',
  'order',
  'lastEnd',
  'sourceMute',
  'muteEnd',
  'soft',
  'refired',
  'summary',
  'labels',
  'annotations',
  'links',
  'entity',
] as const;

function ended({ ended: episodes }: Alert): string | undefined {
  return episodes?.at(-1);
}

/** Of a repeat, only what the counters of AlertMerged cannot say is worth a whole row. */
function counted(belief: Alert | undefined, alert: Alert | null): Alert | null {
  if (belief === undefined || alert === null) return null;
  const moved =
    ended(belief) !== ended(alert) || belief.lease?.asked !== alert.lease?.asked || said.some((part) => belief[part] !== alert[part]);
  return moved ? alert : null;
}

function isRedelivery(ctx: TurnContext, input: AlertSeen): boolean {
  if (input.delivery === '') return false;
  const { deliveries } = ctx.desk.tables;
  const row = deliveries.rows.get(input.delivery);
  if (row !== undefined && input.index <= row.upTo) return true;
  if (deliveries.rows.size >= deliveriesMax) {
    const oldest = [...deliveries.rows].sort((a, b) => a[1].at - b[1].at || (a[0] < b[0] ? -1 : 1));
    emit(ctx, { type: 'DeskSwept', table: 'deliveries', keys: oldest.slice(0, deliveriesSwept).map(([key]) => key) });
  }
  return false;
}

function takeFiring(ctx: TurnContext, input: Taken, change: Change, alert: Alert): void {
  const { fingerprint } = alert;
  if (alert.soft && alert.incident !== null) refreshHeld(ctx, alert.incident);
  if (alert.soft) return decided(ctx, input, change, ['hold', 'the source has not confirmed it yet (soft state)']); // I1
  const row = ctx.desk.tables.alerts.rows.get(fingerprint);
  const before = row?.alert.incident ?? null;
  const muted = row?.muted ?? null;
  const incident = change === 'opened' || change === 'reopened' || before === null ? place(ctx, alert) : before;
  if (change === 'opened') refreshInherited(ctx, fingerprint);
  if (incident !== before && incidentOf(ctx, incident)?.members === 1) adoptWindow(ctx, incident);
  if (change === 'severity' || change === 'reopened') raise(ctx, incident, alert);
  const mute = refreshMute(ctx, fingerprint);
  if (input.event.claim === 'acknowledged' && change !== 'repeated') acknowledgeAtSource(ctx, incident, 'now'); // K6
  if (change === 'unacknowledged') releaseAtSource(ctx, incident, alert);
  if (change !== 'repeated' || mute !== muted || refreshHeld(ctx, incident)) deliberate(ctx, incident, fingerprint);
  const outcome = incidentOf(ctx, incident);
  if (change === 'repeated' || change === 'noted')
    return decided(ctx, input, change, ['record', change === 'noted' ? 'a remark' : 'a repeat of what is known']);
  if (mute !== null) return decided(ctx, input, change, ['suppress', describeMute(mute)]);
  decided(ctx, input, change, [outcome?.decision ?? 'record', outcome?.reason ?? '']);
}

function takeCleared(ctx: TurnContext, input: Taken, change: Change): void {
  const { fingerprint } = input.event;
  refreshMute(ctx, fingerprint);
  expireUsedSilences(ctx);
  const incident = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert.incident ?? null;
  if (incident === null) {
    emit(ctx, { type: 'DeskSwept', table: 'alerts', keys: [fingerprint] });
    return decided(ctx, input, change, ['record', 'cleared before it was confirmed']);
  }
  const { firing, run } = incidentOf(ctx, incident) ?? { firing: 0, run: null };
  if (run !== null) nudge(ctx, run);
  if (firing > 0) acknowledgeAtSource(ctx, incident, 'before'); // what is left may all be acknowledged there
  ctx.toDeliberate.add(incident);
  decided(ctx, input, change, ['record', 'cleared']);
}

function decided(ctx: TurnContext, input: Taken, change: Change, [decision, reason]: readonly [Decision, string]): void {
  const { fingerprint } = input.event;
  const row = ctx.desk.tables.alerts.rows.get(fingerprint);
  const incident = row?.alert.incident ?? null;
  const scored = change === 'opened' || change === 'reopened' || change === 'severity';
  const score =
    row === undefined || !scored ? null : scoreOf(row.alert, ctx.desk.tables.rules.rows.get(row.alert.name), incidentOf(ctx, incident));
  const { endpoint, delivery, index, skewMs } = input;
  const lagMs = lagOf(input.told, change, ctx.at);
  const gapMs = gapOf(input.told, change, input.before, ctx.at);
  emit(ctx, {
    type: 'AlertDecided',
    fingerprint,
    endpoint,
    change,
    incident,
    decision,
    reason,
    score,
    delivery,
    index,
    offset: ctx.offset,
    ...(lagMs === undefined ? {} : { lagMs }),
    ...(gapMs === undefined ? {} : { gapMs }),
    ...(skewMs === 0 ? {} : { skewMs }),
  });
}
