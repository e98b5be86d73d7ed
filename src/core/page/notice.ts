// What a person reads when woken: title, text, facts and the links of the alert, free of vendor words. The text is words.ts; vendor shapes are the
// notifiers' work.
//   W4  The end of a page that leaves when its incident is in another life already speaks of the life that ended, and says that it came back.
import type { Alert } from '../alert/row.ts';
import type { TurnContext } from '../context.ts';
import { loudest, severityNow } from '../decide/taken.ts';
import type { Desk } from '../desk.ts';
import { calledNow, titleFor } from '../incident/called.ts';
import type { Incident } from '../incident/row.ts';
import { partOf } from '../run/row.ts';
import type { Notification, NotifyKind } from './notification.ts';
import { clockOf } from '../time.ts';
import { erasTold, type Page, type PageEnd } from './row.ts';
import { teamOf, textOf } from './words.ts';

/** Kinds that speak of what was told before. */
const anew: ReadonlySet<NotifyKind> = new Set<NotifyKind>(['repeat', 'risen', 'joined', 'unacknowledged']);
const titleCharsMax = 200;
/** Of the end, as it is kept. */
const endCharsMax = 2_000;

/** Which message to whom; the id is given, so that words can be made anew for a message that was asked for before. */
export interface Addressed {
  readonly id: string;
  readonly notifier: string;
  readonly kind: NotifyKind;
}

/** How the end of the page reads, once its incident is over; to be kept, so bounded. */
export function endOf(ctx: TurnContext, page: Page): PageEnd {
  const { title, severity, text } = noticeOf(ctx, page, { id: '', notifier: '', kind: 'resolve' });
  return { title, severity, text: text.length <= endCharsMax ? text : `${text.slice(0, endCharsMax - 1)}…` };
}

/** W4: what is said instead of what is true of a later life. */
function ofEarlierLife({ end }: Page, incident: Incident): Pick<Notification, 'title' | 'severity' | 'text'> | null {
  if (end === undefined) return null;
  const since = incident.state === 'resolved' ? 'it came back since, and is over again' : `it came back at ${clockOf(incident.lifeAt)}`;
  return { ...end, text: `${end.text}\n${since}` };
}

/** In the words of this moment: the title is the worst firing member's, the earliest among equals. */
export function noticeOf(ctx: TurnContext, page: Page, { id, notifier, kind }: Addressed): Notification {
  const { desk, at } = ctx;
  const incident = desk.tables.incidents.rows.get(page.incident);
  const isEarlier = kind === 'resolve' && incident !== undefined && incident.page !== page.id;
  const root = desk.tables.alerts.rows.get(incident?.root ?? '')?.alert;
  const about = desk.tables.alerts.rows.get(page.about ?? '')?.alert;
  const isAbout = about?.state === 'firing' && about.incident === incident?.id;
  const worst = incident === undefined ? null : isAbout ? about : incident.storm ? null : loudest(ctx, incident);
  return {
    id,
    kind: kindFor(page, notifier, kind),
    dedupKey: page.dedupKey,
    incident: page.incident,
    page: page.id,
    title: clip(incident === undefined ? page.title : isAbout ? titleFor(about, incident.firing - 1) : calledNow(ctx, incident).title),
    severity: incident === undefined ? 'critical' : isAbout ? about.severity : severityNow(ctx, incident),
    text: incident === undefined ? page.reason : textOf(ctx, incident, { page, kind, at, worst }),
    source: placeOf(worst ?? root),
    at,
    facts: incident === undefined ? [] : factsOf(incident, worst ?? root),
    links: (worst ?? root)?.links ?? [],
    ...eraOf(page, notifier, kind),
    ...(isEarlier ? ofEarlierLife(page, incident) : nowOf(desk, incident, worst)),
  };
}

/** What is so now: since when, and what waits for a yes. */
function nowOf(desk: Desk, incident: Incident | undefined, worst: Alert | null): Pick<Notification, 'startedAt' | 'asks'> {
  return { ...(worst === null ? {} : { startedAt: worst.startedAt }), ...(incident === undefined ? {} : asksOf(desk, incident)) };
}

/** The run of the incident that waits for a yes. */
function asksOf(desk: Desk, incident: Incident): Pick<Notification, 'asks'> {
  const run = desk.tables.runs.rows.get(incident.run ?? '');
  return run?.approveUntil === undefined || partOf(run) !== 'approval' ? {} : { asks: { run: run.id, until: run.approveUntil } };
}

/** A ring says its era and the one before; who has it or the end is said of the newest era in which the notifier told anybody. */
function eraOf(page: Page, notifier: string, kind: NotifyKind): Pick<Notification, 'era' | 'formerEras'> {
  const told = erasTold(page, notifier);
  const isAfter = kind === 'acknowledged' || kind === 'resolve';
  const era = isAfter ? (told.at(-1) ?? page.era ?? 0) : (page.era ?? 0);
  const before = told.filter((each) => each < era);
  // A ring ends all of them: the one before may have been lost on its way, and with it the end of those before it.
  const former = kind === 'acknowledged' ? [] : before;
  return { ...(era === 0 ? {} : { era }), ...(former.length === 0 ? {} : { formerEras: former }) };
}

function placeOf(alert: Alert | undefined): string {
  return alert?.entity.host ?? alert?.entity.service ?? alert?.source ?? 'quench';
}

/** What tells it from others, for who reads fields; ids stand here and not in the text. */
function factsOf(incident: Incident, alert: Alert | undefined): Notification['facts'] {
  const { host, service } = alert?.entity ?? {};
  const said: readonly (readonly [string, string | null | undefined])[] = [
    ['incident', incident.id],
    ['rule', alert?.name],
    ['host', host],
    ['service', service],
    ['team', alert === undefined ? null : teamOf(alert)],
    ['sources', incident.sources.join(', ')],
    ['alerts', incident.members > 1 ? String(incident.members) : null],
  ];
  return said.flatMap(([name, value]) => (value === undefined || value === null || value === '' ? [] : [{ name, value }]));
}

/** To whom nobody has said it before, it is neither said again nor worse than before: it is a page. */
function kindFor(page: Page, notifier: string, kind: NotifyKind): NotifyKind {
  return anew.has(kind) && !page.told.includes(notifier) ? 'page' : kind;
}

function clip(text: string): string {
  return text.length <= titleCharsMax ? text : `${text.slice(0, titleCharsMax - 1)}…`;
}
