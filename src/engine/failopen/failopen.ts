// Fails open towards people: a critical alert that was accepted and is not decided in time is paged as it came in, once.
// Decides nothing and evaluates nothing: no silence, no ladder, no playbook. Once it is decided the ladder takes over, and nothing is sent here.
//   O1  An alert is paged here at most once until it is decided or cleared, and not at all when that happens in time.
//   O2  In five minutes at most ten alerts are paged one by one; all others in one page that counts them.
//   O3  Bounded: 10,000 alerts; those beyond are only counted. One timer for all that wait.
// What the source itself does not trust yet, or holds notifications back for, is not paged, as it would not be after a decision.
import type { AlertEvent } from '../../core/alert/event.ts';
import type { AlertSeen } from '../../core/alert/facts.ts';
import type { AlertDecided } from '../../core/decide/facts.ts';
import type { Notification, NotifyOutcome } from '../../core/page/notification.ts';
import type { Fact, Input } from '../../core/records.ts';
import { minute, second, spanOf, type Instant, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LogBatch } from '../../ports/event-log.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { iso } from '../instant.ts';
import type { NewAlert } from '../intake/intake.ts';
import type { SpooledBatch } from '../intake/spool.ts';
import { createRawPager, type RawPage } from './raw-page.ts';

const rememberedMax = 10_000;
/** So many decisions at least are known by their delivery, twice as many at most. */
const decidedMax = 10_000;
const singlesMax = 10;
const windowMs: Millis = 5 * minute;
/** How long the page that counts the rest waits for more of them. */
const gatherMs: Millis = 10 * second;
const lookAgainMs: Millis = second;
/** What an earlier life left has so long at the start, however old it is: the log may well be back. */
const recalledMs: Millis = 30 * second;
const listedMax = 10;
const titleCharsMax = 200;

/** One alert, or many that one page counts. */
export type RawPageAbout = 'alert' | 'many';

export interface FailOpenDeps {
  readonly clock: Clock;
  readonly afterMs: Millis;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** Names of the notifiers that get raw pages. */
  readonly notify: readonly string[];
  readonly partitionOf: (scope: string) => number;
  /** Since when the log cannot be reached; null while it can. */
  readonly awaySince: () => Instant | null;
  /** Whether `shown` is told what is decided. If not, an alert counts as undecided only while it is spooled. */
  readonly seesDecisions: boolean;
  /**
   * Whether people know the alert as firing at critical, or as one that ended no earlier than its source saw what we were told last.
   * Asked only of what the desk may have dropped as a repeat, without a word.
   */
  readonly known: (scope: string, fingerprint: string, observedAt: Instant) => Promise<boolean>;
  /** Unlike any other process, living or dead. */
  readonly instance: string;
  /** A page was begun. */
  readonly paged: (about: RawPageAbout) => void;
  /** One attempt with one notifier ended. */
  readonly attempted: (notifier: string, outcome: NotifyOutcome['outcome']) => void;
  readonly onTrouble: (error: unknown) => void;
}

export interface FailOpen {
  /** Alerts of one scope on their way to the log; the answer is told whether they were accepted. Null when there is nothing to wait for. */
  offered(scope: string, seen: readonly NewAlert[], mayRepeat: boolean): ((accepted: boolean) => void) | null;
  /** A batch is in the spool; `recalled` when an earlier life of the process left it. */
  spooled(batch: SpooledBatch, recalled: boolean): void;
  /** A spooled batch is on the log. */
  sent(batch: SpooledBatch): void;
  /** A fact of any partition. */
  shown(fact: Fact): void;
  /** Alerts that are neither decided nor paged. */
  waiting(): number;
  stop(): Promise<void>;
}

interface Waiting {
  readonly key: string;
  readonly scope: string;
  readonly event: Pick<AlertEvent, 'fingerprint' | 'name' | 'summary' | 'source' | 'entity' | 'links'>;
  /** Steady clock. */
  readonly since: Millis;
  /** No later than the stamp of its input: a decision of before is about something else. */
  readonly at: Instant;
  readonly mayRepeat: boolean;
  /** Number of the last offer that tells of it; without decisions, the place in the spool where it began. What is older does not end it. */
  place: number;
  /** Source clock, of the newest that tells of it. */
  observedAt: Instant;
  /** Deliveries that tell of it and are not yet answered. */
  offers: number;
  accepted: boolean;
}

