// What an alert storm speaks for: incidents that began in its window. Their pages stop ringing, and one page speaks for all of them.
// Decides who belongs under the storm and who no longer does; who has an incident and what that covers is taken.ts.
//   S1  When a storm begins it adopts what began in its window and nobody has; what still settles then is asked when it has settled.
//   S2  It speaks for nothing that is worse than itself, that is critical and of another rule than those that make the storm, or that its
//       acknowledgement does not cover; and for nothing while it calls nobody itself. Such an incident calls people by itself, and rings
//       anew when it had been adopted.
//   S3  A person's word about the storm (taken, taken over, given back) is about all that it speaks for; a source's is about its alerts.
//   S4  At most so many are adopted; the others ring on by themselves.
import { isFiring, type Alert } from '../alert/row.ts';
import { severityRank, worstOf } from '../alert/severity.ts';
import { emit, type TurnContext } from '../context.ts';
import { metaOf, minuteOf } from '../desk.ts';
import { reword } from '../incident/called.ts';
import { childrenCount, childrenOf, incidentOf, type Incident, type News } from '../incident/row.ts';
import { muteOf } from '../mute/mute.ts';
import { hushPage } from '../page/ring.ts';
import { pageOf } from '../page/row.ts';
import { second } from '../time.ts';
import type { Decision } from './facts.ts';
import { askAgain } from './remedy.ts';
import { briefOf, coveredNow, firingOf, loudest, newsOf } from './taken.ts';

const adoptedMax = 1_000;
/** Alerts that are looked at to say which rules make a storm. */
const alertsAsked = 500;
/** A rule that has this share of a storm's alerts makes it, and more than one of them. */
const commonShare = 0.1;
/** After the storm has ended, what it spoke for has so long to end with it before it rings anew. */
const recoveryMs = 15 * second;

/** An incident has begun: if it is a storm, it adopts what began in its window (S1). */
export function adoptWindow(ctx: TurnContext, id: string): void {
  const storm = incidentOf(ctx, id);
  if (storm?.storm !== true) return;
  const found = windowOf(ctx, storm);
  const common = rulesOf(ctx, [storm, ...found]);
  const related = found.filter((incident) => isRelated(ctx, incident, common));
  lift(ctx, storm, related);
  for (const incident of related) adopt(ctx, id, incident);
  const now = incidentOf(ctx, id) ?? storm;
  const adopted = new Set(related);
  for (const incident of found) if (!adopted.has(incident) && !isAbove(ctx, incident, now, common)) adopt(ctx, id, incident);
  reword(ctx, id);
}

/** It has settled, and nobody was called for it: the storm that rose meanwhile may speak for it. */
export function adoptLate(ctx: TurnContext, id: string): void {
  const storm = incidentOf(ctx, metaOf(ctx.desk).storm);
  const incident = incidentOf(ctx, id);
  if (storm === undefined || incident === undefined || storm.id === id || incident.parent !== null) return;
  if (Math.abs(storm.lifeAt - incident.lifeAt) > ctx.policy.storm.withinMs) return;
  if (childrenCount(ctx, storm.id) >= adoptedMax) return; // S4
  const children = childrenOf(ctx, storm.id).flatMap((child) => incidentOf(ctx, child) ?? []);
  const common = rulesOf(ctx, [storm, ...children, incident]);
  const related = isRelated(ctx, incident, common);
  if (related && storm.taken === undefined) {
    lift(ctx, storm, [incident]);
    ctx.toDeliberate.add(storm.id);
  }
  if (!isAbove(ctx, incident, incidentOf(ctx, storm.id) ?? storm, common))
    emit(ctx, { type: 'IncidentNested', incident: id, parent: storm.id });
}

/** Somebody takes the storm, or takes it over: all that it speaks for, as it is known now (S3). */
export function takeChildren(ctx: TurnContext, storm: string, { by, via }: { readonly by: string; readonly via: string }): void {
  for (const id of childrenOf(ctx, storm)) {
    const child = incidentOf(ctx, id);
    ctx.toDeliberate.add(id);
    if (via === 'source' || child === undefined || (child.state === 'acknowledged' && child.taken?.storm !== storm)) continue;
    const from = child.taken === undefined ? {} : { from: child.taken.by };
    emit(ctx, { type: 'IncidentAcknowledged', incident: id, by, via, covers: coveredNow(ctx, child, via), ...from, storm });
    const page = pageOf(ctx, child.page);
    if (page !== undefined) hushPage(ctx, page, { by, via, storm });
  }
}

