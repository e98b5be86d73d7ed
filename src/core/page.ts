// One page: from the first ring to an acknowledgement, a resolution, or the end of the ladder.
// Decides only. Sending is engine/effects.ts; the words are notice.ts.
//   P1  A page rings one rung at a time; the next rings when the rung's wait is over or nobody on it can be reached.
//   P2  An acked page never rings again before its ack times out, or a playbook that a person let act has failed;
//       it closes only when its incident resolves.
//   P3  A wake names page and ring, so a late timer cannot climb twice.
//   P4  A notification is tried until it is accepted or refused, at most `attemptsMax` times, under one id.
import type { Incident, Outgoing, Page } from './desk.ts';
import { alertEnvironment, incidentEnvironment } from './environment.ts';
import { idOf } from './ids.ts';
import type { Ladder } from './ladder.ts';
import { emit, nextSeq, wakeAfter, type Turn } from './law.ts';
import { hushOf } from './mute.ts';
import { noticeOf } from './notice.ts';
import type { NotifyKind, NotifyOutcome } from './ports.ts';
import type { NotifyAnswered } from './records.ts';
import { hour, minute, second, type Millis } from './time.ts';

const answerWithinMs = 60 * second;
const attemptsMax = 8;
const retryFirstMs = 5 * second;
const retryMaxMs = 5 * minute;
const patienceMaxMs = hour;

export function pageOf(turn: Turn, id: string | null): Page | undefined {
  return id === null ? undefined : turn.desk.tables.pages.rows.get(id);
}

/** Opens the incident's page and rings the first rung. An incident has at most one page in a life. */
export function openPage(
  turn: Turn,
  incident: Incident,
  why: { readonly reason: string; readonly ladder: string | null; readonly kind: NotifyKind },
): void {
  const ladder = ladderFor(turn, incident, why.ladder);
  if (ladder === null) {
    emit(turn, { type: 'IncidentNoted', incident: incident.id, by: 'quench', text: 'no ladder is configured: nobody can be paged' });
    return;
  }
  const page = idOf('p', turn.desk.scope, nextSeq(turn));
  emit(turn, { type: 'PageOpened', page, incident: incident.id, ladder, title: incident.title, reason: why.reason });
  ring(turn, page, { round: 0, rung: 0, kind: why.kind });
}

function ladderFor(turn: Turn, incident: Incident, wanted: string | null): Ladder | null {
  const { policy, expressions } = turn.law;
  const named = (name: string): Ladder | null => (Object.hasOwn(policy.ladders, name) ? (policy.ladders[name] ?? null) : null);
  if (wanted !== null && named(wanted) !== null) return named(wanted);
  const root = turn.desk.tables.alerts.rows.get(incident.root)?.alert;
  const environment = { incident: incidentEnvironment(turn.desk, incident), alert: root === undefined ? {} : alertEnvironment(root) };
  for (const route of policy.routes) {
    if (route.when === null) return named(route.ladder);
    const holds = expressions.evaluate(route.when, environment);
    if (holds.ok && holds.value === true) return named(route.ladder);
  }
  return named('default') ?? Object.values(policy.ladders)[0] ?? null;
}

interface Place {
  readonly round: number;
  readonly rung: number;
  readonly kind: NotifyKind;
  readonly reason?: string;
}

function ring(turn: Turn, id: string, place: Place): void {
  const before = pageOf(turn, id);
  const rung = before?.ladder.rungs[place.rung];
  if (before === undefined || rung === undefined) return;
  const { round, rung: number, kind, ...why } = place;
  emit(turn, { type: 'PageRang', page: id, incident: before.incident, round, rung: number, ring: before.ring + 1, ...why });
  for (const notifier of rung.notify) send(turn, id, notifier, kind);
  wakeAfter(turn, rung.waitMs, { kind: 'rung', page: id, ring: before.ring + 1 });
}

function send(turn: Turn, id: string, notifier: string, kind: NotifyKind): void {
  const page = pageOf(turn, id);
  if (page === undefined) return;
  const notification = noticeOf(turn.desk, page, notifier, kind, turn.at);
  emit(turn, { type: 'NotifyRequested', page: id, incident: page.incident, notifier, attempt: 1, notification });
  wakeAfter(turn, answerWithinMs, { kind: 'notify', page: id, notification: notification.id, attempt: 1, stage: 'answer' });
}

/** The rung's wait is over: climb, begin another round, or find that the ladder has ended. */
export function onRung(turn: Turn, id: string, ringNumber: number): void {
  const page = pageOf(turn, id);
  if (page?.state !== 'ringing' || page.ring !== ringNumber) return; // P2, P3
  if (isQuiet(turn, page)) {
    const waitMs = page.ladder.rungs[page.rung]?.waitMs ?? minute;
    wakeAfter(turn, waitMs, { kind: 'rung', page: id, ring: page.ring, asked: nextSeq(turn) });
    return;
  }
  climb(turn, page);
}

function climb(turn: Turn, page: Page): void {
  if (hasNext(page)) return ring(turn, page.id, { round: page.round, rung: page.rung + 1, kind: 'repeat' });
  if (page.round < page.ladder.repeat) return ring(turn, page.id, { round: page.round + 1, rung: 0, kind: 'repeat' });
  emit(turn, {
    type: 'IncidentNoted',
    incident: page.incident,
    by: 'quench',
    text: `ladder ${page.ladder.name} ended after ${page.round + 1} rounds and nobody acknowledged`,
  });
}

/** Everything that could be acted on has been silenced since: stay quiet, ask again after the wait. */
function isQuiet(turn: Turn, page: Page): boolean {
  const incident = turn.desk.tables.incidents.rows.get(page.incident);
  return incident === undefined || hushOf(turn, incident, null) !== null;
}

