// The gateway: one input, one turn, all facts. Pure: same desk, input, law and offset, same facts.
// Reads like a table of contents; the thinking is in the files it names.
//   T1  A turn's facts are a function of the desk's rows, the input and the law, whatever the order of rows in memory.
//   T2  Time on a desk never goes back; an input stamped earlier is taken to come now, and a wake to come when it was due at the
//       earliest: waits run on a steady clock, so time passes here even where the wall clock was set back.
//   T3  A redelivered event, a stale wake, an answer nobody awaits: no fact that acts.
import { merge, type Alert } from './alert.ts';
import { deliberate, page, quietReason } from './deliberate.ts';
import { metaOf, worldOf, type Desk } from './desk.ts';
import { assertNever } from './errors.ts';
import { timeOf } from './evolve.ts';
import { flapPercent, isFlapping } from './flap.ts';
import { expireStale, halfOf, incidentOf, place, raise, resolve, sweep, titleOf } from './incident.ts';
import { emit, nextSeq, wakeAfter, type Law, type Turn } from './law.ts';
import { describeMute, isInDoubt, refreshMute } from './mute.ts';
import { ackPage, onAckTimeout, onNotifyAnswered, onNotifyWake, onRung, pageOf } from './page.ts';
import type { AlertSeen, Change, CommandGiven, Decision, Fact, Input, Silence, Wake } from './records.ts';
import { cancel, nudge, onAnswered, onApproval, onApprovalTimeout, onCallWake, onClaimed, onPause, runOf } from './run.ts';
import { scoreOf } from './score.ts';
import { minute } from './time.ts';

const deliveriesMax = 20_000;
const deliveriesSwept = 5_000;
const targetsMax = 10_000;
const targetsSwept = 1_000;
const mutedAtOnceMax = 5_000;

/** Decides about one input and folds every fact into the desk. `offset` is the input's place in the log. */
export function turn(desk: Desk, input: Input, law: Law, offset: number): Fact[] {
  const due = input.type === 'Woke' ? (desk.tables.wakes.rows.get(input.token)?.dueAt ?? 0) : 0;
  const now: Turn = { desk, at: timeOf(desk, Math.max(input.at, due)), law, offset, facts: [], open: new Map() }; // T2
  hear(now, input);
  for (const [incident, arrived] of now.open) deliberate(now, incident, arrived);
  return now.facts;
}

/** The partition's own desk, scope `*`: policy and freeze. */
export function turnWorld(desk: Desk, input: Input, law: Law, offset: number): Fact[] {
  const now: Turn = { desk, at: timeOf(desk, input.at), law, offset, facts: [], open: new Map() };
  if (input.type === 'PolicyPublished') {
    if (worldOf(desk).policy?.digest !== input.policy.digest) emit(now, { type: 'PolicyAdopted', policy: input.policy });
  } else if (input.type === 'CommandGiven' && input.command.name === 'freeze') {
    emit(now, { type: 'FreezeChanged', frozen: { by: input.by, reason: input.command.reason } });
  } else if (input.type === 'CommandGiven' && input.command.name === 'thaw') {
    if (worldOf(desk).frozen !== null) emit(now, { type: 'FreezeChanged', frozen: null });
  }
  return now.facts;
}

function hear(now: Turn, input: Input): void {
  switch (input.type) {
    case 'AlertSeen':
      return hearAlert(now, input);
    case 'AlertsHidden':
      return emit(now, { type: 'AlertsMissing', endpoint: input.endpoint, group: input.group, count: input.count });
    case 'StepClaimed':
      return onClaimed(now, input);
    case 'StepAnswered':
      return onAnswered(now, input);
    case 'NotifyAnswered':
      return onNotifyAnswered(now, input);
    case 'Acked':
      if (input.page !== undefined && incidentOf(now, input.incident)?.page !== input.page) return;
      return acknowledge(now, input.incident, input);
    case 'Resolved':
      return resolveByHand(now, input.incident, input);
    case 'Approved':
      return onApproval(now, input.run, { approved: true, by: input.by, via: input.via, note: '' });
    case 'Denied':
      return onApproval(now, input.run, { approved: false, by: input.by, via: input.via, note: input.note });
    case 'CommandGiven':
      return obey(now, input);
    case 'SilenceSet':
      return setSilence(now, input.silence);
    case 'Woke':
      return wake(now, input.token);
    case 'PolicyPublished':
      return;
    default:
      assertNever(input);
  }
}

