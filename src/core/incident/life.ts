// One incident: which alerts are in it and why, how it opens, changes, resolves, reopens and leaves the desk.
// What to do about it is decide/deliberate.ts, the words people read are page/notice.ts.
//   I1  A firing, confirmed alert is in exactly one incident; an unconfirmed one in none.
//   I2  An incident resolves when its last member clears and no run has left it in doubt, or a person says so;
//       muting never keeps it open or closes it.
//   I4  What a person resolved while it fires comes back after the policy's span for reopening, if it still fires; with force, only
//       when it is worse, or has cleared and fires again.
//   I3  A storm is one incident: members beyond the list are counted, never lost.
import { watchTaken } from '../decide/overdue.ts';
import { forgetOldest } from '../alert/remembered.ts';
import type { Alert } from '../alert/row.ts';
import { staleMin, staleMsOf } from '../alert/staleness.ts';
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { firingOf, membersOf } from '../desk.ts';
import { refreshMute } from '../mute/mute.ts';
import { expireUsedSilences } from '../mute/silence.ts';
import { isUnderWay } from '../page/outgoing.ts';
import { closePage, watchAck } from '../page/ring.ts';
import { pageOf } from '../page/row.ts';
import { tellWithout } from '../run/shadow.ts';
import { forgetTargets } from '../run/targets.ts';
import { learn } from '../score/learn.ts';
import { hour, minute, spanOf, type Millis } from '../time.ts';
import type { WakeHandlers } from '../wakes.ts';
import type { IncidentWake, ResolvedBy } from './facts.ts';
import { reopen } from './place.ts';
import { childrenOf, incidentOf, isInDoubt, type Incident } from './row.ts';

const sweptPerTurn = 250;

export const incidentWakes: WakeHandlers<IncidentWake['kind']> = {
  close(ctx, wake) {
    forgetTargets(ctx);
    forgetOldest(ctx);
    sweep(ctx, wake.incident, wake.life);
  },
  stale(ctx, wake) {
    expireStale(ctx, wake.incident, wake.life);
    expireUsedSilences(ctx);
  },
};

/** By whom or what an incident is resolved. */
export interface Resolution {
  readonly by: ResolvedBy;
  readonly who: string;
  readonly note: string;
  readonly forced?: true;
}

export function resolve(ctx: TurnContext, id: string, how: Resolution): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state === 'resolved') return;
  if (!incident.storm && incident.parent === null) learn(ctx, incident, how.by);
  tellWithout(ctx, incident, how.who === '' ? how.by : how.who);
  emit(ctx, { type: 'IncidentResolved', incident: id, ...how, ...(incident.firing > 0 ? { firing: incident.firing } : {}) });
  const page = pageOf(ctx, incident.page);
  if (page !== undefined) closePage(ctx, page, `incident resolved by ${how.by}`);
  for (const child of incident.storm ? childrenOf(ctx, id) : []) {
    if (how.by === 'human') resolve(ctx, child, how);
    else speakForItself(ctx, child, id);
  }
  wakeAfter(ctx, ctx.policy.grouping.reopenMs, { kind: 'close', incident: id, life: incident.life });
}

/** The storm that spoke for it is over; who took it with the storm still has it, as long as an acknowledgement lasts. */
function speakForItself(ctx: TurnContext, id: string, storm: string): void {
  const incident = incidentOf(ctx, id);
  const page = pageOf(ctx, incident?.page ?? null);
  if (incident?.taken?.storm === storm && page !== undefined) watchAck(ctx, page);
  else watchTaken(ctx, id);
  ctx.toDeliberate.add(id);
}

/** The time for reopening is over: members and incident leave the desk, a bounded number each turn. */
function sweep(ctx: TurnContext, id: string, life: number): void {
  const incident = incidentOf(ctx, id);
  if (incident?.state !== 'resolved' || incident.life !== life) return;
  if (incident.resolvedBy === 'human' && isHeardOf(ctx, id)) return afterHand(ctx, incident);
  const sinceMs = ctx.at - (incident.resolvedAt ?? ctx.at) - ctx.policy.grouping.reopenMs;
  if (isBusy(ctx, incident)) return wakeAfter(ctx, askAgainAfter(sinceMs), { kind: 'close', incident: id, life, asked: nextSeq(ctx) });
  const members = membersOf(ctx.desk, id);
  const keys = members.values().take(sweptPerTurn).toArray();
  if (keys.length > 0) emit(ctx, { type: 'DeskSwept', table: 'alerts', keys });
  if (members.size > 0) return wakeAfter(ctx, 0, { kind: 'close', incident: id, life, asked: nextSeq(ctx) });
  emit(ctx, { type: 'DeskSwept', table: 'incidents', keys: [id] });
}

