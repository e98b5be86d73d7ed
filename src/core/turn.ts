// The gateway: one input, one turn, all facts. Pure: same desk, input, rules and offset, same facts.
// Reads like a table of contents; the thinking is in the files it names.
//   T1  A turn's facts are a function of the desk's rows, the input and the rules, whatever the order of rows in memory.
//   T2  Time on a desk goes back only when it is said that its clock had run ahead (clock/correct.ts); an input stamped earlier is taken
//       to come now, and a wake to come when it was due at the earliest: waits run on a steady clock, so time passes here even where the
//       wall clock was set back.
//   T3  A redelivered event, a stale wake, an answer nobody awaits: no fact that acts.
import { seeAlert } from './alert/arrival.ts';
import { newBudget } from './alert/labels.ts';
import { alertWakes } from './alert/steady.ts';
import { correctedTime, setBack } from './clock/correct.ts';
import { emit, type DecisionContext, type TurnContext } from './context.ts';
import { deliberate } from './decide/deliberate.ts';
import { acknowledge, answerRun, apply, resolveByHand, unacknowledge } from './decide/people.ts';
import { onTold } from './decide/told.ts';
import { decideWakes } from './decide/wakes.ts';
import { timeOf, worldOf, type Desk } from './desk.ts';
import { assertNever } from './errors.ts';
import type { Acked } from './incident/facts.ts';
import { rewordMoved } from './incident/called.ts';
import { leaseWakes } from './incident/leases.ts';
import { incidentWakes } from './incident/life.ts';
import { incidentOf, untilThaw } from './incident/row.ts';
import { matchStepsATurn } from './mute/mute.ts';
import { sourceMuteWakes } from './mute/ends.ts';
import { setSilence, silenceWakes } from './mute/silence.ts';
import { frozenAt, frozenWith } from './playbook/freeze.ts';
import { toldWith } from './page/bundle.ts';
import type { NotifyAnswered, NotifyClaimed } from './page/facts.ts';
import { onNotifyAnswered, onNotifyClaimed, pageWakes } from './page/ring.ts';
import type { Fact, Input } from './records.ts';
import type { ResourceReturned, ResourceTold, ResourceWanted } from './resource/facts.ts';
import { onReturned, onWanted, resourceWakes } from './resource/resource.ts';
import type { ApprovalAnswer } from './run/approval.ts';
import { queue } from './run/calls.ts';
import type { Approved, Denied, StepAnswered, StepClaimed, StepDelayed } from './run/facts.ts';
import { onAnswered, onClaimed, runWakes } from './run/program.ts';
import type { Instant } from './time.ts';
import type { Wake, WakeHandlers } from './wakes.ts';

/** Incidents of one scope that a thaw wakes in its own turn; those beyond look again by themselves within seconds. */
const thawedMax = 200;

/** Decides about one input and folds every fact into the desk. `offset` is the input's place in the log. */
export function turn(desk: Desk, input: Input, rules: DecisionContext, offset: number): Fact[] {
  const due = input.type === 'Woke' ? (desk.tables.wakes.rows.get(input.token)?.dueAt ?? 0) : 0;
  const at = input.type === 'ClockCorrected' ? correctedTime(desk, input) : timeOf(desk, Math.max(input.at, due)); // T2
  const ctx = begin(desk, at, rules, offset);
  handle(ctx, input);
  return finish(ctx);
}

/** Decides about everything that was raised, and says of what has moved what it is called now. */
function finish(ctx: TurnContext): Fact[] {
  for (const incident of ctx.toDeliberate) deliberate(ctx, incident, null);
  rewordMoved(ctx);
  return ctx.facts;
}

function begin(desk: Desk, at: Instant, { policy, frozen, installation, expressions }: DecisionContext, offset: number): TurnContext {
  return {
    policy,
    frozen: frozenAt(frozen, timeOf(desk, at)),
    installation,
    expressions,
    desk,
    at,
    offset,
    facts: [],
    toDeliberate: new Set(),
    matching: newBudget(matchStepsATurn),
  };
}

/** The partition's own desk, scope `*`: policy, freeze, and the name of the installation, which the first naming decides for good. */
export function turnWorld(desk: Desk, input: Input, rules: DecisionContext, offset: number): Fact[] {
  const ctx = begin(desk, timeOf(desk, input.at), rules, offset);
  if (input.type === 'PolicyPublished') {
    if (worldOf(desk).policy?.digest !== input.policy.digest) emit(ctx, { type: 'PolicyAdopted', policy: input.policy });
  } else if (input.type === 'InstallationNamed') {
    if (worldOf(desk).installation === null) emit(ctx, { type: 'InstallationAdopted', installation: input.installation });
  } else if (input.type === 'CommandGiven' && input.command.name === 'freeze') {
    const { reason, until = null } = input.command;
    emit(ctx, { type: 'FreezeChanged', frozen: frozenWith(worldOf(desk).frozen, { by: input.by, reason, at: ctx.at, until }) });
  } else if (input.type === 'CommandGiven' && input.command.name === 'thaw') {
    if (worldOf(desk).frozen !== null) emit(ctx, { type: 'FreezeChanged', frozen: null });
  }
  return ctx.facts;
}