export function createFailOpen(deps: FailOpenDeps): FailOpen {
  const { clock } = deps;
  /** In the order of `since`. */
  const waiting = new Map<string, Waiting>();
  const paged = new Map<string, Waiting>();
  /** Of those, the ones that the next counting page is about. */
  const rest = new Set<string>();
  /** By delivery and alert: the last index that was decided; and what was decided before. */
  let decided = new Map<string, number>();
  let decidedBefore = decided;
  const pager = createRawPager(deps);
  let offers = 0;
  let beyond = 0;
  let windowFrom = Number.NEGATIVE_INFINITY;
  let singles = 0;
  let restDue: Millis | null = null;
  let restSent = Number.NEGATIVE_INFINITY;
  let sums = 0;
  let cancelTimer: (() => void) | null = null;
  let stopped = false;

  /** Null for what was decided, and for what is only counted. */
  function remember(seen: NewAlert, how: Pick<Waiting, 'at' | 'mayRepeat' | 'place'>): Waiting | null {
    const { scope, event } = seen;
    const { fingerprint, name, summary, source, entity, links, observedAt } = event;
    const key = keyOf(scope, fingerprint);
    if (isDecided(seen)) return null; // the desk drops it
    const held = waiting.get(key) ?? paged.get(key);
    if (held !== undefined) {
      held.observedAt = Math.max(held.observedAt, observedAt);
      return held;
    }
    if (waiting.size + paged.size >= rememberedMax) {
      countBeyond();
      return null;
    }
    const age = Math.max(0, clock.now() - how.at);
    const since = clock.steady() - Math.min(age, Math.max(0, deps.afterMs - recalledMs));
    const made: Waiting = {
      ...how,
      key,
      scope,
      event: { fingerprint, name, summary, source, entity, links },
      since,
      observedAt,
      offers: 0,
      accepted: false,
    };
    waiting.set(key, made);
    if (cancelTimer === null) schedule();
    return made;
  }

  /** O3; they are told of in the next counting page, which gives them the same time. */
  function countBeyond(): void {
    beyond += 1;
    if (restDue !== null) return;
    restDue = Math.max(clock.steady() + deps.afterMs + gatherMs, restSent + windowMs);
    schedule();
  }

  function forget(key: string): void {
    waiting.delete(key);
    paged.delete(key);
    rest.delete(key);
    if (waiting.size === 0 && paged.size === 0) beyond = 0; // decided like all others, as far as we can know
  }

  function forgetUpTo(place: number, key: string): void {
    const one = waiting.get(key) ?? paged.get(key);
    if (one !== undefined && one.place <= place) forget(key);
  }

  function isDecided({ scope, event, delivery, index }: NewAlert): boolean {
    const key = `${delivery}|${keyOf(scope, event.fingerprint)}`;
    return index <= (decided.get(key) ?? decidedBefore.get(key) ?? -1);
  }

  function noteDecided({ scope, fingerprint, delivery, index }: AlertDecided): void {
    if (delivery === '') return;
    if (decided.size >= decidedMax) {
      decidedBefore = decided;
      decided = new Map();
    }
    decided.set(`${delivery}|${keyOf(scope, fingerprint)}`, index);
  }

  function schedule(): void {
    cancelTimer?.();
    cancelTimer = null;
    const [first] = waiting.values();
    const due = first === undefined ? restDue : Math.min(first.since + deps.afterMs, restDue ?? Number.POSITIVE_INFINITY);
    if (due === null || stopped) return;
    const span = due - clock.steady();
    cancelTimer = clock.after(span > 0 ? Math.min(span, minute) : lookAgainMs, look);
  }

  function look(): void {
    cancelTimer = null;
    const now = clock.steady();
    for (const one of waiting.values()) {
      if (one.since + deps.afterMs > now) break;
      if (!one.accepted) continue;
      waiting.delete(one.key);
      paged.set(one.key, one); // O1
      if (one.mayRepeat) void doubt(one);
      else page(one);
    }
    if (restDue !== null && restDue <= now) pageRest();
    schedule();
  }

  async function doubt(one: Waiting): Promise<void> {
    const { observedAt } = one;
    const known = await deps.known(one.scope, one.event.fingerprint, observedAt).catch(() => false);
    if (paged.get(one.key) !== one || stopped) return;
    if (known) return one.observedAt === observedAt ? forget(one.key) : doubt(one);
    page(one);
    schedule();
  }

  function page(one: Waiting): void {
    const now = clock.steady();
    if (now - windowFrom >= windowMs) {
      windowFrom = now;
      singles = 0;
    }
    if (singles < singlesMax) {
      singles += 1;
      deps.paged('alert');
      pager.send(aboutOne(one), () => paged.get(one.key) === one);
      return;
    }
    rest.add(one.key); // O2
    restDue = Math.min(restDue ?? Number.POSITIVE_INFINITY, Math.max(now + gatherMs, restSent + windowMs));
  }

  function pageRest(): void {
    restDue = null;
    const about = [...rest].flatMap((key) => paged.get(key) ?? []);
    rest.clear();
    const more = beyond;
    const [oldest] = about.length > 0 ? about : paged.values();
    if (oldest === undefined || about.length + more === 0) return;
    beyond = 0;
    restSent = clock.steady();
    deps.paged('many');
    pager.send(aboutMany(about, more, oldest), () => (more > 0 ? paged.size > 0 : about.some((one) => paged.get(one.key) === one)));
  }

  function aboutOne(one: Waiting): RawPage {
    const { event, scope } = one;
    const partition = deps.partitionOf(scope);
    return {
      ...wordsOf(`quench:undecided:${scope}:${event.fingerprint}`, `[undecided] ${event.summary}`, clock.now()),
      text: [
        whyOf(partition, clock.now() - one.at),
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
        { name: 'accepted', value: iso(one.at) },
      ],
      links: event.links,
    };
  }

  function aboutMany(about: readonly Waiting[], more: number, oldest: Waiting): RawPage {
    const count = about.length + more;
    const listed = about.slice(0, listedMax).map(({ event }) => `- ${event.summary} (${event.source})`);
    if (count > listed.length) listed.push(`- and ${count - listed.length} more`);
    sums += 1;
    return {
      ...wordsOf(
        `quench:undecided:many:${deps.instance}:${sums}`,
        `[undecided] and ${count} more critical alerts that nobody decided`,
        clock.now(),
      ),
      text: [
        whyOf(deps.partitionOf(oldest.scope), clock.now() - oldest.at),
        `At most ${singlesMax} alerts are paged one by one within ${spanOf(windowMs)}; these are the others:`,
        ...listed,
        'What to do: see to the gateway first: /readyz and its log say what it lacks. Look after these alerts by hand meanwhile.',
      ].join('\n'),
      source: 'quench',
      facts: [{ name: 'alerts', value: String(count) }],
      links: [],
    };
  }

  function whyOf(partition: number, waited: Millis): string {
    const since = deps.awaySince();
    return since === null
      ? `Nobody decided about partition ${partition} for ${spanOf(waited)}: whoever decides about it has stopped, or is that far behind.`
      : `The log is away since ${iso(since)}: no alert can be decided until it is back.`;
  }

  return {
    offered(scope, seen, mayRepeat) {
      if (!deps.seesDecisions) return null;
      const last = lastOf(seen);
      if (last === null) return null;
      const at = clock.now();
      const place = (offers += 1);
      const told: Waiting[] = [];
      for (const one of last.values()) {
        const held = isUrgent(one.event) ? remember(one, { at, mayRepeat, place }) : null;
        if (held === null) continue;
        held.place = place;
        held.offers += 1;
        told.push(held);
      }
      return (accepted) => {
        for (const one of told) {
          one.offers -= 1;
          if (accepted) one.accepted = true;
          else if (!one.accepted && one.offers === 0 && waiting.get(one.key) === one) forget(one.key);
        }
        if (!accepted) return;
        for (const { event } of last.values()) if (event.claim === 'cleared') forgetUpTo(place, keyOf(scope, event.fingerprint));
      };
    },
    spooled(batch, recalled) {
      if (deps.seesDecisions && !recalled) return; // `offered` told of it
      const how = { mayRepeat: deps.seesDecisions, place: deps.seesDecisions ? 0 : batch.place };
      for (const seen of lastOf(alertsOf(batch))?.values() ?? []) {
        const one = isUrgent(seen.event) ? remember(seen, { ...how, at: seen.at }) : null;
        if (one !== null) one.accepted = true;
        else if (seen.event.claim === 'cleared') forget(keyOf(batch.scope, seen.event.fingerprint));
      }
    },
    sent(batch) {
      if (deps.seesDecisions) return;
      for (const { event } of alertsOf(batch)) forgetUpTo(batch.place, keyOf(batch.scope, event.fingerprint));
    },
    shown(fact) {
      if (fact.type !== 'AlertDecided') return;
      noteDecided(fact);
      const key = keyOf(fact.scope, fact.fingerprint);
      const one = waiting.get(key) ?? paged.get(key);
      if (one !== undefined && fact.at >= one.at) forget(key);
    },
    waiting: () => waiting.size,
    async stop() {
      stopped = true;
      cancelTimer?.();
      await pager.stop();
    },
  };
}

