// The gateway: one input, one turn, all facts. Pure: same desk, input, rules and offset, same facts.
// Reads like a table of contents; the thinking is in the files it names.
//   T1  A turn's facts are a function of the desk's rows, the input and the rules, whatever the order of rows in memory.
//   T2  Time on a desk never goes back; an input stamped earlier is taken to come now, and a wake to come when it was due at the
//       earliest: waits run on a steady clock, so time passes here even where the wall clock was set back.
//   T3  A redelivered event, a stale wake, an answer nobody awaits: no fact that acts.
import { seeAlert } from './alert/arrival.ts';
import { emit, nextSeq, wakeAfter, type DecisionContext, type TurnContext } from './context.ts';
import { deliberate, page } from './decide/deliberate.ts';
import { acknowledge, apply, resolveByHand } from './decide/people.ts';
import { quietReason } from './decide/quiet.ts';
import { metaOf, timeOf, worldOf, type Desk } from './desk.ts';
import { assertNever } from './errors.ts';
import { expireStale, sweep } from './incident/life.ts';
import { titleOf } from './incident/place.ts';
import { incidentOf } from './incident/row.ts';
import { endSilence, expireUsedSilences, refreshMutes, setSilence } from './mute/silence.ts';
import { onAckTimeout, onNotifyAnswered, onNotifyWake, onRung } from './page/ring.ts';
import type { Fact, Input } from './records.ts';
import { onAnswered, onApproval, onApprovalTimeout, onCallWake, onClaimed, onPause, runOf } from './run/run.ts';
import { forgetTargets } from './run/targets.ts';
import { minute, type Instant } from './time.ts';
import type { Wake } from './wakes.ts';

/** Decides about one input and folds every fact into the desk. `offset` is the input's place in the log. */
export function turn(desk: Desk, input: Input, rules: DecisionContext, offset: number): Fact[] {
  const due = input.type === 'Woke' ? (desk.tables.wakes.rows.get(input.token)?.dueAt ?? 0) : 0;
  const ctx = begin(desk, Math.max(input.at, due), rules, offset); // T2
  handle(ctx, input);
  for (const incident of ctx.toDeliberate) deliberate(ctx, incident, null);
  return ctx.facts;
}

function begin(desk: Desk, at: Instant, { policy, frozen, expressions }: DecisionContext, offset: number): TurnContext {
  return { policy, frozen, expressions, desk, at: timeOf(desk, at), offset, facts: [], toDeliberate: new Set() };
}

/** The partition's own desk, scope `*`: policy and freeze. */
export function turnWorld(desk: Desk, input: Input, rules: DecisionContext, offset: number): Fact[] {
  const ctx = begin(desk, input.at, rules, offset);
  if (input.type === 'PolicyPublished') {
    if (worldOf(desk).policy?.digest !== input.policy.digest) emit(ctx, { type: 'PolicyAdopted', policy: input.policy });
  } else if (input.type === 'CommandGiven' && input.command.name === 'freeze') {
    emit(ctx, { type: 'FreezeChanged', frozen: { by: input.by, reason: input.command.reason } });
  } else if (input.type === 'CommandGiven' && input.command.name === 'thaw') {
    if (worldOf(desk).frozen !== null) emit(ctx, { type: 'FreezeChanged', frozen: null });
  }
  return ctx.facts;
}

