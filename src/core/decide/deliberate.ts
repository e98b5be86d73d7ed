// What to do about an incident now: let a playbook work, page, wait, stay quiet, or just keep the record; always with the reason.
// Called whenever something about the incident moved; saying the same twice is silent.
//   B1  A person is paged only when no playbook may help, one failed, was refused, or takes too long; and at most once in a life.
//   B3  Nobody is paged while a playbook that fits was not asked (remedy.ts), and nothing that was learned keeps a page from coming in time.
//   B2  What is muted, unconfirmed, acknowledged or part of a storm pages nobody by itself.
//   B4  What is worse than what a page rang for rings anew (anew.ts), and so does what an acknowledgement does not cover (taken.ts).
//   B5  Before any policy is in force nothing is decided for good, since nobody knows yet who is to be called: it is asked again until one is.
//       A log holds such alerts when the first gateway of an installation only takes in.
import { isFiring, type AlertRow } from '../alert/row.ts';
import { severityRank } from '../alert/severity.ts';
import { emit, type TurnContext } from '../context.ts';
import { resolve } from '../incident/life.ts';
import { incidentOf, isDelegated, isInDoubt, type Incident, type Remedied } from '../incident/row.ts';
import { ringDropped } from '../page/climb.ts';
import { openPage, ringAgain } from '../page/ring.ts';
import { pageOf } from '../page/row.ts';
import { ends } from '../run/ends.ts';
import { playbookOf, runOf, type Run } from '../run/row.ts';
import { lowering, unlearnedScore } from '../score/score.ts';
import { second, spanOf, type Instant } from '../time.ts';
import { outOfStorm, tellChildren } from './adopt.ts';
import { ringAnew } from './anew.ts';
import type { Decision } from './facts.ts';
import { flapNews, flappedText, isHeldByFlapping } from './flaps.ts';
import { refreshHeld } from './held.ts';
import { overdueOf } from './overdue.ts';
import { quietReason } from './quiet.ts';
import { askAgain, boundOf, holdOffOf, remedy, type Remedies } from './remedy.ts';
import { isGraveNow, newsOf, pages, release } from './taken.ts';
import { playbookNamed } from './triggers.ts';

/** After a member has cleared, the rest has so long to follow before a person is called for it. */
const recoveryMs = 15 * second;

const nobody: Remedies = { started: false, asking: null, held: [], waitsFor: [], wait: null };

/** How long what came before any configuration waits until it is asked again. */
const policyAgainMs = 10 * second;

/** Decides about an incident; `arrived` is the alert that raised the question, null when time or people did. */
export function deliberate(ctx: TurnContext, id: string, arrived: string | null): void {
  const known = incidentOf(ctx, id);
  if (known === undefined || known.state === 'resolved') return;
  refreshHeld(ctx, id);
  const incident = outOfStorm(ctx, renewed(ctx, incidentOf(ctx, id) ?? known, arrived), arrived);
  if (incident.firing === 0 && incident.members > 0 && incident.run === null && !isInDoubt(incident)) {
    if (isHeldByFlapping(incident)) return decide(ctx, incident, 'hold', 'it flaps: watched until it is steady');
    return resolveCleared(ctx, incident);
  }
  if (ctx.policy.digest === '') return waitForPolicy(ctx, incident, arrived);
  const quiet = quietReason(ctx, incident, arrived);
  if (quiet !== null) return decide(ctx, incident, quiet[0], quiet[1]);
  ringAnew(ctx, incident, arrived);
  ringDropped(ctx, pageOf(ctx, incident.page));
  if (incident.news?.kind === 'unacknowledged' && isAnswered(ctx, incident)) return page(ctx, incident, incident.news.text, null);
  const working = runOf(ctx, incident.run);
  if (working !== undefined) return whileWorking(ctx, incident, working);
  const stopped = incident.storm || (incident.outcome !== null && ends[incident.outcome.end].stops);
  const isCalling = incident.page === null && worthOf(ctx, incident) !== 'no';
  const asked = stopped ? nobody : remedy(ctx, incident, arrived, isCalling);
  const fresh = incidentOf(ctx, id) ?? incident;
  if (asked.started) return decide(ctx, fresh, 'remediate', `playbook ${workingName(ctx, fresh)} works on it`);
  if (asked.asking !== null) return decide(ctx, fresh, 'remediate', asked.asking);
  if (asked.wait !== null) askAgain(ctx, fresh, asked.wait.waitMs);
  pageOrNot(ctx, fresh, asked, arrived);
}