function wordsOf(
  dedupKey: string,
  title: string,
  at: Instant,
): Pick<Notification, 'kind' | 'dedupKey' | 'incident' | 'page' | 'title' | 'severity' | 'at'> {
  const clipped = title.length <= titleCharsMax ? title : `${title.slice(0, titleCharsMax - 1)}…`;
  return { kind: 'page', dedupKey, incident: 'undecided', page: 'undecided', title: clipped, severity: 'critical', at };
}

/** What each alert is told to be in the end; null when none of it concerns us. */
function lastOf<T extends NewAlert>(seen: readonly T[]): ReadonlyMap<string, T> | null {
  let last: Map<string, T> | null = null;
  for (const one of seen) {
    if (one.event.claim !== 'cleared' && !isUrgent(one.event)) continue;
    last ??= new Map();
    last.set(one.event.fingerprint, one);
  }
  return last;
}

function isUrgent({ claim, severity, soft, sourceMute }: AlertEvent): boolean {
  return claim === 'firing' && severity === 'critical' && soft !== true && (sourceMute ?? null) === null;
}

/** Intake writes inputs; those of one batch have one scope. */
function alertsOf({ values }: LogBatch): readonly AlertSeen[] {
  return (values as readonly Input[]).filter((input) => input.type === 'AlertSeen');
}

function keyOf(scope: string, fingerprint: string): string {
  return `${scope}|${fingerprint}`;
}
