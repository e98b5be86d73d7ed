// What to do about an incident now: let a playbook work, page, wait, stay quiet, or just keep the record; always with the reason.
// Called whenever something about the incident moved; saying the same twice is silent.
//   B1  A person is paged only when no playbook may help, one failed, was refused, or takes too long; and at most once in a life.
//   B2  What is muted, unconfirmed, acknowledged or part of a storm pages nobody by itself.
import { severityRank } from '../alert/severity.ts';
import { emit, nextSeq, wakeAfter, type TurnContext } from '../context.ts';
import { idOf } from '../ids.ts';
import { resolve } from '../incident/life.ts';
import { incidentOf, type Incident } from '../incident/row.ts';
import { isInDoubt } from '../mute/suppression.ts';
import { openPage, ringAgain } from '../page/ring.ts';
import { pageOf } from '../page/row.ts';
import { ends } from '../run/ends.ts';
import { start } from '../run/program.ts';
import { playbookOf, runOf } from '../run/row.ts';
import { second, spanOf, type Millis } from '../time.ts';
import { choose, type Choice } from './choose.ts';
import type { Decision } from './facts.ts';
import { isPassing, refusalOf } from './guards.ts';
import { plan } from './plan.ts';
import { quietReason } from './quiet.ts';

const askAgainMs = 15 * second;

/** Decides about an incident; `arrived` is the alert that raised the question, null when time or people did. */
export function deliberate(ctx: TurnContext, id: string, arrived: string | null): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state === 'resolved') return;
  if (incident.firing === 0 && incident.members > 0 && incident.run === null && !isInDoubt(incident)) return resolveCleared(ctx, incident);
  const quiet = quietReason(ctx, incident, arrived);
  if (quiet !== null) return decide(ctx, incident, quiet[0], quiet[1]);
  const working = runOf(ctx, incident.run);
  if (working !== undefined) return whileWorking(ctx, incident, playbookOf(ctx.desk, working).name, working.startedAt);
  const helpless = incident.outcome !== null && !ends[incident.outcome.end].helped;
  const choice: Choice = helpless || incident.storm ? { kind: 'none' } : choose(ctx, incident, arrived);
  if (choice.kind === 'wait') askAgain(ctx, incident, choice.waitMs);
  if (choice.kind === 'match' && act(ctx, incident, choice)) return;
  const fresh = incidentOf(ctx, id) ?? incident;
  if (choice.kind === 'match' && fresh.tried.length > incident.tried.length && fresh.run === null && fresh.outcome === incident.outcome) {
    return deliberate(ctx, id, arrived); // a shadow run took its turn; others may follow. `tried` grows, so this ends.
  }
  pageOrNot(ctx, fresh, choice, arrived);
}

function decide(ctx: TurnContext, incident: Incident, decision: Decision, reason: string): void {
  if (incident.decision === decision && incident.reason === reason) return;
  emit(ctx, { type: 'IncidentDecided', incident: incident.id, decision, reason });
}

function resolveCleared(ctx: TurnContext, incident: Incident): void {
  const { outcome } = incident;
  const credited = outcome !== null && ends[outcome.end].credited;
  const who = credited ? outcome.playbook : incident.sources.join(', ');
  resolve(ctx, incident.id, { by: credited ? 'playbook' : 'source', who, note: 'every alert cleared' });
}

function whileWorking(ctx: TurnContext, incident: Incident, playbook: string, since: number): void {
  const { holdOffMs } = ctx.policy;
  const tooLong = ctx.at - since >= holdOffMs && worthPaging(ctx, incident);
  if (incident.page === null && tooLong) {
    return page(ctx, incident, `playbook ${playbook} has been at work for ${spanOf(ctx.at - since)}`, null);
  }
  if (incident.page !== null) return decide(ctx, incident, 'page', `paged, while playbook ${playbook} works`);
  decide(ctx, incident, 'remediate', `playbook ${playbook} works on it`);
}

