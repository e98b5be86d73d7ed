// What an incident is called and how grave it is now: one answer for lists, the API and pages alike. A storm has words of its own
// (storm-title.ts). Where an alert belongs is place.ts, what is said in a page beside its title page/words.ts.
//   Y1  At the end of a turn that moved something of an incident its row, and so whoever reads of it, has the title and the severity that a
//       page would give it. A repeat that says nothing new moves nothing.
//   Y2  Of many alerts the count in the title is exact when a page rings, and within an eighth in between.
import type { Alert } from '../alert/row.ts';
import { emit, type TurnContext } from '../context.ts';
import { isWorse, voiceOf, voiceWritten } from '../decide/taken.ts';
import type { Fact } from '../records.ts';
import { incidentOf, type Incident } from './row.ts';
import { stormTitle } from './storm-title.ts';

const titleCharsMax = 200;
const moreWords = ' (and ';
/** Up to so many firing alerts each one more or less is a new title (Y2). */
const countedExactly = 32;

/** What is wrong, where its own words do not say on what, and how much fires besides. */
export function titleFor(alert: Alert, others: number): string {
  const place = alert.entity.host ?? alert.entity.service ?? '';
  const what = place === '' || alert.summary.includes(place) ? alert.summary : `${place}: ${alert.summary}`;
  const more = others > 0 ? `${moreWords}${others} more)` : '';
  return `${what.length + more.length <= titleCharsMax ? what : `${what.slice(0, titleCharsMax - more.length - 1)}…`}${more}`;
}

/** Title and severity of this moment, as a change of them says it. */
type Called = Pick<Incident, 'title' | 'now'>;

/**
 * By the worst alert that fires and that nothing mutes, else the worst that fires. Once nothing fires, by the worst that it had, and as
 * grave as it was. Of a storm the title of this moment, and as grave as what it speaks for.
 */
export function calledNow(ctx: TurnContext, incident: Incident, voice: typeof voiceOf = voiceOf): Called {
  if (incident.storm) return { title: stormTitle(ctx.desk, incident) };
  if (incident.firing > 0) {
    const alert = voice(ctx, incident);
    if (alert === null) return { title: incident.title };
    return { title: titleFor(alert, incident.firing - 1), ...(alert.severity === incident.severity ? {} : { now: alert.severity }) };
  }
  const listed = incident.listed.flatMap((fingerprint) => ctx.desk.tables.alerts.rows.get(fingerprint)?.alert ?? []);
  const had = listed.reduce<Alert | null>((worst, alert) => (worst === null || isWorse(alert, worst) ? alert : worst), null);
  return { title: had === null ? incident.title : titleFor(had, incident.members - 1) };
}

/** Says anew what it is called, where that has moved: exactly, when it is about to be told. */
export function reword(ctx: TurnContext, id: string): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || (incident.storm && incident.firing === 0)) return;
  const called = calledNow(ctx, incident);
  if (called.title !== incident.title || called.now !== incident.now) say(ctx, incident, called);
}

/** Y1: of every incident that this turn has moved; called at its end. A storm counts when it grows and when it rings. */
export function rewordMoved(ctx: TurnContext): void {
  for (const id of new Set(ctx.facts.flatMap(movedBy))) {
    const incident = incidentOf(ctx, id);
    if (incident === undefined || incident.storm) continue;
    const called = calledNow(ctx, incident, voiceWritten);
    if (!isSaid(incident, called)) say(ctx, incident, called);
  }
}

function say(ctx: TurnContext, { id, severity, root, score, settled }: Incident, called: Called): void {
  emit(ctx, { type: 'IncidentChanged', incident: id, severity, ...called, root, score, settled, words: true });
}

/** Whose title or severity the fact may have moved. */
function movedBy(fact: Fact): readonly string[] {
  if (fact.type === 'AlertMerged') return fact.alert === null || fact.alert.incident === null ? [] : [fact.alert.incident];
  if (fact.type === 'AlertMuted') return fact.incident === null ? [] : [fact.incident];
  return fact.type === 'AlertJoined' || fact.type === 'IncidentResolved' ? [fact.incident] : [];
}

/** It is called so already, or only the count differs, of many, and not by much (Y2). */
function isSaid({ firing, title, now }: Incident, called: Called): boolean {
  if (called.now !== now) return false;
  if (called.title === title) return true;
  const isRound = firing % 2 ** Math.max(0, Math.floor(Math.log2(firing)) - 3) === 0;
  return firing > countedExactly && !isRound && withoutCount(called.title) === withoutCount(title);
}

function withoutCount(title: string): string {
  const at = title.lastIndexOf(moreWords);
  return at < 0 ? title : title.slice(0, at);
}
