// What a person reads when woken: one title, a few lines, the facts, in plain text. Vendor shapes are the notifiers' work.
import type { Alert } from '../alert/row.ts';
import type { TurnContext } from '../context.ts';
import { loudest } from '../decide/taken.ts';
import type { Desk } from '../desk.ts';
import type { Incident } from '../incident/row.ts';
import { clockOf, spanOf, type Instant } from '../time.ts';
import { playbookOf } from '../run/row.ts';
import type { Notification, NotifyKind } from './notification.ts';
import { erasTold, type Page } from './row.ts';

const membersShown = 5;
const titleCharsMax = 200;

/** Which message to whom; the id is given, so that words can be made anew for a message that was asked for before. */
export interface Addressed {
  readonly id: string;
  readonly notifier: string;
  readonly kind: NotifyKind;
}

/** In the words of this moment: the title is the worst firing member's, the earliest among equals. */
export function noticeOf(ctx: TurnContext, page: Page, { id, notifier, kind }: Addressed): Notification {
  const { desk, at } = ctx;
  const incident = desk.tables.incidents.rows.get(page.incident);
  const root = desk.tables.alerts.rows.get(incident?.root ?? '')?.alert;
  const about = desk.tables.alerts.rows.get(page.about ?? '')?.alert;
  const isAbout = about?.state === 'firing' && about.incident === incident?.id;
  const worst = incident === undefined ? null : isAbout ? about : incident.storm ? null : loudest(ctx, incident);
  return {
    id,
    kind,
    dedupKey: page.dedupKey,
    incident: page.incident,
    page: page.id,
    title: clip(incident === undefined ? page.title : titleNow(incident, worst)),
    severity: incident?.severity ?? 'critical',
    text: incident === undefined ? page.reason : textOf(desk, incident, { page, kind, at, worst }),
    source: placeOf(worst ?? root),
    at,
    facts: incident === undefined ? [] : factsOf(incident),
    links: (worst ?? root)?.links ?? [],
    ...(worst === null ? {} : { startedAt: worst.startedAt }),
    ...eraOf(page, notifier, kind),
  };
}

/** A ring says its era and the one before; who has it or the end is said of the newest era in which the notifier told anybody. */
function eraOf(page: Page, notifier: string, kind: NotifyKind): Pick<Notification, 'era' | 'formerEras'> {
  const told = erasTold(page, notifier);
  const isAfter = kind === 'acknowledged' || kind === 'resolve';
  const era = isAfter ? (told.at(-1) ?? page.era ?? 0) : (page.era ?? 0);
  const before = told.filter((each) => each < era);
  const former = kind === 'resolve' ? before : kind === 'acknowledged' ? [] : before.slice(-1);
  return { ...(era === 0 ? {} : { era }), ...(former.length === 0 ? {} : { formerEras: former }) };
}

/** What is wrong now, and how much besides; once nothing fires, what the incident was about. */
function titleNow(incident: Incident, worst: Alert | null): string {
  if (worst === null) return incident.title;
  const place = worst.entity.host ?? worst.entity.service ?? '';
  const what = place === '' || worst.summary.includes(place) ? worst.summary : `${place}: ${worst.summary}`;
  const more = incident.firing > 1 ? ` (and ${incident.firing - 1} more)` : '';
  return `${what.length + more.length <= titleCharsMax ? what : `${what.slice(0, titleCharsMax - more.length - 1)}…`}${more}`;
}

function placeOf(alert: Alert | undefined): string {
  return alert?.entity.host ?? alert?.entity.service ?? alert?.source ?? 'quench';
}

interface Saying {
  readonly page: Page;
  readonly kind: NotifyKind;
  readonly at: Instant;
  readonly worst: Alert | null;
}

/** Since when what is wrong now burns, and what it began with when that was something else. */
function sinceOf(desk: Desk, incident: Incident, { worst, at }: Saying): readonly string[] {
  if (worst === null) return [];
  const since = `since ${clockOf(worst.startedAt)} (${spanOf(Math.max(0, at - worst.startedAt))})`;
  const first = desk.tables.alerts.rows.get(incident.listed[0] ?? '')?.alert;
  if (first === undefined || first.fingerprint === worst.fingerprint) return [since];
  return [`${since}; began with ${clip(first.summary)} at ${clockOf(first.startedAt)}`];
}

function textOf(desk: Desk, incident: Incident, saying: Saying): string {
  const { page, kind, at } = saying;
  if (kind === 'resolve') {
    return `resolved by ${incident.resolvedBy ?? 'people'} after ${spanOf(at - incident.openedAt)}`;
  }
  if (kind === 'acknowledged') {
    const { taken } = incident;
    const by = `${taken?.by ?? page.ackedBy ?? 'somebody'} has it`;
    return taken === undefined ? by : `${by} since ${clockOf(taken.at)} (${taken.via})`;
  }
  const lines = [...sinceOf(desk, incident, saying), page.reason, ''];
  for (const fingerprint of incident.listed.slice(0, membersShown)) {
    const alert = desk.tables.alerts.rows.get(fingerprint)?.alert;
    if (alert !== undefined) lines.push(`- ${alert.state === 'firing' ? alert.severity : 'cleared'}: ${alert.summary} (${alert.source})`);
  }
  if (incident.members > membersShown) lines.push(`- and ${incident.members - membersShown} more`);
  for (const id of incident.runs) {
    const run = desk.tables.runs.rows.get(id);
    if (run !== undefined) lines.push(`playbook ${playbookOf(desk, run).name} on ${run.target}: ${run.end ?? 'working'}`);
  }
  return lines.join('\n');
}

function factsOf(incident: Incident): Notification['facts'] {
  return [
    { name: 'incident', value: incident.id },
    { name: 'severity', value: incident.severity },
    { name: 'alerts', value: String(incident.members) },
    { name: 'sources', value: incident.sources.join(', ') },
    { name: 'score', value: incident.score.value.toFixed(2) },
  ];
}

function clip(text: string): string {
  return text.length <= titleCharsMax ? text : `${text.slice(0, titleCharsMax - 1)}…`;
}