// ---------------------------------------------------------------- alerts

function hearAlert(now: Turn, input: AlertSeen): void {
  if (isRedelivery(now, input)) return; // T3
  const { alerts } = now.desk.tables;
  const { event } = input;
  const { fingerprint } = event;
  const held = alerts.rows.get(fingerprint);
  const { change, alert } = merge(held?.alert, event, now.at);
  const fresh = change === 'opened' || change === 'reopened';
  emit(now, {
    type: 'AlertMerged',
    fingerprint,
    change,
    alert: change === 'repeated' || change === 'noted' || change === 'late' ? counted(held?.alert, alert) : alert,
    count: alert?.count ?? 0,
    observedAt: event.observedAt,
    observed: change !== 'late' && (event.claim === 'cleared' || (event.claim === 'firing' && event.soft !== true)),
    half: fresh && event.soft !== true ? halfOf(now) : null,
    note: event.note ?? null,
  });
  if (alert === null || change === 'late')
    return decided(now, input, change, ['record', 'it tells of an episode that is over or was never seen']);
  refreshFlapping(now, fingerprint);
  if (alert.state === 'cleared') return heardCleared(now, input, change);
  heardFiring(now, input, change, alert);
}

/** Of a repeat, only what the counters of AlertMerged cannot say is worth a whole row. */
function counted(held: Alert | undefined, alert: Alert | null): Alert | null {
  if (held === undefined || alert === null) return null;
  const moved =
    held.episode !== alert.episode || held.sourceMute !== alert.sourceMute || held.summary !== alert.summary || held.soft !== alert.soft;
  return moved ? alert : null;
}

function isRedelivery(now: Turn, input: AlertSeen): boolean {
  if (input.delivery === '') return false;
  const { deliveries } = now.desk.tables;
  const seen = deliveries.rows.get(input.delivery);
  if (seen !== undefined && input.index <= seen.upTo) return true;
  if (deliveries.rows.size >= deliveriesMax) {
    const oldest = [...deliveries.rows].sort((a, b) => a[1].at - b[1].at || (a[0] < b[0] ? -1 : 1));
    emit(now, { type: 'DeskSwept', table: 'deliveries', keys: oldest.slice(0, deliveriesSwept).map(([key]) => key) });
  }
  return false;
}

function refreshFlapping(now: Turn, fingerprint: string): void {
  const held = now.desk.tables.alerts.rows.get(fingerprint);
  if (held === undefined || held.history.changes === 0) return;
  const percent = flapPercent(held.history);
  const flapping = isFlapping(held.flapping, percent, now.law.policy.flap);
  if (flapping === held.flapping) return;
  emit(now, { type: 'AlertFlapping', fingerprint, incident: held.alert.incident, flapping, percent: Math.round(percent * 10) / 10 });
}

function heardFiring(now: Turn, input: AlertSeen, change: Change, alert: Alert): void {
  const { fingerprint } = alert;
  if (alert.soft) return decided(now, input, change, ['hold', 'the source has not confirmed it yet (soft state)']); // I1
  const held = now.desk.tables.alerts.rows.get(fingerprint);
  const before = held?.alert.incident ?? null;
  const muted = held?.muted ?? null;
  const incident = change === 'opened' || change === 'reopened' || before === null ? place(now, alert) : before;
  if (change === 'severity') raise(now, incident, alert);
  const mute = refreshMute(now, fingerprint);
  if (alert.acknowledged && incidentOf(now, incident)?.state === 'open') acknowledge(now, incident, { by: alert.source, via: 'source' });
  if (change !== 'repeated' || mute !== muted) deliberate(now, incident, fingerprint);
  const outcome = incidentOf(now, incident);
  if (change === 'repeated' || change === 'noted')
    return decided(now, input, change, ['record', change === 'noted' ? 'a remark' : 'a repeat of what is known']);
  if (mute !== null) return decided(now, input, change, ['suppress', describeMute(mute)]);
  decided(now, input, change, [outcome?.decision ?? 'record', outcome?.reason ?? '']);
}