/** A person resolved it, and it still fires (I4). */
function afterHand(ctx: TurnContext, { id, life, forced, firing }: Incident): void {
  const again = { kind: 'close', incident: id, life, asked: nextSeq(ctx) } as const;
  if (forced === true) return wakeAfter(ctx, ctx.policy.grouping.reopenMs, again);
  reopen(ctx, id, `it was resolved by hand, and ${firing === 1 ? 'an alert of it still fires' : `${firing} alerts of it still fire`}`);
  ctx.toDeliberate.add(id);
}

/** A member fires that was not silent for so long that it is taken as ended (I4). */
function isHeardOf(ctx: TurnContext, id: string): boolean {
  for (const fingerprint of firingOf(ctx.desk, id).values()) {
    const alert = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert;
    if (alert !== undefined && ctx.at - alert.seenAt < ctx.policy.staleMs) return true;
  }
  return false;
}

/** Longer each time, from a minute to an hour: an end that a notifier does not take for a day is no work for every minute. */
function askAgainAfter(sinceMs: Millis): Millis {
  return Math.min(hour, Math.max(minute, Math.floor(sinceMs / 4)));
}

/** A run still works or waits for an answer, or somebody is still to be told of the end. */
function isBusy(ctx: TurnContext, incident: Incident): boolean {
  const { runs, pages } = ctx.desk.tables;
  if (incident.runs.some((id) => runs.rows.get(id)?.end === null)) return true;
  return incident.pages.some((id) => pages.rows.get(id)?.outgoing.some(isUnderWay) === true);
}

/** Takes members as ended that nobody has repeated or cleared for the policy's span; a bounded number each turn. */
function expireStale(ctx: TurnContext, id: string, life: number): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state === 'resolved' || incident.life !== life) return;
  let expired = 0;
  let staleMs = ctx.policy.staleMs;
  let dueAt = ctx.at + staleMs;
  // What is taken as ended leaves the set that is walked; the set bears that (O2).
  for (const fingerprint of firingOf(ctx.desk, id).values()) {
    const row = ctx.desk.tables.alerts.rows.get(fingerprint);
    if (row?.alert.state !== 'firing') continue;
    const ofRow = staleMsOf(ctx, row);
    if (ctx.at - row.alert.seenAt < ofRow || expired >= sweptPerTurn) {
      dueAt = Math.min(dueAt, row.alert.seenAt + ofRow);
      continue;
    }
    expired += 1;
    staleMs = ofRow;
    takeAsEnded(ctx, row.alert, 'nobody repeated or cleared it: taken as ended');
  }
  // Also when none is left that fires: an incident in doubt stays open, and may burn again. What is learned meanwhile may be less.
  wakeAfter(ctx, Math.max(minute, Math.min(staleMin, dueAt - ctx.at)), { kind: 'stale', incident: id, life, asked: nextSeq(ctx) });
  if (expired > 0) endPresumed(ctx, id, `no source has told of it for ${spanOf(staleMs)}: taken as ended`);
  else ctx.toDeliberate.add(id);
}

/** Nobody said that it is over: a word of its source opens it again at once. */
export function takeAsEnded(ctx: TurnContext, alert: Alert, note: string): void {
  const { fingerprint, count, observedAt } = alert;
  emit(ctx, {
    type: 'AlertMerged',
    fingerprint,
    change: 'cleared',
    alert: { ...alert, state: 'cleared', clearedAt: ctx.at },
    count,
    observedAt,
    observed: false,
    half: null,
    note,
  });
  refreshMute(ctx, fingerprint);
}

/** Members were taken as ended. Nobody saw them well: that teaches nothing about their rules, and the timeline says how it ended. */
export function endPresumed(ctx: TurnContext, id: string, note: string): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined) return;
  if (incident.firing > 0 || incident.run !== null || isInDoubt(incident)) return void ctx.toDeliberate.add(id);
  resolve(ctx, id, { by: 'timeout', who: '', note });
}
