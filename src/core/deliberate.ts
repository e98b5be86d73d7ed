// What to do about an incident now: let a playbook work, page, wait, stay quiet, or just keep the record; always with the reason.
// Called whenever something about the incident moved; saying the same twice is silent.
//   B1  A person is paged only when no playbook may help, one failed, was refused, or takes too long; and at most once in a life.
//   B2  What is muted, unconfirmed, acknowledged or part of a storm pages nobody by itself.
import { severityRank } from './alert.ts';
import { choose, isPassing, plan, refusalOf, type Choice } from './choose.ts';
import type { Incident } from './desk.ts';
import { incidentOf, resolve } from './incident.ts';
import { emit, nextSeq, wakeAfter, type Turn } from './law.ts';
import { hushOf, isInDoubt } from './mute.ts';
import { openPage, pageOf, ringAgain } from './page.ts';
import type { Decision } from './records.ts';
import { runOf, start } from './run.ts';
import { idOf } from './ids.ts';
import { second, spanOf, type Millis } from './time.ts';

const askAgainMs = 15 * second;

/** Decides about an incident; `arrived` is the alert that raised the question, null when time or people did. */
export function deliberate(turn: Turn, id: string, arrived: string | null): void {
  const incident = incidentOf(turn, id);
  if (incident === undefined || incident.state === 'resolved') return;
  if (incident.firing === 0 && incident.members > 0 && incident.run === null && !isInDoubt(incident)) return resolveCleared(turn, incident);
  const quiet = quietReason(turn, incident, arrived);
  if (quiet !== null) return decide(turn, incident, quiet[0], quiet[1]);
  const working = runOf(turn, incident.run);
  if (working !== undefined) return whileWorking(turn, incident, working.playbook.name, working.startedAt);
  const helpless = incident.outcome !== null && incident.outcome.end !== 'succeeded' && incident.outcome.end !== 'noop';
  const choice: Choice = helpless || incident.storm ? { kind: 'none' } : choose(turn, incident, arrived);
  if (choice.kind === 'wait') askAgain(turn, incident, choice.waitMs);
  if (choice.kind === 'match' && act(turn, incident, choice)) return;
  const now = incidentOf(turn, id) ?? incident;
  if (choice.kind === 'match' && now.tried.length > incident.tried.length && now.run === null && now.outcome === incident.outcome) {
    return deliberate(turn, id, arrived); // a shadow run took its turn; others may follow. `tried` grows, so this ends.
  }
  pageOrNot(turn, now, choice, arrived);
}

function decide(turn: Turn, incident: Incident, decision: Decision, reason: string): void {
  if (incident.decision === decision && incident.reason === reason) return;
  emit(turn, { type: 'IncidentDecided', incident: incident.id, decision, reason });
}

function resolveCleared(turn: Turn, incident: Incident): void {
  const byPlaybook = incident.outcome?.end === 'succeeded' || incident.outcome?.end === 'degraded';
  const who = byPlaybook ? (incident.outcome?.playbook ?? '') : incident.sources.join(', ');
  resolve(turn, incident.id, { by: byPlaybook ? 'playbook' : 'source', who, note: 'every alert cleared' });
}

/** B2: why nobody needs to hear of it, or null. */
export function quietReason(turn: Turn, incident: Incident, arrived: string | null): readonly [Decision, string] | null {
  const parent = incidentOf(turn, incident.parent);
  if (parent !== undefined && parent.state !== 'resolved') return ['suppress', `part of ${parent.id}: ${parent.title}`];
  const muted = hushOf(turn, incident, arrived);
  if (muted !== null) return ['suppress', muted];
  return incident.state === 'acknowledged' ? ['record', 'a person has it'] : null;
}

function whileWorking(turn: Turn, incident: Incident, playbook: string, since: number): void {
  const { holdOffMs } = turn.law.policy;
  const tooLong = turn.at - since >= holdOffMs && worthPaging(turn, incident);
  if (incident.page === null && tooLong) {
    return page(turn, incident, `playbook ${playbook} has been at work for ${spanOf(turn.at - since)}`, null);
  }
  if (incident.page !== null) return decide(turn, incident, 'page', `paged, while playbook ${playbook} works`);
  decide(turn, incident, 'remediate', `playbook ${playbook} works on it`);
}