/** The storm has come to call nobody, or somebody again: what it speaks for is asked anew (S2). */
export function tellChildren(ctx: TurnContext, storm: Incident, decision: Decision): void {
  if (!calls(storm, decision)) for (const child of childrenOf(ctx, storm.id)) ctx.toDeliberate.add(child);
}

/** The incident as it is once the storm above it has been asked whether it still speaks for it; `arrived` is what raised the question (S2). */
export function outOfStorm(ctx: TurnContext, incident: Incident, arrived: string | null): Incident {
  if (incident.parent === null) return incident;
  const news = newsAbove(ctx, incident, arrived);
  if (news === null) return incident;
  const { kind, text: reason, about } = news;
  const { id, parent } = incident;
  emit(ctx, { type: 'IncidentUnnested', incident: id, parent, kind, reason, ...(about === undefined ? {} : { about }) });
  return incidentOf(ctx, incident.id) ?? incident;
}

/** Whether alerts of this rule make the storm. */
export function makesStorm(ctx: TurnContext, storm: Incident, rule: string): boolean {
  const children = childrenOf(ctx, storm.id).flatMap((id) => incidentOf(ctx, id) ?? []);
  return isCommon(rulesOf(ctx, [storm, ...children]), rule);
}

/** Why the storm does not speak for it any more, or null. */
function newsAbove(ctx: TurnContext, incident: Incident, arrived: string | null): News | null {
  const storm = incidentOf(ctx, incident.parent);
  const page = pageOf(ctx, incident.page);
  if (storm === undefined || storm.state === 'resolved') return page?.storm === undefined ? null : afterStorm(ctx, incident, storm);
  if (incident.news !== undefined) return incident.news;
  const name = `the alert storm ${storm.id}`;
  if (page?.state === 'ringing') return { kind: 'unacknowledged', text: `it rings by itself, beside ${name}` };
  if (incident.state === 'acknowledged') return null; // what that covers was asked already
  const rest = `part of ${name} until now`;
  if (!calls(storm, storm.decision)) return { kind: 'unacknowledged', text: `${rest}, which calls nobody: ${storm.reason}` };
  const worst = loudest(ctx, incident);
  if (worst === null) return null;
  if (severityRank(worst.severity) > severityRank(storm.severity)) return { kind: 'risen', text: `${rest}; now ${briefOf(worst)}` };
  if (storm.taken !== undefined) return newsOf(ctx, { ...incident, taken: storm.taken }, arrived);
  return arrived === null ? null : strangerIn(ctx, incident, storm, arrived);
}

/** Something critical has come to it, of a rule that is neither the storm's nor one it had when the storm took it in. */
function strangerIn(ctx: TurnContext, incident: Incident, storm: Incident, arrived: string): News | null {
  const row = ctx.desk.tables.alerts.rows.get(arrived);
  if (row === undefined || row.alert.severity !== 'critical' || !isFiring(row.alert) || muteOf(ctx, row) !== null) return null;
  const { alert } = row;
  for (const { alert: other } of firingOf(ctx, incident)) {
    if (other.fingerprint !== arrived && other.name === alert.name && other.severity === 'critical') return null;
  }
  if (makesStorm(ctx, storm, alert.name)) return null;
  return { kind: 'joined', text: `part of the alert storm ${storm.id} until now; since then ${briefOf(alert)}`, about: arrived };
}

/** The storm is over, and this one, which rang before it, burns on. */
function afterStorm(ctx: TurnContext, incident: Incident, storm: Incident | undefined): News | null {
  if (incident.state === 'acknowledged') return null; // its acknowledgement lasts or times out
  const until = (storm?.resolvedAt ?? 0) + recoveryMs;
  if (ctx.at < until) {
    askAgain(ctx, incident, until - ctx.at);
    return null;
  }
  return { kind: 'unacknowledged', text: `the alert storm ${incident.parent ?? ''} is over, and it still burns` };
}

