// Who has an incident, and what that covers: a source's acknowledgement covers the alert it names, a person's what was known then.
// What comes afterwards and is worse, or new and worth a page, is not covered: the incident is taken from whoever had it, and rings again.
//   K1  An incident is taken by its sources only when every firing alert of it that pages is acknowledged there.
//   K2  What was known is not news: repeats, and further members of a rule at a severity that was known, ring nobody again at once.
//   K8  What is muted when a person takes it is not known: nobody was told of it. When it is let go and is worth a page, it is news.
//   K3  What nobody knew when it was taken errs towards people: beyond what is remembered, an alert that pages is news.
import { isFiring, type Alert, type AlertRow } from '../alert/row.ts';
import { severityRank, type Severity } from '../alert/severity.ts';
import { emit, type TurnContext } from '../context.ts';
import { firingOf as firingIn } from '../desk.ts';
import { childrenOf, incidentOf, type Covered, type Incident, type News } from '../incident/row.ts';
import { muteOf } from '../mute/mute.ts';
import { textsFrom } from '../ordered.ts';
import { clockOf } from '../time.ts';

/** Members named one by one in what was known, and rules; of others than these nothing was known. */
const membersKnown = 100;
const rulesKnown = 50;
/** Members looked at for one question; a storm has more than anybody reads. */
const membersAsked = 1_000;

/** What is known of an incident now: the severity of firing members that nothing mutes, one by one and by rule. A source's word covers its alerts alone. */
export function coveredNow(ctx: TurnContext, incident: Incident, via: string): Covered {
  const members: [string, Severity][] = [];
  const rules = new Map<string, Severity>();
  for (const row of firingOf(ctx, incident)) {
    const { alert } = row;
    if (via === 'source' ? !alert.acknowledged : muteOf(ctx, row) !== null) continue; // K8
    if (members.length < membersKnown) members.push([alert.fingerprint, alert.severity]);
    if (via === 'source') continue;
    const before = rules.get(alert.name);
    if (before === undefined ? rules.size < rulesKnown : severityRank(alert.severity) > severityRank(before))
      rules.set(alert.name, alert.severity);
  }
  return { severity: incident.severity, members: Object.fromEntries(members), rules: Object.fromEntries(rules) };
}

/** The source that acknowledged, when every firing member that pages is acknowledged (K1); with more members than are asked, null. */
export function takenAtSource(ctx: TurnContext, incident: Incident): string | null {
  if (incident.firing > membersAsked) return null;
  let source: string | null = null;
  for (const row of firingOf(ctx, incident)) {
    const { alert } = row;
    if (alert.acknowledged) source ??= alert.source;
    else if (pages(ctx, alert) && muteOf(ctx, row) === null) return null;
  }
  return source;
}

/** What has come since an incident was taken and is not covered: the alert that arrived, else the first of its members, or null. */
export function newsOf(ctx: TurnContext, incident: Incident, arrived: string | null): News | null {
  if (arrived !== null) {
    const row = ctx.desk.tables.alerts.rows.get(arrived);
    return row === undefined ? null : newsIn(ctx, incident, row);
  }
  for (const row of firingOf(ctx, incident)) {
    const news = newsIn(ctx, incident, row);
    if (news !== null) return news;
  }
  return null;
}

function newsIn(ctx: TurnContext, incident: Incident, row: AlertRow): News | null {
  const { alert } = row;
  if (!isFiring(alert) || alert.acknowledged || !pages(ctx, alert)) return null;
  const known = severityKnown(incident, alert);
  if (known !== null && severityRank(alert.severity) <= severityRank(known)) return null; // K2
  if (muteOf(ctx, row) !== null) return null;
  return {
    kind: known === null ? 'joined' : 'risen',
    text: `${takenText(incident)}; since then ${briefOf(alert)}`,
    about: alert.fingerprint,
  };
}

/** How severe the alert was, or one of its rule, when the incident was taken; null when nothing like it was known (K3). */
function severityKnown({ taken, severity }: Incident, { fingerprint, name }: Alert): Severity | null {
  if (taken === undefined) return severity; // taken before it was remembered what that covers (0.1.0)
  const { members, rules } = taken.covers;
  if (Object.hasOwn(members, fingerprint)) return members[fingerprint] ?? null;
  return Object.hasOwn(rules, name) ? (rules[name] ?? null) : null;
}

/** Nobody has the incident any more; the deliberation that follows rings again, or lets a playbook try first. */
export function release(ctx: TurnContext, id: string, who: { readonly by: string; readonly via: string }, news: News): void {
  if (incidentOf(ctx, id)?.state !== 'acknowledged') return;
  const about = news.about === undefined ? {} : { about: news.about };
  emit(ctx, { type: 'IncidentUnacknowledged', incident: id, ...who, kind: news.kind, reason: news.text, ...about });
  if (incidentOf(ctx, id)?.storm !== true) return;
  ctx.toDeliberate.add(id); // the storm speaks first
  for (const child of childrenOf(ctx, id)) {
    if (incidentOf(ctx, child)?.taken?.storm !== id) continue; // whoever took it by itself has it
    emit(ctx, { type: 'IncidentUnacknowledged', incident: child, ...who, kind: news.kind, reason: news.text, storm: id });
    ctx.toDeliberate.add(child);
  }
}