function heardCleared(now: Turn, input: AlertSeen, change: Change): void {
  const { fingerprint } = input.event;
  refreshMute(now, fingerprint);
  expireUsedSilences(now);
  const incident = now.desk.tables.alerts.rows.get(fingerprint)?.alert.incident ?? null;
  if (incident === null) {
    emit(now, { type: 'DeskSwept', table: 'alerts', keys: [fingerprint] });
    return decided(now, input, change, ['record', 'cleared before it was confirmed']);
  }
  const row = incidentOf(now, incident);
  if (row?.firing === 0 && row.run !== null) nudge(now, row.run);
  now.open.set(incident, null);
  decided(now, input, change, ['record', 'cleared']);
}

function decided(now: Turn, input: AlertSeen, change: Change, [decision, reason]: readonly [Decision, string]): void {
  const { fingerprint } = input.event;
  const held = now.desk.tables.alerts.rows.get(fingerprint);
  const incident = held?.alert.incident ?? null;
  const scored = change === 'opened' || change === 'reopened' || change === 'severity';
  const score =
    held === undefined || !scored ? null : scoreOf(held.alert, now.desk.tables.rules.rows.get(held.alert.name), incidentOf(now, incident));
  const { delivery, index } = input;
  emit(now, { type: 'AlertDecided', fingerprint, change, incident, decision, reason, score, delivery, index, offset: now.offset });
}

// ---------------------------------------------------------------- people

function acknowledge(now: Turn, id: string, who: { readonly by: string; readonly via: string }): void {
  const incident = incidentOf(now, id);
  if (incident === undefined || incident.state === 'resolved') return;
  const ringing = pageOf(now, incident.page);
  if (incident.state === 'acknowledged' && ringing?.state !== 'ringing') return;
  const { by, via } = who;
  emit(now, { type: 'IncidentAcknowledged', incident: id, by, via });
  if (ringing !== undefined) ackPage(now, ringing, { by, via });
  now.open.set(id, null);
}

function resolveByHand(now: Turn, id: string, who: { readonly by: string; readonly note: string }): void {
  const incident = incidentOf(now, id);
  if (incident === undefined || incident.state === 'resolved') return;
  if (incident.run !== null) cancel(now, incident.run, `${who.by} resolved the incident`);
  resolve(now, id, { by: 'human', who: who.by, note: who.note });
}

function obey(now: Turn, input: CommandGiven): void {
  const { command, by } = input;
  if (command.name === 'cancel') return cancel(now, command.run, `cancelled by ${by}`);
  if (command.name !== 'note' || incidentOf(now, command.incident) === undefined) return;
  emit(now, { type: 'IncidentNoted', incident: command.incident, by, text: command.text });
}

function setSilence(now: Turn, silence: Silence): void {
  const known = now.desk.tables.silences.rows.has(silence.id);
  if (silence.endsAt <= now.at) {
    if (known) endSilence(now, silence);
    return;
  }
  emit(now, { type: 'SilenceChanged', silence, state: 'active' });
  const { id, startsAt } = silence;
  if (startsAt > now.at) wakeAfter(now, startsAt - now.at, { kind: 'silenceStart', silence: id, startsAt });
  wakeAfter(now, silence.endsAt - now.at, { kind: 'silence', silence: silence.id, endsAt: silence.endsAt });
  refreshMutes(now);
}

function endSilence(now: Turn, silence: Silence): void {
  emit(now, { type: 'SilenceChanged', silence, state: 'expired' });
  refreshMutes(now);
}

/** A silence came or went: look at the alerts it may concern, in a fixed order, and at the incidents they are in. */
function refreshMutes(now: Turn): void {
  let changes = 0;
  for (const fingerprint of [...now.desk.tables.alerts.rows.keys()].sort()) {
    const held = now.desk.tables.alerts.rows.get(fingerprint);
    if (held?.alert.state !== 'firing' || changes >= mutedAtOnceMax) continue;
    const before = held.muted;
    refreshMute(now, fingerprint);
    const after = now.desk.tables.alerts.rows.get(fingerprint)?.muted ?? null;
    if (before === after) continue;
    changes += 1;
    if (held.alert.incident !== null) now.open.set(held.alert.incident, null);
  }
  reviewDoubts(now);
}

/** What a run left in doubt and burns no more: a silence may have been all that kept it from calling a person. */
function reviewDoubts(now: Turn): void {
  const { incidents } = now.desk.tables;
  const doubts = incidents.rows.values().filter((incident) => incident.firing === 0 && isInDoubt(incident));
  const ids = doubts.map(({ id }) => id).toArray();
  for (const id of ids.sort().slice(0, mutedAtOnceMax)) now.open.set(id, null);
}

