// Asks the playbooks that answer an incident, one after the other, until one works on it.
//   M1  A playbook that does not fit (parameters, target) is not this incident's: the next is asked.
//   M2  A guard that can lift holds its alert until the hold-off is over; then the playbook is refused, and the next is asked.
//       Where a person is to be called it is the hold-off of the incident: a member that joins late, or is worse, puts no page off.
//   M3  A playbook is tried once for each target in a life of the incident; one that failed makes way for the next (run/ends.ts).
//   M4  Nobody waits for the `for` of a playbook that will do nothing: it is asked when its time has come, and a person is called as if it were not there.
import { severityRank } from '../alert/severity.ts';
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { idOf } from '../ids.ts';
import { incidentOf, releasedBy, triedAs, untilThaw, type Asked, type Incident } from '../incident/row.ts';
import type { Playbook } from '../playbook/document.ts';
import { start } from '../run/program.ts';
import { second, type Instant, type Millis } from '../time.ts';
import { wordOf } from './asking.ts';
import { candidates, matchedWith, type Candidate } from './choose.ts';
import { isPassing, refusalOf, type Refusal } from './guards.ts';
import { plan, type Plan } from './plan.ts';

const askAgainMs = 15 * second;
const wouldBeCharsMax = 300;

/** What came of asking. */
export interface Remedies {
  readonly started: boolean;
  /** The playbook that waits for nothing but the word of its resource, in words. */
  readonly asking: string | null;
  /** Why playbooks that match wait, the most preferred first. */
  readonly held: readonly string[];
  /** What must be released for them to go on at once. */
  readonly waitsFor: readonly string[];
  /** The playbook that acts soonest if things stay as they are. */
  readonly wait: { readonly playbook: Playbook; readonly waitMs: Millis } | null;
}

/** How long a person waits for this playbook to help: its own hold-off, or the policy's. */
export function holdOffOf(ctx: TurnContext, playbook: Playbook | undefined): Millis {
  return playbook?.escalate.afterMs ?? ctx.policy.holdOffMs;
}

/** The latest moment of the first page of a life that pages (B3), whatever was learned and whatever waits. */
export function boundOf(ctx: TurnContext, incident: Incident, playbook?: Playbook): Instant {
  return incident.lifeAt + ctx.policy.settleMs + holdOffOf(ctx, playbook);
}

/** How long guards may hold a playbook while a person is still to be called: counted from when the incident came to call for one. */
function heldUntil(ctx: TurnContext, incident: Incident, playbook: Playbook): Instant {
  return Math.max(incident.lifeAt, callingSince(ctx, incident)) + ctx.policy.settleMs + holdOffOf(ctx, playbook);
}

/** When it rose to what pages: what pages already and gets worse is owed its page as before. At the latest when it became as severe as it is. */
function callingSince({ policy }: TurnContext, { lifeAt, risenAt = 0, rises = [] }: Incident): Instant {
  const { severity, score } = policy.paging;
  let since: Instant = 0;
  for (const rise of rises) {
    if (rise.at <= lifeAt) continue;
    if (severityRank(rise.from) >= severityRank(severity) && rise.score >= score) return since;
    since = rise.at;
  }
  return risenAt;
}

/** How long a guard that can lift may hold a playbook (M2). */
function holdsUntil(ctx: TurnContext, incident: Incident, { playbook, since }: Candidate, isCalling: boolean): Instant {
  const until = since + Math.max(ctx.policy.settleMs, holdOffOf(ctx, playbook));
  return isCalling ? Math.min(until, heldUntil(ctx, incident, playbook)) : until;
}

/** `isCalling`: the incident is to page somebody unless a playbook helps, and has not yet. */
export function remedy(ctx: TurnContext, incident: Incident, arrived: string | null, isCalling: boolean): Remedies {
  const held: string[] = [];
  const waitsFor = new Set<string>();
  const holding = new Set<string>();
  let wait: Remedies['wait'] = null;
  let asking: string | null = null;
  let idleMs: Millis = Infinity;
  for (const found of candidates(ctx, incident, arrived)) {
    const { playbook, fingerprint, waitMs } = found;
    if (holding.has(fingerprint)) continue;
    const planned = plan(ctx, playbook, found.environment);
    const key = triedAs(playbook.name, planned.ok ? planned.value.target : `?${fingerprint}`);
    if ((incidentOf(ctx, incident.id)?.tried ?? []).includes(key)) continue; // M3
    if (waitMs > 0) {
      if (!mayHelp(playbook)) idleMs = Math.min(idleMs, waitMs); // M4
      else if (wait === null || waitMs < wait.waitMs) wait = { playbook, waitMs };
      continue;
    }
    if (playbook.mode === 'shadow' && planned.ok) {
      watchOnceAnswered(ctx, incident, found, planned.value);
      continue;
    }
    const own = planned.ok ? refusalOf(ctx, incident, playbook, planned.value.target) : planned.error;
    const word = own === null && planned.ok ? wordOf(ctx, incidentOf(ctx, incident.id) ?? incident, found, planned.value.target) : null;
    const refusal = word === null ? own : word.is === 'granted' ? null : word.refusal;
    const until = Math.max(word?.is === 'open' ? word.until : 0, holdsUntil(ctx, incident, found, isCalling));
    if (refusal !== null && isPassing(refusal.guard) && ctx.at < until) {
      holding.add(fingerprint); // M2
      if (word?.is === 'open') asking ??= `playbook ${playbook.name} asks for ${refusal.target}`;
      held.push(`playbook ${playbook.name} waits: ${refusal.reason}`);
      for (const released of releasing(playbook, refusal)) waitsFor.add(released);
      askAgain(ctx, incident, Math.min(refusal.liftsInMs ?? askAgainMs, until - ctx.at));
    } else if (refusal !== null) refuse(ctx, incident, found, refusal);
    else if (planned.ok && word?.is === 'granted' && begin(ctx, incident, found, planned.value, word.asked))
      return { started: true, asking, held, waitsFor: [], wait };
  }
  if (idleMs < Infinity) askAgain(ctx, incident, idleMs);
  return { started: false, asking, held, waitsFor: [...waitsFor], wait };
}