/** The emergency stop was lifted: what it held goes on at once, the longest waiting first. `offset` is the place of the command. */
export function turnThawed(desk: Desk, at: Instant, rules: DecisionContext, offset: number): Fact[] {
  const waiting = [...(desk.indexes.waiting.get(untilThaw) ?? [])].map((id) => desk.tables.incidents.rows.get(id));
  if (waiting.length === 0) return [];
  const ctx = begin(desk, at, rules, offset);
  const inOrder = waiting.filter((incident) => incident !== undefined).sort((a, b) => a.lifeAt - b.lifeAt || (a.id < b.id ? -1 : 1));
  for (const { id } of inOrder.slice(0, thawedMax)) ctx.toDeliberate.add(id);
  return finish(ctx);
}

function handle(ctx: TurnContext, input: Input): void {
  switch (input.type) {
    case 'AlertSeen':
      return seeAlert(ctx, input);
    case 'AlertsHidden':
      return emit(ctx, { type: 'AlertsMissing', endpoint: input.endpoint, group: input.group, count: input.count });
    case 'StepClaimed':
    case 'StepDelayed':
    case 'StepAnswered':
    case 'NotifyClaimed':
    case 'NotifyAnswered':
      return hearWorker(ctx, input);
    case 'Acked':
      return onAcked(ctx, input);
    case 'Unacked':
      return unacknowledge(ctx, input.incident, input);
    case 'Resolved':
      return resolveByHand(ctx, input.incident, input);
    case 'Approved':
    case 'Denied':
      return answerRun(ctx, input.run, answerOf(input));
    case 'ResourceWanted':
    case 'ResourceReturned':
    case 'ResourceTold':
      return hear(ctx, input);
    case 'CommandGiven':
      return apply(ctx, input);
    case 'SilenceSet':
      return setSilence(ctx, input.silence, input.at);
    case 'ClockCorrected':
      return setBack(ctx, input);
    case 'Woke':
      return wake(ctx, input.token);
    case 'PolicyPublished':
    case 'InstallationNamed':
      return;
    default:
      assertNever(input);
  }
}

function answerOf(input: Approved | Denied): ApprovalAnswer {
  const { by, via } = input;
  return { approved: input.type === 'Approved', by, via, note: input.type === 'Denied' ? input.note : '' };
}

/** A word about a page that is not the incident's any more means nothing; else it is about all that was told with it. */
function onAcked(ctx: TurnContext, input: Acked): void {
  if (input.page !== undefined && incidentOf(ctx, input.incident)?.page !== input.page) return;
  const { incident, page } = input;
  for (const each of [incident, ...(page === undefined ? [] : toldWith(ctx, page))]) acknowledge(ctx, each, input);
}

/** What a worker says of a call or of a notification. */
function hearWorker(ctx: TurnContext, input: StepClaimed | StepDelayed | StepAnswered | NotifyClaimed | NotifyAnswered): void {
  switch (input.type) {
    case 'StepClaimed':
      return onClaimed(ctx, input);
    case 'StepDelayed':
      return queue(ctx, input);
    case 'StepAnswered':
      return onAnswered(ctx, input);
    case 'NotifyClaimed':
      return onNotifyClaimed(ctx, input);
    case 'NotifyAnswered':
      return onNotifyAnswered(ctx, input);
    default:
      assertNever(input);
  }
}

/** What one desk says to another (resource/message.ts). */
function hear(ctx: TurnContext, input: ResourceWanted | ResourceReturned | ResourceTold): void {
  switch (input.type) {
    case 'ResourceWanted':
      return onWanted(ctx, input);
    case 'ResourceReturned':
      return onReturned(ctx, input);
    case 'ResourceTold':
      return onTold(ctx, input);
    default:
      assertNever(input);
  }
}

/** A wait is over: the noun that asked for it decides what follows. */
function wake(ctx: TurnContext, token: string): void {
  const row = ctx.desk.tables.wakes.rows.get(token);
  if (row === undefined) return; // T3
  emit(ctx, { type: 'WakeSpent', token });
  // The table pairs each kind with the function for that very kind; the compiler does not see it through an index.
  const handler = wakeHandlers[row.wake.kind] as (ctx: TurnContext, wake: Wake) => void;
  handler(ctx, row.wake);
}

const wakeHandlers: WakeHandlers<Wake['kind']> = {
  ...alertWakes,
  ...leaseWakes,
  ...incidentWakes,
  ...decideWakes,
  ...runWakes,
  ...resourceWakes,
  ...pageWakes,
  ...sourceMuteWakes,
  ...silenceWakes,
};
