// What a raw page says: that nobody decided, why, and what to do; and what its end says. Text only, and pure; whether and to whom it is sent is failopen.ts.
//   T1  The end of a page that ends because somebody decides again never reads as the end of the alert.
import { spanOf, type Instant, type Millis } from '../../core/time.ts';
import { iso } from '../instant.ts';
import type { Undecided } from './book.ts';
import { singlesMax, windowMs } from './pacing.ts';
import type { RawPage } from './raw-lane.ts';

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
  const dedupKey = `${keyOf(situation)}:${scope}:${event.fingerprint}`;
  return {
    ...headOf({ dedupKey, id: `${dedupKey}:${at}`, at: situation.now, title: `[undecided] ${event.summary}` }),
    text: [
      whyOf(situation, partition, situation.now - at),
      'Nothing was decided about this alert: no silence was looked at, no playbook runs, nobody else is paged for it.',
      `Alert: ${event.summary} (${event.name}, from ${event.source})`,
      'What to do: look after the alert by hand, and see to the gateway: /readyz and its log say what it lacks. Once it is decided (a gateway that only takes in decides nothing until it is started in full), the usual ladder takes over and this page ends.',
    ].join('\n'),
    source: sourceOf(event),
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

/** Why a raw page ends: somebody decided, or the source said that it is over. */
export type Ending = 'decided' | 'cleared';

/** What the end of a page has of the page: its key, and the id that the end's own is made of. */
export type Sent = Pick<RawPage, 'dedupKey' | 'id'>;

/** What ends the page of that key, and says nothing of what it was about. */
export function endingOf({ dedupKey, id }: Sent): Pick<RawPage, 'dedupKey' | 'id' | 'kind' | 'pageOnly'> {
  return { dedupKey, id: `${id}:end`, kind: 'resolve', pageOnly: true };
}

/** T1 */
export function endOfOne(
  { event, scope }: Pick<Undecided, 'event' | 'scope'>,
  sent: Sent,
  { why, now }: { readonly why: Ending; readonly now: Instant },
): RawPage {
  return {
    ...headOf({ ...sent, at: now, title: `${endHeads[why]}: ${event.summary}` }),
    ...endingOf(sent),
    text: [...endTexts[why], `Alert: ${event.summary} (${event.name}, from ${event.source})`].join('\n'),
    source: sourceOf(event),
    facts: [
      { name: 'alert', value: event.name },
      { name: 'fingerprint', value: event.fingerprint },
      { name: 'scope', value: scope },
    ],
    links: event.links,
  };
}

/** T1: `count` alerts were counted, and some may have cleared. */
export function endOfMany(sent: Sent, { count, now }: { readonly count: number; readonly now: Instant }): RawPage {
  return {
    ...headOf({ ...sent, at: now, title: `decided: the ${count} more critical alerts that nobody had decided` }),
    ...endingOf(sent),
    text: [
      `None of the ${count} critical alerts that this page counted is undecided any more: the usual ladder speaks for them from here, and this page (sent because nobody decided) ends.`,
      notOver,
    ].join('\n'),
    source: 'quench',
    facts: [{ name: 'alerts', value: String(count) }],
    links: [],
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
  const dedupKey = `${keyOf(situation)}:many:${id}`;
  const listed = alerts.slice(0, listedMax).map(({ event }) => `- ${event.summary} (${event.source})`);
  if (count > listed.length) listed.push(`- and ${count - listed.length} more`);
  return {
    ...headOf({ dedupKey, id: dedupKey, at: situation.now, title: `[undecided] and ${count} more critical alerts that nobody decided` }),
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

function sourceOf({ entity, source }: Undecided['event']): string {
  return entity.host ?? entity.service ?? source;
}

function keyOf({ installation }: Situation): string {
  return installation === null ? 'quench:undecided' : `quench:${installation}:undecided`;
}

function whyOf({ awaySince }: Situation, partition: number, waited: Millis): string {
  return awaySince === null
    ? `Nobody decided about partition ${partition} for ${spanOf(waited)}: whoever decides about it has stopped, or is that far behind.`
    : `The log is away since ${iso(awaySince)}: no alert can be decided until it is back.`;
}

const notOver = 'This does not say that what it was about is over.';

const endHeads: { readonly [why in Ending]: string } = { decided: 'decided', cleared: 'cleared' };

const endTexts: { readonly [why in Ending]: readonly string[] } = {
  decided: [
    'Quench decides again: the usual ladder speaks for this alert from here, and this page (sent because nobody decided) ends.',
    notOver,
  ],
  cleared: ['The alert cleared, as its source says, and this page (sent because nobody decided) ends.'],
};

function headOf({
  title,
  ...head
}: Pick<RawPage, 'dedupKey' | 'id' | 'at' | 'title'>): Pick<
  RawPage,
  'kind' | 'dedupKey' | 'id' | 'incident' | 'page' | 'title' | 'severity' | 'at'
> {
  const clipped = title.length <= titleCharsMax ? title : `${title.slice(0, titleCharsMax - 1)}…`;
  return { ...head, kind: 'page', incident: 'undecided', page: 'undecided', title: clipped, severity: 'critical' };
}
