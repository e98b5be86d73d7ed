// What a person reads when woken: one title, a few lines, the facts, in plain text. Vendor shapes are the notifiers' work.
import type { Desk } from '../desk.ts';
import type { Incident } from '../incident/row.ts';
import { clockOf, spanOf, type Instant } from '../time.ts';
import { playbookOf } from '../run/row.ts';
import type { Notification, NotifyKind } from './notification.ts';
import type { Policy } from '../playbook/policy.ts';
import { erasTold, type Page } from './row.ts';

const membersShown = 5;
const titleCharsMax = 200;

/** What the words are made of: the desk as it is now, and the rules in force. */
export interface NoticeContext {
  readonly desk: Desk;
  readonly policy: Policy;
  readonly at: Instant;
}

/** Which message to whom; the id is given, so that words can be made anew for a message that was asked for before. */
export interface Addressed {
  readonly id: string;
  readonly notifier: string;
  readonly kind: NotifyKind;
}

export function noticeOf({ desk, at }: NoticeContext, page: Page, { id, notifier, kind }: Addressed): Notification {
  const incident = desk.tables.incidents.rows.get(page.incident);
  const root = desk.tables.alerts.rows.get(incident?.root ?? '')?.alert;
  return {
    id,
    kind,
    dedupKey: page.dedupKey,
    incident: page.incident,
    page: page.id,
    title: clip(page.title),
    severity: incident?.severity ?? 'critical',
    text: incident === undefined ? page.reason : textOf(desk, incident, page, kind, at),
    source: root?.entity.host ?? root?.entity.service ?? root?.source ?? 'quench',
    at,
    facts: incident === undefined ? [] : factsOf(incident),
    links: root?.links ?? [],
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

function textOf(desk: Desk, incident: Incident, page: Page, kind: NotifyKind, at: Instant): string {
  if (kind === 'resolve') {
    return `resolved by ${incident.resolvedBy ?? 'people'} after ${spanOf(at - incident.openedAt)}`;
  }
  if (kind === 'acknowledged') {
    const { taken } = incident;
    const by = `${taken?.by ?? page.ackedBy ?? 'somebody'} has it`;
    return taken === undefined ? by : `${by} since ${clockOf(taken.at)} (${taken.via})`;
  }
  const lines = [page.reason, ''];
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