/** Silences that were to last until what they muted had cleared. */
function expireUsedSilences(now: Turn): void {
  for (const id of [...now.desk.tables.silences.rows.keys()].sort()) {
    const held = now.desk.tables.silences.rows.get(id);
    if (held?.silence.untilResolved !== true || held.muting > 0 || !held.used) continue;
    emit(now, { type: 'SilenceChanged', silence: held.silence, state: 'expired' });
    reviewDoubts(now);
  }
}

// ---------------------------------------------------------------- time

function wake(now: Turn, token: string): void {
  const held = now.desk.tables.wakes.rows.get(token);
  if (held === undefined) return; // T3
  emit(now, { type: 'WakeSpent', token });
  onWake(now, held.wake);
}

function onWake(now: Turn, due: Wake): void {
  switch (due.kind) {
    case 'settle':
      return onSettled(now, due.incident, due.life);
    case 'deliberate':
      now.open.set(due.incident, null);
      return;
    case 'grace':
      return onGrace(now, due.incident, due.run);
    case 'close':
      forgetTargets(now);
      return sweep(now, due.incident, due.life);
    case 'stale':
      expireStale(now, due.incident, due.life);
      return expireUsedSilences(now);
    case 'silence': {
      const held = now.desk.tables.silences.rows.get(due.silence);
      if (held?.silence.endsAt === due.endsAt) endSilence(now, held.silence);
      return;
    }
    case 'silenceStart':
      if (now.desk.tables.silences.rows.get(due.silence)?.silence.startsAt === due.startsAt) refreshMutes(now);
      return;
    case 'approval':
      return onApprovalTimeout(now, due.run);
    case 'call':
      return onCallWake(now, due);
    case 'pause':
      return onPause(now, due.run, due.pause);
    case 'rung':
      return onRung(now, due.page, due.ring);
    case 'ack':
      return onAckTimeout(now, due.page, due.ring);
    case 'notify':
      return onNotifyWake(now, due);
    default:
      assertNever(due);
  }
}

/** Long enough watched: whatever opened while a storm rose belongs to the storm, the rest may be paged. */
function onSettled(now: Turn, id: string, life: number): void {
  const incident = incidentOf(now, id);
  if (incident === undefined || incident.life !== life || incident.state === 'resolved') return;
  const { severity, root, score } = incident;
  emit(now, { type: 'IncidentChanged', incident: id, severity, title: titleOf(now.desk, incident, root), root, score, settled: true });
  const storm = incidentOf(now, metaOf(now.desk).storm);
  const rising = storm !== undefined && storm.id !== id && Math.abs(storm.lifeAt - incident.lifeAt) <= now.law.policy.storm.withinMs;
  if (rising && incident.page === null) emit(now, { type: 'IncidentNested', incident: id, parent: storm.id });
  now.open.set(id, null);
}

/** A run proved that the fire is out, and still a source says it burns: a person must look. */
function onGrace(now: Turn, id: string, run: string): void {
  const incident = incidentOf(now, id);
  if (incident === undefined || incident.state !== 'open' || incident.firing === 0 || incident.run !== null) return;
  const last = incident.runs.findLast((one) => runOf(now, one)?.mode !== 'shadow');
  if (last !== run || incident.outcome === null) return; // T3: of an earlier life, or another run came after it
  if (quietReason(now, incident, null) !== null) return wakeAfter(now, minute, { kind: 'grace', incident: id, run, asked: nextSeq(now) });
  const playbook = runOf(now, run)?.playbook.name ?? run;
  page(now, incident, `playbook ${playbook} is done, yet ${incident.firing} of ${incident.members} alerts still fire`, null);
}

function forgetTargets(now: Turn): void {
  const { targets } = now.desk.tables;
  if (targets.rows.size < targetsMax) return;
  const idle = [...targets.rows].filter(([, history]) => history.holder === null);
  idle.sort((a, b) => (a[1].lastEndAt ?? 0) - (b[1].lastEndAt ?? 0) || (a[0] < b[0] ? -1 : 1));
  emit(now, { type: 'DeskSwept', table: 'targets', keys: idle.slice(0, targetsSwept).map(([key]) => key) });
}