export function onNotifyAnswered(turn: Turn, input: NotifyAnswered): void {
  const page = pageOf(turn, input.page);
  const outgoing = page?.outgoing.find((one) => one.notification.id === input.notification);
  if (page === undefined || outgoing === undefined || outgoing.state === 'accepted') return;
  // An acceptance counts however late: it spares a retry, and somebody is to be told of the end.
  if (outgoing.state === 'sent' || input.outcome.outcome === 'accepted') settle(turn, page, input.notification, input.outcome);
}

/** The answer is overdue (it may have arrived), or it is time to try again. */
export function onNotifyWake(
  turn: Turn,
  wake: { readonly page: string; readonly notification: string; readonly attempt: number; readonly stage: 'answer' | 'retry' },
): void {
  const page = pageOf(turn, wake.page);
  const outgoing = page?.outgoing.find((one) => one.notification.id === wake.notification);
  if (page === undefined || outgoing === undefined || outgoing.attempt !== wake.attempt) return;
  if (wake.stage === 'answer' && outgoing.state === 'sent') {
    return settle(turn, page, wake.notification, { outcome: 'unknown', detail: 'no answer from the notifier in time' });
  }
  if (wake.stage !== 'retry' || outgoing.state !== 'waiting' || !isWanted(page, outgoing)) return; // P2
  const attempt = outgoing.attempt + 1;
  emit(turn, {
    type: 'NotifyRequested',
    page: page.id,
    incident: page.incident,
    notifier: outgoing.notifier,
    attempt,
    notification: outgoing.notification,
  });
  wakeAfter(turn, answerWithinMs, { kind: 'notify', page: page.id, notification: wake.notification, attempt, stage: 'answer' });
}

function settle(turn: Turn, page: Page, notification: string, outcome: NotifyOutcome): void {
  const outgoing = page.outgoing.find((one) => one.notification.id === notification);
  if (outgoing === undefined) return;
  const ending = outgoing.notification.kind === 'resolve';
  const again = outcome.outcome === 'deferred' || outcome.outcome === 'unknown';
  const retry = again && isWanted(page, outgoing) && outgoing.attempt < attemptsMax; // P4
  const { notifier, attempt } = outgoing;
  emit(turn, { type: 'NotifyFinished', page: page.id, incident: page.incident, notifier, attempt, notification, outcome, retry });
  if (retry) {
    wakeAfter(turn, retryAfter(outcome, attempt), { kind: 'notify', page: page.id, notification, attempt, stage: 'retry' });
    return;
  }
  const now = pageOf(turn, page.id);
  if (ending || now === undefined) return;
  if (now.state === 'closed' && now.told.includes(notifier) && !page.told.includes(notifier))
    return send(turn, page.id, notifier, 'resolve');
  if (now.state === 'ringing' && outgoing.ring === now.ring && rungFailed(now) && hasNext(now) && !isQuiet(turn, now)) climb(turn, now); // P1
}

/** An answer or another attempt is to come. */
export function isUnderWay({ state, notification }: Outgoing): boolean {
  return state === 'sent' || (state === 'waiting' && notification.kind === 'resolve');
}

/** Worth another attempt: people are still to be told of this. */
function isWanted(page: Page, outgoing: Outgoing): boolean {
  return outgoing.notification.kind === 'resolve' || page.state === 'ringing';
}

function rungFailed(page: Page): boolean {
  return page.outgoing.filter((one) => one.ring === page.ring).every((one) => one.state === 'refused');
}

function hasNext(page: Page): boolean {
  return page.rung + 1 < page.ladder.rungs.length;
}

function retryAfter(outcome: NotifyOutcome, attempt: number): Millis {
  const backoff = Math.min(retryMaxMs, retryFirstMs * 2 ** (attempt - 1));
  return outcome.outcome === 'deferred' ? Math.min(patienceMaxMs, Math.max(outcome.retryAfterMs, retryFirstMs)) : backoff;
}

export function ackPage(turn: Turn, page: Page, who: { readonly by: string; readonly via: string }): void {
  if (page.state !== 'ringing') return;
  emit(turn, { type: 'PageAcked', page: page.id, incident: page.incident, ...who });
  if (page.ladder.ackTimeoutMs > 0) wakeAfter(turn, page.ladder.ackTimeoutMs, { kind: 'ack', page: page.id, ring: page.ring });
}

/** The acknowledgement has timed out and the incident is still open: ring from the first rung again. */
export function onAckTimeout(turn: Turn, id: string, ringNumber: number): void {
  const page = pageOf(turn, id);
  if (page?.state !== 'acked' || page.ring !== ringNumber) return; // P2, P3
  if (isQuiet(turn, page)) {
    return wakeAfter(turn, page.ladder.ackTimeoutMs, { kind: 'ack', page: id, ring: ringNumber, asked: nextSeq(turn) });
  }
  ring(turn, id, { round: 0, rung: 0, kind: 'repeat' });
}

/** Somebody answered the page (approved a run), nobody has the incident, and it needs a person after all. */
export function ringAgain(turn: Turn, page: Page, reason: string): void {
  if (page.state === 'acked') ring(turn, page.id, { round: 0, rung: 0, kind: 'repeat', reason }); // P3: its ack timeout is stale now
}

/** The incident is over: stop ringing and tell everybody who may have been told. */
export function closePage(turn: Turn, page: Page, why: string): void {
  if (page.state === 'closed') return;
  emit(turn, { type: 'PageClosed', page: page.id, incident: page.incident, why });
  for (const notifier of page.told) send(turn, page.id, notifier, 'resolve');
}