/** Starts the matching playbook, or writes down which guard refused it. True when nothing more is to be decided now. */
function act(turn: Turn, incident: Incident, choice: Extract<Choice, { kind: 'match' }>): boolean {
  const { playbook } = choice;
  const planned = plan(turn, playbook, choice.environment);
  const refusal = planned.ok ? refusalOf(turn, incident, playbook, planned.value.target) : planned.error;
  if (refusal !== null && isPassing(refusal.guard) && turn.at - incident.lifeAt < turn.law.policy.holdOffMs) {
    askAgain(turn, incident, askAgainMs);
    decide(turn, incident, 'hold', `playbook ${playbook.name} waits: ${refusal.reason}`);
    return true;
  }
  if (refusal !== null || !planned.ok) {
    const { guard, target, reason } = refusal ?? { guard: 'params' as const, target: '', reason: '' };
    const run = idOf('r', turn.desk.scope, nextSeq(turn));
    emit(turn, { type: 'RunRefused', run, incident: incident.id, playbook: playbook.name, mode: playbook.mode, target, guard, reason });
    return false;
  }
  start(turn, incident, playbook, planned.value);
  const now = incidentOf(turn, incident.id);
  if (now === undefined || now.run === null) return false;
  decide(turn, now, 'remediate', `playbook ${playbook.name} works on it`);
  askAgain(turn, incident, turn.law.policy.holdOffMs);
  return true;
}

function askAgain(turn: Turn, incident: Incident, afterMs: Millis): void {
  wakeAfter(turn, afterMs, { kind: 'deliberate', incident: incident.id, asked: nextSeq(turn) });
}

function pageOrNot(turn: Turn, incident: Incident, choice: Choice, arrived: string | null): void {
  const { outcome } = incident;
  const answered = pageOf(turn, incident.page)?.state === 'acked';
  if (answered && outcome !== null && !isKnownToPeople(outcome.end)) return page(turn, incident, failureOf(outcome), null); // R3
  if (incident.page !== null) return decide(turn, incident, 'page', incident.reason === '' ? 'paged' : incident.reason);
  if (outcome?.end === 'succeeded' || outcome?.end === 'noop') {
    return decide(
      turn,
      incident,
      'hold',
      `playbook ${outcome.playbook} ${outcome.end === 'noop' ? 'found nothing to do' : 'verified'}; waits for the alerts to clear`,
    );
  }
  if (outcome !== null && incident.settled) return page(turn, incident, failureOf(outcome), ladderOf(turn, outcome.playbook));
  const { settleMs, holdOffMs } = turn.law.policy;
  if (outcome !== null) return decide(turn, incident, 'hold', `watched for ${spanOf(settleMs)} before it is paged: ${outcome.reason}`);
  if (choice.kind === 'wait' && turn.at + choice.waitMs - incident.lifeAt <= Math.max(holdOffMs, settleMs)) {
    return decide(turn, incident, 'hold', `playbook ${choice.playbook} acts if it lasts`);
  }
  if (!worthPaging(turn, incident)) {
    const { severity, score } = turn.law.policy.paging;
    return decide(turn, incident, 'record', `below the paging rule: pages from severity ${severity} and score ${score} on`);
  }
  if (!incident.settled) return decide(turn, incident, 'hold', `watched for ${spanOf(settleMs)} before it is paged`);
  if (arrived !== null) return deliberate(turn, incident.id, null); // B1: none helps with this alert; one may with another
  page(turn, incident, incident.storm ? 'playbooks do not act in an alert storm' : 'no playbook helps with it', null);
}

function failureOf({ end, playbook, reason }: NonNullable<Incident['outcome']>): string {
  return `playbook ${playbook} ${end === 'refused' ? 'was refused' : `ended ${end}`}: ${reason}`;
}

/** Ends that help, and ends by a person's own word: whoever answered the page needs no call about them. */
function isKnownToPeople(end: NonNullable<Incident['outcome']>['end']): boolean {
  return end === 'succeeded' || end === 'noop' || end === 'denied' || end === 'cancelled';
}

function worthPaging(turn: Turn, incident: Incident): boolean {
  const { severity, score } = turn.law.policy.paging;
  return severityRank(incident.severity) >= severityRank(severity) && incident.score.value >= score;
}

function ladderOf(turn: Turn, playbook: string): string | null {
  return turn.law.policy.playbooks.find((one) => one.name === playbook)?.escalate.ladder ?? null;
}

/** Pages for an incident, once in its life; a page that was only answered, as an approval is, rings again for a new reason. */
export function page(turn: Turn, incident: Incident, reason: string, ladder: string | null): void {
  const said = incident.decision === 'page' && incident.reason === reason;
  if (said) return; // B1
  const open = pageOf(turn, incident.page);
  if (open !== undefined && open.state !== 'acked') return;
  decide(turn, incident, 'page', reason);
  if (open === undefined) openPage(turn, incident, { reason, ladder, kind: 'page' });
  else ringAgain(turn, open, reason);
}
