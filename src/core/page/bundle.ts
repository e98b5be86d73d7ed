// Which rings for a notifier wait to be told together, and the words of a message that tells several.
// The first ring calls at once; what follows within a bounded span waits for its end, and leaves in one message, of the ring that leads it.
// Asking for it and what becomes of it is delivery.ts; each page keeps a life of its own.
//   U1  A ring waits no longer than the policy's span, and never one that is more severe than what the notifier was called for in that span.
//   U2  Only first rings and repeats wait, first rings for first rings alone: what is new, worse, a storm's or asks for a yes leaves at once.
//   U3  The message is the leader's: vendors know it by the leader's key, and its end is told when the leader's page ends. Who answers it
//       answers for all pages that it told and that nobody has; each of them rings on by itself, in its own bundle, while nobody does, and
//       soon after the leader's end, or its being taken alone: nothing at the vendor calls for the others then.
//   U5  Such an answer takes what the message told, and no more: a page that has rung since for something worse or new rings on, for who answers an
//       older message has not read of that.
//   U4  The leader is a ring that its vendor has not heard of, if there is one, and the most severe of those: a message that calls.
import { severityRank, worstOf } from '../alert/severity.ts';
import type { TurnContext } from '../context.ts';
import { severityNow, voiceOf } from '../decide/taken.ts';
import { calledNow } from '../incident/called.ts';
import { incidentOf } from '../incident/row.ts';
import type { Instant } from '../time.ts';
import type { Notification, NotifyKind, Told } from './notification.ts';
import type { Word } from './present.ts';
import { erasTold, pageOf, type Bundle, type Page } from './row.ts';

/** More than this many do not wait for each other. */
export const bundleMax = 50;
const titlesShown = 20;
const titleCharsMax = 200;

export function mayWait(kind: NotifyKind): boolean {
  return kind === 'page' || kind === 'repeat'; // U2
}

/** The span that is open for the notifier, when this ring has to wait for its end (U1). */
export function heldBy(ctx: TurnContext, page: Page, key: string): Bundle | null {
  const bundle = ctx.desk.tables.bundles.rows.get(key);
  if (bundle === undefined || (ctx.at >= bundle.until && bundle.waiting.length === 0)) return null;
  return severityRank(severityOf(ctx, page)) > severityRank(bundle.severity) ? null : bundle;
}

/** The span that a ring opens for its notifier; one that is open lasts as long as it did. */
export function spanAfter(ctx: TurnContext, key: string, pages: readonly Page[]): Omit<Bundle, 'waiting'> | null {
  const bundleMs = ctx.policy.delivery?.bundleMs ?? 0;
  const before = ctx.desk.tables.bundles.rows.get(key);
  const isOpen = before !== undefined && ctx.at < before.until;
  if (bundleMs === 0 && !isOpen) return null;
  const until: Instant = isOpen ? before.until : ctx.at + bundleMs;
  return {
    until,
    severity: worstOf(
      isOpen ? before.severity : 'info',
      pages.map((page) => severityOf(ctx, page)),
    ),
  };
}

/** The ring that leads, and the others in the order in which they are told (U4). */
export function led(ctx: TurnContext, words: readonly Word[]): readonly Word[] {
  const isNew = ({ page, outgoing }: Word): number => (erasTold(page, outgoing.notifier).includes(page.era ?? 0) ? 1 : 0);
  const rank = ({ page }: Word): number => severityRank(severityOf(ctx, page));
  return words.toSorted(
    (a, b) => isNew(a) - isNew(b) || rank(b) - rank(a) || a.page.openedAt - b.page.openedAt || (a.page.id < b.page.id ? -1 : 1),
  );
}

/** The leader's message, made to tell the others, too. */
export function together(ctx: TurnContext, notice: Notification, others: readonly Word[]): Notification {
  if (others.length === 0) return notice;
  const count = others.length + 1;
  const incidents = others.flatMap(({ page }) => incidentOf(ctx, page.incident) ?? []);
  const severity = worstOf(
    notice.severity,
    incidents.map((incident) => severityNow(ctx, incident)),
  );
  const lines = incidents.slice(0, titlesShown).map((each) => `- ${severityNow(ctx, each)}: ${calledNow(ctx, each).title} (${each.id})`);
  const more = incidents.length > titlesShown ? [`- and ${incidents.length - titlesShown} more`] : [];
  const titles = [notice.title, ...incidents.map((incident) => calledNow(ctx, incident).title)];
  const title = `${count} more: ${commonTitle(ctx, [notice.incident, ...incidents.map(({ id }) => id)]) ?? titles.join('; ')}`;
  const text = [
    `${count} incidents call for somebody; who answers this answers for all of them.`,
    ...lines,
    ...more,
    '',
    `${notice.title}:`,
    notice.text,
  ];
  return {
    ...notice,
    severity,
    title: title.length <= titleCharsMax ? title : `${title.slice(0, titleCharsMax - 1)}…`,
    text: text.join('\n'),
    facts: [...notice.facts, { name: 'incidents', value: String(count) }],
    also: others.map((word) => toldOf(ctx, word)),
  };
}

/** `NodeFilesystemFull on web1, web2, …` where what is worst of each is of one rule, on a host; a storm says by itself on how many; else null. */
function commonTitle(ctx: TurnContext, incidents: readonly string[]): string | null {
  const rows = incidents.map((id) => incidentOf(ctx, id));
  if (rows.some((incident) => incident === undefined || incident.storm)) return null;
  const alerts = rows.map((incident) => (incident === undefined ? null : voiceOf(ctx, incident)));
  const hosts = alerts.flatMap((alert) => (alert?.name === alerts[0]?.name ? (alert?.entity.host ?? []) : []));
  return hosts.length === alerts.length ? `${alerts[0]?.name ?? ''} on ${hosts.join(', ')}` : null;
}

function toldOf(ctx: TurnContext, { page, outgoing }: Word): Told {
  const incident = incidentOf(ctx, page.incident);
  const title = (incident === undefined ? page : calledNow(ctx, incident)).title.slice(0, titleCharsMax);
  return { id: outsideId(ctx, outgoing.id), incident: page.incident, page: page.id, title, severity: severityOf(ctx, page) };
}

/** What the world knows a notification by. */
export function outsideId({ installation }: TurnContext, id: string): string {
  return installation === null ? id : `${installation}|${id}`;
}

/** Incidents that messages of this page told, too, and that nobody has: who answers the page answers for them (U3). */
export function toldWith(ctx: TurnContext, id: string): readonly string[] {
  return companionsOf(ctx, id).flatMap(({ page, era }) => ((page.era ?? 0) === era ? [page.incident] : [])); // U5
}

/** A page that a message told, too, as it was then, and whom the message went to. */
interface Companion {
  readonly page: Page;
  readonly era: number;
  readonly notifier: string;
}

/** Pages that ring and that messages of this page told, too. */
export function companionsOf(ctx: TurnContext, id: string): readonly Companion[] {
  return (pageOf(ctx, id)?.outgoing ?? []).flatMap(({ state, heard, notifier, with: others = [] }) => {
    if (state !== 'accepted' && heard !== true && state !== 'granted' && state !== 'waiting') return [];
    return others.flatMap(({ page: other, era = 0 }) => {
      const page = pageOf(ctx, other);
      return page?.state === 'ringing' && incidentOf(ctx, page.incident)?.page === other ? [{ page, era, notifier }] : [];
    });
  });
}

function severityOf(ctx: TurnContext, page: Page): Notification['severity'] {
  const incident = incidentOf(ctx, page.incident);
  return incident === undefined ? 'critical' : severityNow(ctx, incident);
}