function workingName(ctx: TurnContext, { run: id }: Incident): string {
  const run = runOf(ctx, id);
  return run === undefined ? '' : playbookOf(ctx.desk, run).name;
}

/** What has come since somebody took it and is worse, or new and worth a page, is nobody's (taken.ts); nor is what nobody mended in time. */
function renewed(ctx: TurnContext, incident: Incident, arrived: string | null): Incident {
  if (incident.state !== 'acknowledged') return incident;
  const news = newsOf(ctx, incident, arrived) ?? overdueOf(ctx, incident);
  if (news !== null) release(ctx, incident.id, { by: 'quench', via: '' }, news);
  return incidentOf(ctx, incident.id) ?? incident;
}

function isAnswered(ctx: TurnContext, incident: Incident): boolean {
  return pageOf(ctx, incident.page)?.state === 'acked';
}

function decide(ctx: TurnContext, incident: Incident, decision: Decision, reason: string, until: readonly string[] = []): void {
  if (incident.decision === decision && incident.reason === reason) return;
  if (incident.storm) tellChildren(ctx, incident, decision);
  emit(ctx, { type: 'IncidentDecided', incident: incident.id, decision, reason, ...(until.length === 0 ? {} : { waitsFor: until }) });
}

function resolveCleared(ctx: TurnContext, incident: Incident): void {
  const { outcome } = incident;
  const credited = outcome !== null && ends[outcome.end].credited;
  const who = credited ? outcome.playbook : incident.sources.join(', ');
  resolve(ctx, incident.id, { by: credited ? 'playbook' : 'source', who, note: 'every alert cleared' });
}

function whileWorking(ctx: TurnContext, incident: Incident, run: Run): void {
  const playbook = playbookOf(ctx.desk, run);
  const { name } = playbook;
  const worked = ctx.at - run.startedAt;
  const flaps = flapNews(ctx, incident);
  const tooLong = flaps !== null || worked >= holdOffOf(ctx, playbook) || ctx.at >= boundOf(ctx, incident, playbook);
  const isNews = incident.news !== undefined && isAnswered(ctx, incident);
  const needed = incident.page === null || isNews;
  // A run that asked was not begun for what has come since it was let act.
  if (needed && (tooLong || (isNews && run.approvedAt !== undefined)) && worthOf(ctx, incident) !== 'no') {
    return page(ctx, incident, `${flaps === null ? '' : `${flaps}; `}playbook ${name} has been at work for ${spanOf(worked)}`, null);
  }
  if (incident.page !== null) return decide(ctx, incident, 'page', `paged, while playbook ${name} works`);
  decide(ctx, incident, 'remediate', `playbook ${name} works on it`);
}

/** B5: what settles, or was asked about, asks again by itself; what merely comes once more does not. */
function waitForPolicy(ctx: TurnContext, incident: Incident, arrived: string | null): void {
  if (arrived === null) askAgain(ctx, incident, policyAgainMs);
  decide(ctx, incident, 'hold', 'nothing is configured yet: it is decided once the configuration is in force');
}