/** Starts the matching playbook, or writes down which guard refused it. True when nothing more is to be decided now. */
function act(ctx: TurnContext, incident: Incident, choice: Extract<Choice, { kind: 'match' }>): boolean {
  const { playbook } = choice;
  const planned = plan(ctx, playbook, choice.environment);
  const refusal = planned.ok ? refusalOf(ctx, incident, playbook, planned.value.target) : planned.error;
  if (refusal !== null && isPassing(refusal.guard) && ctx.at - incident.lifeAt < ctx.policy.holdOffMs) {
    askAgain(ctx, incident, askAgainMs);
    decide(ctx, incident, 'hold', `playbook ${playbook.name} waits: ${refusal.reason}`);
    return true;
  }
  if (refusal !== null || !planned.ok) {
    const { guard, target, reason } = refusal ?? { guard: 'params' as const, target: '', reason: '' };
    const run = idOf('r', ctx.desk.scope, nextSeq(ctx));
    emit(ctx, { type: 'RunRefused', run, incident: incident.id, playbook: playbook.name, mode: playbook.mode, target, guard, reason });
    return false;
  }
  start(ctx, incident, playbook, { ...planned.value, alerts: choice.alerts });
  const fresh = incidentOf(ctx, incident.id);
  if (fresh === undefined || fresh.run === null) return false;
  decide(ctx, fresh, 'remediate', `playbook ${playbook.name} works on it`);
  askAgain(ctx, incident, ctx.policy.holdOffMs);
  return true;
}

function askAgain(ctx: TurnContext, incident: Incident, afterMs: Millis): void {
  wakeAfter(ctx, afterMs, { kind: 'deliberate', incident: incident.id, asked: nextSeq(ctx) });
}

function pageOrNot(ctx: TurnContext, incident: Incident, choice: Choice, arrived: string | null): void {
  const { outcome } = incident;
  const answered = pageOf(ctx, incident.page)?.state === 'acked';
  if (answered && outcome !== null && ends[outcome.end].callsPerson) return page(ctx, incident, failureOf(outcome), null); // R3
  if (incident.page !== null) return decide(ctx, incident, 'page', incident.reason === '' ? 'paged' : incident.reason);
  if (outcome !== null && ends[outcome.end].helped) {
    return decide(
      ctx,
      incident,
      'hold',
      `playbook ${outcome.playbook} ${outcome.end === 'noop' ? 'found nothing to do' : 'verified'}; waits for the alerts to clear`,
    );
  }
  if (outcome !== null && incident.settled) return page(ctx, incident, failureOf(outcome), ladderOf(ctx, outcome.playbook));
  const { settleMs, holdOffMs } = ctx.policy;
  if (outcome !== null) return decide(ctx, incident, 'hold', `watched for ${spanOf(settleMs)} before it is paged: ${outcome.reason}`);
  if (choice.kind === 'wait' && ctx.at + choice.waitMs - incident.lifeAt <= Math.max(holdOffMs, settleMs)) {
    return decide(ctx, incident, 'hold', `playbook ${choice.playbook} acts if it lasts`);
  }
  if (!worthPaging(ctx, incident)) {
    const { severity, score } = ctx.policy.paging;
    return decide(ctx, incident, 'record', `below the paging rule: pages from severity ${severity} and score ${score} on`);
  }
  if (!incident.settled) return decide(ctx, incident, 'hold', `watched for ${spanOf(settleMs)} before it is paged`);
  if (arrived !== null) return deliberate(ctx, incident.id, null); // B1: none helps with this alert; one may with another
  page(ctx, incident, incident.storm ? 'playbooks do not act in an alert storm' : 'no playbook helps with it', null);
}

function failureOf({ end, playbook, reason }: NonNullable<Incident['outcome']>): string {
  return `playbook ${playbook} ${end === 'refused' ? 'was refused' : `ended ${end}`}: ${reason}`;
}

function worthPaging(ctx: TurnContext, incident: Incident): boolean {
  const { severity, score } = ctx.policy.paging;
  return severityRank(incident.severity) >= severityRank(severity) && incident.score.value >= score;
}

function ladderOf(ctx: TurnContext, playbook: string): string | null {
  return ctx.policy.playbooks.find(({ name }) => name === playbook)?.escalate.ladder ?? null;
}

/** Pages for an incident, once in its life; a page that was only answered, as an approval is, rings again for a new reason. */
export function page(ctx: TurnContext, incident: Incident, reason: string, ladder: string | null): void {
  if (incident.decision === 'page' && incident.reason === reason) return; // B1
  const open = pageOf(ctx, incident.page);
  if (open !== undefined && open.state !== 'acked') return;
  decide(ctx, incident, 'page', reason);
  if (open === undefined) openPage(ctx, incident, { reason, ladder, kind: 'page' });
  else ringAgain(ctx, open, reason);
}
