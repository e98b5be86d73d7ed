// A desk's time goes back: rows that hold instants of the time that was ahead are taken back with it. Decides nothing.
//   K1  What is counted from an instant beyond the new time keeps what has passed of it; from an earlier one it is counted on unchanged.
//       No span ends later than its own length from now, and none too early: what began while the desk's time stood still begins now.
//   K2  Marks that are only compared with each other keep their order: none is later than the new time.
// It walks the rows once. A clock is corrected so seldom that an index of instants would cost more.
import type { FlapHistory } from '../alert/flapping.ts';
import type { Alert, MuteEnd, Refired, Remembered } from '../alert/row.ts';
import { indexLife, metaOf, type Desk, type Folds } from '../desk.ts';
import type { Asked, Incident, Rise } from '../incident/row.ts';
import type { Outgoing, Page } from '../page/row.ts';
import type { GroupRow, ResourceRow } from '../resource/row.ts';
import type { Call, Frame, Run, TargetHistory } from '../run/row.ts';
import { put, type Table } from '../table.ts';
import type { Instant } from '../time.ts';
import type { WakeRow } from '../wakes.ts';
import type { DeskSetBack } from './facts.ts';

/** From where to where the time of a desk goes back. */
export interface Back {
  readonly from: Instant;
  readonly stoodFrom: Instant;
  readonly to: Instant;
  /** The desk's time until now. */
  readonly now: Instant;
}

export const clockFolds: Folds<'DeskSetBack'> = { DeskSetBack: foldSetBack };

function foldSetBack(desk: Desk, { from, stoodFrom, to }: DeskSetBack): void {
  const back = { from, stoodFrom, to, now: metaOf(desk).now };
  const { tables } = desk;
  put(tables.meta, 'desk', { ...metaOf(desk), now: to });
  each(tables.alerts, (row) => ({ ...row, alert: alertAfter(row.alert, back), history: historyAfter(row.history, back) }));
  each(tables.remembered, (row) => rememberedAfter(row, back));
  for (const [id, before] of tables.incidents.rows) {
    const after = incidentAfter(before, back);
    put(tables.incidents, id, after);
    indexLife(desk, before, after);
  }
  each(tables.runs, (row) => runAfter(row, back));
  each(tables.targets, (row) => targetAfter(row, back));
  each(tables.resources, (row) => resourceAfter(row, back));
  each(tables.groups, (row) => groupAfter(row, back));
  each(tables.bundles, (row) => ({ ...row, until: expiryAfter(row.until, back) }));
  each(tables.pages, (row) => pageAfter(row, back));
  each(tables.wakes, (row) => wakeAfterBack(row, back));
  each(tables.deliveries, (row) => ({ ...row, at: Math.min(row.at, to) }));
}

function each<Row>(table: Table<Row>, next: (row: Row) => Row): void {
  for (const [key, row] of table.rows) put(table, key, next(row));
}

/** K1 */
export function shifted<At extends Instant | null>(at: At, { from, stoodFrom, to }: Omit<Back, 'now'>): At | Instant {
  if (at === null || at <= to) return at;
  return at >= stoodFrom ? to : Math.min(to, at - (from - to));
}

/** K2 */
function clamped<At extends Instant | null>(at: At, { to }: Back): At | Instant {
  return at === null ? at : Math.min(at, to);
}

/** What is due is due so long from when it was asked. */
export function wakeAfterBack(row: WakeRow, back: Back): WakeRow {
  return { ...row, dueAt: shifted(row.dueAt - row.afterMs, back) + row.afterMs };
}

function alertAfter(alert: Alert, back: Back): Alert {
  const { lease, muteEnd } = alert;
  const seenAt = shifted(alert.seenAt, back);
  return {
    ...alert,
    seenAt,
    ...mergedAfter(alert, back),
    // Told with the last word of its source, by whichever clock: it lasts as long from then as it was to.
    ...(muteEnd === undefined ? {} : { muteEnd: muteEndAfter(muteEnd, back) }),
    ...(lease === undefined ? {} : { lease: { ...lease, until: lease.until + (seenAt - alert.seenAt) } }),
  };
}

/** It lasts as long from when it was told as it was to then. */
function muteEndAfter(end: MuteEnd, back: Back): MuteEnd {
  const since = shifted(end.since, back);
  return { ...end, since, until: end.until + (since - end.since) };
}

function rememberedAfter(remembered: Remembered, back: Back): Remembered {
  return { ...remembered, at: clamped(remembered.at, back), ...mergedAfter(remembered, back) };
}

/** What merging compares the next word with, of an alert and of what is remembered of one. */
function mergedAfter({ clearedAt, refired, lastEnd }: Pick<Alert, 'clearedAt' | 'refired' | 'lastEnd'>, back: Back) {
  return {
    clearedAt: clamped(clearedAt, back),
    ...(refired === undefined ? {} : { refired: refiredAfter(refired, back) }),
    ...(lastEnd === undefined ? {} : { lastEnd: { ...lastEnd, at: shifted(lastEnd.at, back) } }),
  };
}

function refiredAfter(refired: Refired, back: Back): Refired {
  return { ...refired, since: shifted(refired.since, back), at: shifted(refired.at, back) };
}

