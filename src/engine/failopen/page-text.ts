// What a raw page says: that nobody decided, why, and what to do. Text only, and pure; whether and to whom it is sent is failopen.ts.
import type { Notification } from '../../core/page/notification.ts';
import { spanOf, type Instant, type Millis } from '../../core/time.ts';
import { iso } from '../instant.ts';
import type { Undecided } from './book.ts';
import { singlesMax, windowMs } from './pacing.ts';
import type { RawPage } from './raw-pager.ts';

const listedMax = 10;
const titleCharsMax = 200;

/** What the pages say of the gateway at the moment they are written. */
export interface Situation {
  readonly now: Instant;
  /** Since when the log cannot be reached; null while it can. */
  readonly awaySince: Instant | null;
  readonly partitionOf: (scope: string) => number;
  /** What tells the keys of this installation from those of any other; null while it has no name. */
  readonly installation: string | null;
}

export function pageOfOne({ event, scope, at }: Undecided, situation: Situation): RawPage {
  const partition = situation.partitionOf(scope);
  return {
    ...headOf(`${keyOf(situation)}:${scope}:${event.fingerprint}`, `[undecided] ${event.summary}`, situation.now),
    text: [
      whyOf(situation, partition, situation.now - at),
      'Nothing was decided about this alert: no silence was looked at, no playbook runs, nobody else is paged for it.',
      `Alert: ${event.summary} (${event.name}, from ${event.source})`,
      'What to do: look after the alert by hand, and see to the gateway: /readyz and its log say what it lacks. Once it decides again, the usual ladder takes over.',
    ].join('\n'),
    source: event.entity.host ?? event.entity.service ?? event.source,
    facts: [
      { name: 'alert', value: event.name },
      { name: 'fingerprint', value: event.fingerprint },
      { name: 'scope', value: scope },
      { name: 'partition', value: String(partition) },
      { name: 'accepted', value: iso(at) },
    ],
    links: event.links,
  };
}

/** `more` were only counted; `oldest` says how long it has been; `id` is unlike that of any other counting page. */
export function pageOfMany(
  {
    alerts,
    more,
    oldest,
    id,
  }: { readonly alerts: readonly Undecided[]; readonly more: number; readonly oldest: Undecided; readonly id: string },
  situation: Situation,
): RawPage {
  const count = alerts.length + more;
  const listed = alerts.slice(0, listedMax).map(({ event }) => `- ${event.summary} (${event.source})`);
  if (count > listed.length) listed.push(`- and ${count - listed.length} more`);
  return {
    ...headOf(`${keyOf(situation)}:many:${id}`, `[undecided] and ${count} more critical alerts that nobody decided`, situation.now),
    text: [
      whyOf(situation, situation.partitionOf(oldest.scope), situation.now - oldest.at),
      `At most ${singlesMax} alerts are paged one by one within ${spanOf(windowMs)}; these are the others:`,
      ...listed,
      'What to do: see to the gateway first: /readyz and its log say what it lacks. Look after these alerts by hand meanwhile.',
    ].join('\n'),
    source: 'quench',
    facts: [{ name: 'alerts', value: String(count) }],
    links: [],
  };
}

function keyOf({ installation }: Situation): string {
  return installation === null ? 'quench:undecided' : `quench:${installation}:undecided`;
}

function whyOf({ awaySince }: Situation, partition: number, waited: Millis): string {
  return awaySince === null
    ? `Nobody decided about partition ${partition} for ${spanOf(waited)}: whoever decides about it has stopped, or is that far behind.`
    : `The log is away since ${iso(awaySince)}: no alert can be decided until it is back.`;
}

function headOf(
  dedupKey: string,
  title: string,
  at: Instant,
): Pick<Notification, 'kind' | 'dedupKey' | 'incident' | 'page' | 'title' | 'severity' | 'at'> {
  const clipped = title.length <= titleCharsMax ? title : `${title.slice(0, titleCharsMax - 1)}…`;
  return { kind: 'page', dedupKey, incident: 'undecided', page: 'undecided', title: clipped, severity: 'critical', at };
}
