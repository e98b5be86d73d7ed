// Calls a person when the log takes nothing any more: what is watched or rings then is told to nobody by the usual way, for no decision is durable.
// One raw page says what cannot be decided. What was never turned at all is paged by failopen.ts.
//   B1  One page for each process: begun when its log took nothing for the span of `failOpen.after` and something is held or rings; told again, in growing
//       waits up to an hour, while that lasts; ended when the log takes records again, or by the next life once that is sure of it.
//   B2  Bounded: one timer, ten names; the desks are walked only while the log takes nothing, every five seconds.
import { backoffAfter, hour, minute, second, spanOf, type Instant, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import { gravestOf, type Stuck, type Untolds } from '../host/stuck.ts';
import { iso } from '../instant.ts';
import type { KeptPages } from './kept.ts';
import type { RawPageAbout } from './overdue.ts';
import { endingOf, type Sent } from './page-text.ts';
import type { RawPage } from './raw-lane.ts';
import type { RawPager } from './raw-pager.ts';

const lookEveryMs: Millis = 5 * second;
const againWaits = { firstMs: 5 * minute, maxMs: hour } as const;
const namesMax = 10;
const titleCharsMax = 120;

/** A partition whose host cannot append. */
export interface StuckPartition extends Stuck {
  readonly partition: number;
  untolds(max: number): Untolds;
}

export interface StuckWatchDeps {
  readonly clock: Clock;
  readonly afterMs: Millis;
  /** Those of this process. */
  readonly stuck: () => readonly StuckPartition[];
  readonly installation: () => string | null;
  /** Unlike any other process, living or dead. */
  readonly instance: string;
  readonly pager: Pick<RawPager, 'send' | 'end' | 'carry'>;
  /** Pages of earlier lives. */
  readonly kept?: Pick<KeptPages, 'left'>;
  readonly paged: (about: RawPageAbout) => void;
}

/** Begins to look; returns how to stop. */
export function watchStuck({ clock, afterMs, pager, kept, ...deps }: StuckWatchDeps): () => void {
  const begun = clock.steady();
  let carried = (kept?.left ?? []).filter(({ about }) => 'stuck' in about);
  for (const { dedupKey, notify } of carried) pager.carry(dedupKey, notify);
  let open: { readonly sent: Sent; tellings: number; dueAt: Millis } | null = null;
  let cancel: () => void = () => {};

  function look(): void {
    cancel = clock.after(lookEveryMs, look);
    const now = clock.steady();
    const stuck = deps.stuck();
    if (stuck.length === 0) return endAll(now);
    const lasting = stuck.filter(({ forMs }) => forMs >= afterMs);
    if (lasting.length === 0 || (open !== null && now < open.dueAt)) return;
    const untolds = lasting.map((each) => each.untolds(namesMax));
    if (untolds.some(({ held, ringing }) => held + ringing > 0)) tell(lasting, untolds);
  }

  function tell(lasting: readonly StuckPartition[], untolds: readonly Untolds[]): void {
    const sent = open?.sent ?? sentOf(deps.installation(), deps.instance, clock.now());
    const tellings = (open?.tellings ?? 0) + 1;
    open = { sent, tellings, dueAt: clock.steady() + backoffAfter(tellings, againWaits) };
    deps.paged('stuck');
    const words = pageOf({ dedupKey: sent.dedupKey, id: `${sent.id}:${tellings}` }, { lasting, untolds, now: clock.now() });
    pager.send(words, () => open?.sent === sent, { stuck: true });
  }

  function endAll(now: Millis): void {
    const ended = open === null ? [] : [{ ...open.sent, id: `${open.sent.id}:${open.tellings}` }];
    open = null;
    if (now - begun >= afterMs) {
      ended.push(...carried);
      carried = [];
    }
    for (const sent of ended) pager.end(endOf(sent, clock.now()));
  }

  cancel = clock.after(lookEveryMs, look);
  return () => cancel();
}

function sentOf(installation: string | null, instance: string, now: Instant): Sent {
  const dedupKey = `quench:${installation === null ? '' : `${installation}:`}stuck:${instance}:${now}`;
  return { dedupKey, id: dedupKey };
}

interface Said {
  readonly lasting: readonly StuckPartition[];
  readonly untolds: readonly Untolds[];
  readonly now: Instant;
}

function pageOf(sent: Sent, { lasting, untolds, now }: Said): RawPage {
  const held = untolds.reduce((sum, each) => sum + each.held, 0);
  const ringing = untolds.reduce((sum, each) => sum + each.ringing, 0);
  const gravest = gravestOf(
    untolds.flatMap((each) => each.gravest),
    namesMax,
  );
  const since = Math.min(...lasting.map((each) => each.since));
  const partitions = lasting.map(({ partition }) => partition).join(', ');
  const listed = gravest.map(({ title, severity, at }) => `- [${severity}] ${clipped(title)} (since ${iso(at)})`);
  if (held + ringing > listed.length) listed.push(`- and ${held + ringing - listed.length} more`);
  return {
    ...headOf(sent, now),
    title: `[undecided] nothing can be decided: ${held} held and ${ringing} ringing incidents call nobody`,
    text: [
      `The log takes nothing since ${iso(since)} (${spanOf(now - since)}): ${lasting[0]?.says ?? ''}`,
      `${held} incidents are watched or held and call nobody when their time is over; ${ringing} ring and get no further on their ladder:`,
      ...listed,
      'What to do: look after these by hand, and make the log take records again: /readyz and its log say what it lacks. This page comes again until then, and ends when the log takes records.',
    ].join('\n'),
    source: 'quench',
    facts: [
      { name: 'held', value: String(held) },
      { name: 'ringing', value: String(ringing) },
      { name: 'partitions', value: partitions },
    ],
    links: [],
  };
}

function endOf(sent: Sent, now: Instant): RawPage {
  return {
    ...headOf(sent, now),
    title: 'decided: the log takes records again',
    text: 'The log takes records again: the usual ladder speaks from here for what was held or rang. This does not say that any of it is over.',
    source: 'quench',
    facts: [],
    links: [],
    ...endingOf(sent),
  };
}

function headOf({ dedupKey, id }: Sent, at: Instant): Pick<RawPage, 'kind' | 'dedupKey' | 'id' | 'at' | 'incident' | 'page' | 'severity'> {
  return { kind: 'page', dedupKey, id, at, incident: 'undecided', page: 'undecided', severity: 'critical' };
}

function clipped(title: string): string {
  return title.length <= titleCharsMax ? title : `${title.slice(0, titleCharsMax - 1)}…`;
}