function pageOrNot(ctx: TurnContext, incident: Incident, asked: Remedies, arrived: string | null): void {
  const { outcome } = incident;
  const answered = isAnswered(ctx, incident);
  if (answered && incident.news !== undefined && (outcome === null || !ends[outcome.end].callsPerson)) {
    return page(ctx, incident, incident.news.text, null);
  }
  if (answered && outcome !== null && ends[outcome.end].callsPerson) return page(ctx, incident, failureOf(outcome), null); // R3
  if (incident.page !== null) return decide(ctx, incident, 'page', pagedFor(ctx, incident));
  const flaps = flapNews(ctx, incident);
  if (flaps !== null && severityRank(incident.severity) >= severityRank(ctx.policy.paging.severity))
    return page(ctx, incident, flaps, null);
  if (asked.held.length > 0) return decide(ctx, incident, 'hold', asked.held.join('; '), asked.waitsFor);
  const helped = outcome !== null && ends[outcome.end].helped;
  if (helped && unhelped(ctx, incident).length === 0) {
    const words = outcome.end === 'noop' ? 'found nothing to do' : 'verified';
    return decide(ctx, incident, 'hold', `playbook ${outcome.playbook} ${words}; waits for the alerts to clear`);
  }
  if (waitsFor(ctx, incident, asked)) return;
  if (outcome !== null && !helped && !outcome.misfit) {
    if (!incident.settled) return decide(ctx, incident, 'hold', `${watched(ctx)}: ${outcome.reason}`);
    return arrived === null ? page(ctx, incident, failureOf(outcome), ladderOf(ctx, outcome.playbook)) : deliberate(ctx, incident.id, null);
  }
  pageIfWorth(ctx, incident, asked, arrived);
}

/** Why it is paged; what was decided meanwhile and is no longer so (muted, taken) is no reason of it. */
function pagedFor(ctx: TurnContext, { decision, reason, page: id }: Incident): string {
  return (decision === 'page' ? reason : pageOf(ctx, id)?.reason) || 'paged';
}

/** No playbook works on it, none failed: a person is called if the rule says so, and not before the incident has settled. */
function pageIfWorth(ctx: TurnContext, incident: Incident, asked: Remedies, arrived: string | null): void {
  const { severity, score } = ctx.policy.paging;
  const worth = worthOf(ctx, incident);
  if (worth === 'no')
    return decide(ctx, incident, 'record', `below the paging rule: pages from severity ${severity} and score ${score} on`);
  if (!incident.settled) return decide(ctx, incident, 'hold', watched(ctx));
  if (arrived !== null) return deliberate(ctx, incident.id, null); // B1: none helps with this alert; one may with another
  if (worth === 'later')
    return holdUntil(ctx, incident, boundOf(ctx, incident), `${lowering(incident.score) ?? 'it is rarely needed'}; paged if it lasts`);
  const recovering = recoveringUntil(ctx, incident);
  if (ctx.at < recovering) return holdUntil(ctx, incident, recovering, 'it is recovering: watched a moment longer');
  const { outcome } = incident;
  if (outcome?.misfit === true) return page(ctx, incident, failureOf(outcome), null);
  const tooLate =
    asked.wait === null ? '' : `; ${asked.wait.playbook.name} acts in ${spanOf(asked.wait.waitMs)} at the earliest, beyond its hold-off`;
  page(
    ctx,
    incident,
    `${flappedText(ctx, incident)}${incident.storm ? 'playbooks do not act in an alert storm' : 'no playbook helps with it'}${tooLate}`,
    null,
  );
}

/** A playbook acts soon enough if things stay as they are. */
function waitsFor(ctx: TurnContext, incident: Incident, { wait }: Remedies): boolean {
  if (wait === null) return false;
  const until = incident.lifeAt + Math.max(holdOffOf(ctx, wait.playbook), ctx.policy.settleMs);
  if (ctx.at + wait.waitMs > until) return false;
  decide(ctx, incident, 'hold', `playbook ${wait.playbook.name} acts if it lasts`);
  return true;
}

function watched(ctx: TurnContext): string {
  return `watched for ${spanOf(ctx.policy.settleMs)} before it is paged`;
}