/** `acknowledged by anna at 23:38 UTC`. */
export function takenText({ taken }: Incident): string {
  return taken === undefined ? 'acknowledged' : `acknowledged by ${taken.by} at ${clockOf(taken.at)}`;
}

/** `HostDown critical on k1`: an alert in half a line. */
export function briefOf({ name, severity, entity }: Alert): string {
  const place = entity.host ?? entity.service ?? entity.pod ?? '';
  return `${name} ${severity}${place === '' ? '' : ` on ${place}`}`;
}

/** The most severe firing member that nothing mutes, the earliest among equals; out of the first so many, and of as many critical ones. */
export function loudest(ctx: TurnContext, incident: Incident): Alert | null {
  return worstOf(ctx, incident, (row) => muteOf(ctx, row) === null);
}

function worstOf(ctx: TurnContext, incident: Incident, counts: (row: AlertRow) => boolean): Alert | null {
  const isAllAsked = incident.firing <= membersAsked;
  return (isAllAsked ? null : worstIn(criticalsOf(ctx, incident), counts)) ?? worstIn(firingOf(ctx, incident), counts);
}

function worstIn(members: Iterable<AlertRow>, counts: (row: AlertRow) => boolean): Alert | null {
  let worst: Alert | null = null;
  for (const row of members) if ((worst === null || isWorse(row.alert, worst)) && counts(row)) worst = row.alert;
  return worst;
}

/** More severe, or begun earlier at the same severity. */
export function isWorse(a: Alert, b: Alert): boolean {
  const by = severityRank(a.severity) - severityRank(b.severity);
  return by > 0 || (by === 0 && (a.startedAt < b.startedAt || (a.startedAt === b.startedAt && a.fingerprint < b.fingerprint)));
}

/** Whether anything of it that fires unmuted pages; what was worse and is no longer calls nobody. Where not all are asked, as it was (K3). */
export function isGraveNow(ctx: TurnContext, incident: Incident): boolean {
  const { storm, firing, severity } = incident;
  if (severityRank(severity) < severityRank(ctx.policy.paging.severity)) return false;
  if (storm || firing === 0 || firing > membersAsked) return true;
  for (const row of firingOf(ctx, incident)) if (pages(ctx, row.alert) && muteOf(ctx, row) === null) return true;
  return false;
}

/** How bad it is now: as bad as the worst of it that fires and that nothing mutes; a storm, and what does not fire, as bad as it was. */
export function severityNow(ctx: TurnContext, incident: Incident): Severity {
  return (incident.storm ? null : voiceOf(ctx, incident)?.severity) ?? incident.severity;
}

/** The alert by which an incident is called: the worst that fires and that nothing mutes, else the worst that fires; null while none does. */
export function voiceOf(ctx: TurnContext, incident: Incident): Alert | null {
  return loudest(ctx, incident) ?? worstOf(ctx, incident, () => true);
}

/** The same by what is written down of mutes, which asks no silence: at the end of a turn that is what holds. */
export function voiceWritten(ctx: TurnContext, incident: Incident): Alert | null {
  return worstOf(ctx, incident, ({ muted }) => muted === null) ?? worstOf(ctx, incident, () => true);
}

export function pages(ctx: TurnContext, alert: Alert): boolean {
  return severityRank(alert.severity) >= severityRank(ctx.policy.paging.severity);
}

/** Firing members, in the order in which they began to, the first so many. */
export function* firingOf(ctx: TurnContext, incident: Incident): Iterable<AlertRow> {
  for (const fingerprint of firingIn(ctx.desk, incident.id).values().take(membersAsked)) {
    const row = ctx.desk.tables.alerts.rows.get(fingerprint);
    if (row !== undefined && isFiring(row.alert)) yield row;
  }
}

/** Critical members that fire, however many others began before them: in that order, or by fingerprint where the first so many are not all. */
export function* criticalsOf(ctx: TurnContext, incident: Incident): Iterable<AlertRow> {
  if (incident.firing <= membersAsked) {
    for (const row of firingOf(ctx, incident)) if (row.alert.severity === 'critical') yield row;
    return;
  }
  const { tables, indexes } = ctx.desk;
  const critical = indexes.criticals.get(incident.id);
  if (critical === undefined) return;
  let asked = 0;
  for (const fingerprint of textsFrom(critical, '')) {
    if ((asked += 1) > membersAsked) return;
    const row = tables.alerts.rows.get(fingerprint);
    if (row !== undefined && isFiring(row.alert)) yield row;
  }
}