/** Whether the storm calls somebody, has called, or is about to. */
function calls({ state }: Incident, decision: Decision | null): boolean {
  return decision === 'suppress' ? false : decision !== 'record' || state === 'acknowledged';
}

/** Incidents whose life began within the storm's span before it, in the order in which they began; those that somebody has stay theirs. */
function windowOf(ctx: TurnContext, storm: Incident): readonly Incident[] {
  const since = storm.lifeAt - ctx.policy.storm.withinMs;
  const found: Incident[] = [];
  for (let at = minuteOf(storm.lifeAt); at >= minuteOf(since); at -= 1) {
    for (const id of ctx.desk.indexes.incidentsByMinute.get(at) ?? []) {
      const incident = incidentOf(ctx, id);
      if (incident === undefined || incident.state !== 'open' || incident.storm || incident.parent !== null) continue;
      // What a playbook works on is asked when it has settled.
      if (incident.lifeAt >= since && incident.news === undefined && incident.run === null) found.push(incident);
    }
  }
  return found.toSorted((a, b) => a.lifeAt - b.lifeAt || (a.id < b.id ? -1 : 1)).slice(0, adoptedMax); // S4
}

/** The storm speaks as loud as what it speaks for. */
function lift(ctx: TurnContext, storm: Incident, children: readonly Incident[]): void {
  const loudestOf = worstOf(
    storm.severity,
    children.map(({ severity }) => severity),
  );
  const score = children.reduce((best, { score: one }) => (one.value > best.value ? one : best), storm.score);
  if (loudestOf === storm.severity && score === storm.score) return;
  const { id, title, root, settled } = storm;
  emit(ctx, { type: 'IncidentChanged', incident: id, severity: loudestOf, title, root, score, settled });
}

function adopt(ctx: TurnContext, storm: string, { id, page: pageId }: Incident): void {
  emit(ctx, { type: 'IncidentNested', incident: id, parent: storm });
  const page = pageOf(ctx, pageId);
  if (page?.state === 'ringing') hushPage(ctx, page, { by: `alert storm ${storm}`, via: 'storm', storm });
  ctx.toDeliberate.add(id);
}

/** Worse than the storm, or critical and of no rule that makes it. */
function isAbove(ctx: TurnContext, incident: Incident, storm: Incident, common: Rules): boolean {
  const worst = loudest(ctx, incident);
  if (worst === null) return false;
  return severityRank(worst.severity) > severityRank(storm.severity) || (worst.severity === 'critical' && !isCommon(common, worst.name));
}

/** What is worst about it is of a rule that makes the storm. */
function isRelated(ctx: TurnContext, incident: Incident, common: Rules): boolean {
  const worst = loudest(ctx, incident);
  return worst !== null && isCommon(common, worst.name);
}

interface Rules {
  readonly counts: ReadonlyMap<string, number>;
  readonly all: number;
  /** How many of them are of a rule that makes the storm. */
  readonly made: number;
}

/** How many firing alerts each rule has in a storm and in what it speaks for; out of the first so many. */
function rulesOf(ctx: TurnContext, incidents: readonly Incident[]): Rules {
  const counts = new Map<string, number>();
  let all = 0;
  count: for (const incident of incidents) {
    for (const { alert } of firingOf(ctx, incident)) {
      if (all >= alertsAsked) break count;
      counts.set(alert.name, (counts.get(alert.name) ?? 0) + 1);
      all += 1;
    }
  }
  let made = 0;
  for (const count of counts.values()) if (makes(count, all)) made += count;
  return { counts, all, made };
}

function makes(count: number, all: number): boolean {
  return count > 1 && count >= all * commonShare;
}

/** A rule that makes the storm; where no rule does, for it is a mix of many, each belongs to it as much as the others. */
function isCommon({ counts, all, made }: Rules, name: Alert['name']): boolean {
  return made * 2 < all || makes(counts.get(name) ?? 0, all);
}