function historyAfter(history: FlapHistory, back: Back): FlapHistory {
  return history.times === undefined ? history : { ...history, times: history.times.map((time) => shifted(time, back)) };
}

function incidentAfter(incident: Incident, back: Back): Incident {
  const { openedAt, firstStart, lastStart, resolvedAt, lifeAt, risenAt, rises, acked, taken, held, starved, asked } = incident;
  return {
    ...incident,
    openedAt: shifted(openedAt, back),
    firstStart: shifted(firstStart, back),
    lastStart: shifted(lastStart, back),
    resolvedAt: shifted(resolvedAt, back),
    lifeAt: shifted(lifeAt, back),
    acked: acked === null ? null : { ...acked, at: clamped(acked.at, back) },
    ...(taken === undefined ? {} : { taken: { ...taken, at: clamped(taken.at, back) } }),
    ...(starved === undefined ? {} : { starved: { ...starved, at: shifted(starved.at, back) } }),
    ...(risenAt === undefined ? {} : { risenAt: shifted(risenAt, back) }),
    ...(rises === undefined ? {} : { rises: rises.map((rise) => riseAfter(rise, back)) }),
    ...(asked === undefined ? {} : { asked: asked.map((one) => askedAfter(one, back)) }),
    ...(held === undefined
      ? {}
      : { held: Object.fromEntries(Object.entries(held).map(([name, one]) => [name, { ...one, since: shifted(one.since, back) }])) }),
  };
}

function riseAfter(rise: Rise, back: Back): Rise {
  return { ...rise, at: shifted(rise.at, back) };
}

function askedAfter(asked: Asked, back: Back): Asked {
  const { askedAt, answeredAt } = asked;
  const next = { ...asked, askedAt: shifted(askedAt, back) };
  return answeredAt === undefined ? next : { ...next, answeredAt: shifted(answeredAt, back) };
}

function callAfter(call: Call, back: Back): Call {
  const requestedAt = shifted(call.requestedAt, back);
  if (call.worker !== null || call.queued === undefined) return { ...call, requestedAt };
  return { ...call, requestedAt, queued: { ...call.queued, at: shifted(call.queued.at, back) } };
}

function runAfter(run: Run, back: Back): Run {
  const calls = Object.entries(run.calls).map(([id, call]): [string, Call] => [id, callAfter(call, back)]);
  return {
    ...run,
    startedAt: shifted(run.startedAt, back),
    frames: run.frames.map((frame) => frameAfter(frame, back)),
    calls: Object.fromEntries(calls),
    ...(run.holdsUntil === undefined ? {} : { holdsUntil: expiryAfter(run.holdsUntil, back) }),
    ...(run.approveUntil === undefined ? {} : { approveUntil: expiryAfter(run.approveUntil, back) }),
    ...(run.approvedAt === undefined ? {} : { approvedAt: clamped(run.approvedAt, back) }),
  };
}

/** K1, for a permission, or what is due: rather too early than too late. */
function expiryAfter(until: Instant, { from, to, now }: Back): Instant {
  return until > to ? until - (Math.max(from, now) - to) : until;
}

function frameAfter(frame: Frame, back: Back): Frame {
  return frame.part === 'verify' ? { ...frame, since: shifted(frame.since, back), goodSince: shifted(frame.goodSince, back) } : frame;
}

function targetAfter(target: TargetHistory, back: Back): TargetHistory {
  return {
    ...target,
    lastEndAt: shifted(target.lastEndAt, back),
    starts: target.starts.map((start) => ({ ...start, at: shifted(start.at, back) })),
  };
}

function resourceAfter(resource: ResourceRow, back: Back): ResourceRow {
  return {
    ...resource,
    lastEndAt: shifted(resource.lastEndAt, back),
    starts: resource.starts.map((start) => ({ ...start, at: shifted(start.at, back) })),
    usedAt: shifted(resource.usedAt, back),
  };
}

function groupAfter(group: GroupRow, back: Back): GroupRow {
  const { admitted, running, ill } = group;
  const at = <One extends { readonly at: Instant }>(one: One): One => ({ ...one, at: shifted(one.at, back) });
  const until = <One extends { readonly until: Instant }>(one: One): One => ({ ...one, until: expiryAfter(one.until, back) });
  return {
    ...group,
    admitted: admitted.map(at),
    ...(running === undefined ? {} : { running: running.map(until) }),
    ...(ill === undefined ? {} : { ill: ill.map(at) }),
  };
}

function pageAfter(page: Page, back: Back): Page {
  const { openedAt, anewAt, outgoing } = page;
  return {
    ...page,
    openedAt: shifted(openedAt, back),
    outgoing: outgoing.map((one) => outgoingAfter(one, back)),
    ...(anewAt === undefined ? {} : { anewAt: shifted(anewAt, back) }),
  };
}

function outgoingAfter(one: Outgoing, back: Back): Outgoing {
  const since = shifted(one.since, back);
  // What is tried again was asked long after the word itself: it is due so long from now as it was.
  return one.dueAt === undefined ? { ...one, since } : { ...one, since, dueAt: expiryAfter(one.dueAt, back) };
}