function handle(ctx: TurnContext, input: Input): void {
  switch (input.type) {
    case 'AlertSeen':
      return seeAlert(ctx, input);
    case 'AlertsHidden':
      return emit(ctx, { type: 'AlertsMissing', endpoint: input.endpoint, group: input.group, count: input.count });
    case 'StepClaimed':
      return onClaimed(ctx, input);
    case 'StepAnswered':
      return onAnswered(ctx, input);
    case 'NotifyAnswered':
      return onNotifyAnswered(ctx, input);
    case 'Acked':
      if (input.page !== undefined && incidentOf(ctx, input.incident)?.page !== input.page) return;
      return acknowledge(ctx, input.incident, input);
    case 'Resolved':
      return resolveByHand(ctx, input.incident, input);
    case 'Approved':
      return onApproval(ctx, input.run, { approved: true, by: input.by, via: input.via, note: '' });
    case 'Denied':
      return onApproval(ctx, input.run, { approved: false, by: input.by, via: input.via, note: input.note });
    case 'CommandGiven':
      return apply(ctx, input);
    case 'SilenceSet':
      return setSilence(ctx, input.silence);
    case 'Woke':
      return wake(ctx, input.token);
    case 'PolicyPublished':
      return;
    default:
      assertNever(input);
  }
}

function wake(ctx: TurnContext, token: string): void {
  const held = ctx.desk.tables.wakes.rows.get(token);
  if (held === undefined) return; // T3
  emit(ctx, { type: 'WakeSpent', token });
  onWake(ctx, held.wake);
}

function onWake(ctx: TurnContext, due: Wake): void {
  switch (due.kind) {
    case 'settle':
      return onSettled(ctx, due.incident, due.life);
    case 'deliberate':
      ctx.toDeliberate.add(due.incident);
      return;
    case 'grace':
      return onGrace(ctx, due.incident, due.run);
    case 'close':
      forgetTargets(ctx);
      return sweep(ctx, due.incident, due.life);
    case 'stale':
      expireStale(ctx, due.incident, due.life);
      return expireUsedSilences(ctx);
    case 'silence': {
      const held = ctx.desk.tables.silences.rows.get(due.silence);
      if (held?.silence.endsAt === due.endsAt) endSilence(ctx, held.silence);
      return;
    }
    case 'silenceStart':
      if (ctx.desk.tables.silences.rows.get(due.silence)?.silence.startsAt === due.startsAt) refreshMutes(ctx);
      return;
    case 'approval':
      return onApprovalTimeout(ctx, due.run);
    case 'call':
      return onCallWake(ctx, due);
    case 'pause':
      return onPause(ctx, due.run, due.pause);
    case 'rung':
      return onRung(ctx, due.page, due.ring);
    case 'ack':
      return onAckTimeout(ctx, due.page, due.ring);
    case 'notify':
      return onNotifyWake(ctx, due);
    default:
      assertNever(due);
  }
}

/** Long enough watched: whatever opened while a storm rose belongs to the storm, the rest may be paged. */
function onSettled(ctx: TurnContext, id: string, life: number): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.life !== life || incident.state === 'resolved') return;
  const { severity, root, score } = incident;
  emit(ctx, { type: 'IncidentChanged', incident: id, severity, title: titleOf(ctx.desk, incident, root), root, score, settled: true });
  const storm = incidentOf(ctx, metaOf(ctx.desk).storm);
  const rising = storm !== undefined && storm.id !== id && Math.abs(storm.lifeAt - incident.lifeAt) <= ctx.policy.storm.withinMs;
  if (rising && incident.page === null) emit(ctx, { type: 'IncidentNested', incident: id, parent: storm.id });
  ctx.toDeliberate.add(id);
}

/** A run proved that the fire is out, and still a source says it burns: a person must look. */
function onGrace(ctx: TurnContext, id: string, run: string): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state !== 'open' || incident.firing === 0 || incident.run !== null) return;
  const last = incident.runs.findLast((one) => runOf(ctx, one)?.mode !== 'shadow');
  if (last !== run || incident.outcome === null) return; // T3: of an earlier life, or another run came after it
  if (quietReason(ctx, incident, null) !== null) return wakeAfter(ctx, minute, { kind: 'grace', incident: id, run, asked: nextSeq(ctx) });
  const playbook = runOf(ctx, run)?.playbook.name ?? run;
  page(ctx, incident, `playbook ${playbook} is done, yet ${incident.firing} of ${incident.members} alerts still fire`, null);
}