/** Whether it would do anything once it is asked: in shadow it only says what it would, and what the lists refuse is refused then. */
function mayHelp({ mode, unlisted }: Playbook): boolean {
  return mode !== 'shadow' && unlisted === undefined;
}

export function askAgain(ctx: TurnContext, incident: Incident, afterMs: Millis): void {
  wakeAfter(ctx, afterMs, { kind: 'deliberate', incident: incident.id, asked: nextSeq(ctx) });
}

function releasing({ name }: Playbook, { guard, target }: Refusal): readonly string[] {
  const [lock, slot] = releasedBy(name, target);
  const key = guard === 'lock' ? lock : guard === 'concurrency' ? slot : guard === 'freeze' ? untilThaw : undefined;
  return key === undefined ? [] : [key];
}

function refuse(ctx: TurnContext, incident: Incident, { playbook, fingerprint: alert }: Candidate, refusal: Refusal): void {
  const { guard, target, reason } = refusal;
  const run = idOf('r', ctx.desk.scope, nextSeq(ctx));
  const { name, mode } = playbook;
  emit(ctx, { type: 'RunRefused', run, incident: incident.id, playbook: name, mode, target, guard, reason, alert });
}

/** A run that only watches asks what every other asks, the desks of its resource and group, too; where they keep still it begins without. */
function watchOnceAnswered(ctx: TurnContext, incident: Incident, found: Candidate, planned: Plan): void {
  const own = refusalOf(ctx, incident, found.playbook, planned.target);
  const word = own === null ? wordOf(ctx, incidentOf(ctx, incident.id) ?? incident, found, planned.target) : null;
  if (word?.is === 'open' && ctx.at < word.until) return askAgain(ctx, incident, word.until - ctx.at);
  watch(ctx, incident, found, planned, own ?? (word?.is === 'no' ? word.refusal : null));
}

/** Starts a run that only watches, and says what would refuse it. */
function watch(ctx: TurnContext, incident: Incident, found: Candidate, planned: Plan, refusal: Refusal | null): void {
  const asked = incidentOf(ctx, incident.id)?.asked?.find((one) => one.playbook === found.playbook.name && one.target === planned.target);
  const named = asked === undefined ? {} : { run: asked.run };
  const wouldBe = refusal === null ? {} : { wouldBe: `${refusal.guard}: ${refusal.reason}`.slice(0, wouldBeCharsMax) };
  start(ctx, incident, found.playbook, { ...planned, ...named, alerts: alertsOf(ctx, incident, found, planned), ...wouldBe });
}

/** Starts the run that was granted the target (A1); true when it works on the incident, which one that is over at once does not. */
function begin(ctx: TurnContext, incident: Incident, found: Candidate, planned: Plan, asked: Asked): boolean {
  const { playbook } = found;
  start(ctx, incident, playbook, {
    ...planned,
    alerts: alertsOf(ctx, incident, found, planned),
    run: asked.run,
    holdsUntil: ctx.at + asked.holdMs,
  });
  const fresh = incidentOf(ctx, incident.id);
  if (fresh === undefined || fresh.run === null) return false;
  const after = holdOffOf(ctx, playbook);
  askAgain(ctx, incident, Math.min(after, Math.max(0, boundOf(ctx, incident, playbook) - ctx.at)));
  return true;
}

/** All alerts that the playbook answers by acting on the same target. */
function alertsOf(ctx: TurnContext, incident: Incident, found: Candidate, planned: Plan): readonly string[] {
  const matched = matchedWith(ctx, incident, found).filter(({ environment }) => {
    const other = plan(ctx, found.playbook, environment);
    return other.ok && other.value.target === planned.target;
  });
  return matched.map(({ fingerprint }) => fingerprint);
}