/** Holds and asks again at that time; once for one reason, however often it is asked meanwhile. */
function holdUntil(ctx: TurnContext, incident: Incident, until: Instant, reason: string): void {
  if (incident.decision !== 'hold' || incident.reason !== reason) askAgain(ctx, incident, until - ctx.at);
  decide(ctx, incident, 'hold', reason);
}

/** What recovers mostly recovers as a whole within moments; never beyond the bound of the first page (C12). */
function recoveringUntil(ctx: TurnContext, incident: Incident): Instant {
  let cleared = 0;
  if (incident.storm) return 0;
  for (const fingerprint of incident.listed) {
    const alert = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert;
    if (alert?.state === 'cleared') cleared = Math.max(cleared, alert.seenAt);
  }
  return Math.min(cleared + recoveryMs, boundOf(ctx, incident));
}

/** Listed alerts that call for somebody and that no playbook of this life put out or found well. */
function unhelped(ctx: TurnContext, incident: Incident): readonly AlertRow[] {
  const runs = incident.runs.map((id) => runOf(ctx, id)).filter((run) => run?.life === incident.life || run?.life === null);
  const helping = runs.filter((run) => run !== undefined && run.end !== null && ends[run.end].helped && run.because === undefined);
  if (helping.some((run) => run?.alerts.length === 0)) return [];
  const helped = new Set(helping.flatMap((run) => run?.alerts ?? []));
  const rows = incident.listed
    .filter((fingerprint) => !helped.has(fingerprint))
    .map((fingerprint) => ctx.desk.tables.alerts.rows.get(fingerprint));
  return rows.filter((row) => row !== undefined && isFiring(row.alert) && row.muted === null) as readonly AlertRow[];
}

function failureOf(outcome: Remedied): string {
  const all = [...(outcome.before ?? []), outcome];
  return all
    .map(({ end, playbook, reason }) => `playbook ${playbook} ${end === 'refused' ? 'was refused' : `ended ${end}`}: ${reason}`)
    .join('; ');
}

/**
 * Whether a person is to be called: `no` by the rule's severity and score; `later` when only what was learned keeps the score down, which
 * may hold a page up to its bound and never take it away (B3).
 */
function worthOf(ctx: TurnContext, incident: Incident): 'now' | 'later' | 'no' {
  const { score } = ctx.policy.paging;
  const left = incident.outcome !== null && ends[incident.outcome.end].helped ? unhelped(ctx, incident) : [];
  const isGrave = left.length > 0 ? left.some(({ alert }) => pages(ctx, alert)) : isGraveNow(ctx, incident);
  if (!isGrave) return 'no';
  if (incident.score.value >= score) return 'now';
  if (unlearnedScore(incident) < score) return 'no';
  return ctx.at >= boundOf(ctx, incident) ? 'now' : 'later';
}

function ladderOf(ctx: TurnContext, playbook: string): string | null {
  return playbookNamed(ctx, playbook)?.escalate.ladder ?? null;
}

/** Pages for an incident, once in its life; a page that was only answered, as an approval is, rings again for a new reason. */
export function page(ctx: TurnContext, incident: Incident, reason: string, ladder: string | null): void {
  if (incident.decision === 'page' && incident.reason === reason && incident.news === undefined) return; // B1
  const open = pageOf(ctx, incident.page);
  if (open !== undefined && open.state !== 'acked') return;
  if (isDelegated(incident)) release(ctx, incident.id, { by: 'quench', via: '' }, { kind: 'unacknowledged', text: reason });
  const { news, storm } = incidentOf(ctx, incident.id) ?? incident;
  const why = news === undefined || reason.startsWith(news.text) ? reason : `${news.text}; ${reason}`;
  decide(ctx, incident, 'page', why);
  const kind = news?.kind ?? (storm && open === undefined ? 'storm' : 'page');
  if (open === undefined) openPage(ctx, incident, { reason: why, ladder, kind });
  else ringAgain(ctx, open, { reason: why, kind, ...(news?.about === undefined ? {} : { about: news.about }) });
}
