// What one notifier is told under one key, one thing after the other: a page, and the end of it once that is known. What is told is page-text.ts.
//   L1  An end is told only where a page of the key was taken, or may have been. It is tried in growing waits until it is taken, refused, or its time is over.
//   L2  Nothing is overtaken: an end waits for the outcome of a page that is under way; a newer page waits for one more try of an end that is still
//       owed, and goes out whatever came of it. After that the end is owed no more, for it would close the newer page, which brings its own.
//   L3  A page that follows an end without an answer is told twice, a minute apart: that end may arrive after the first and close it.
//   L4  Bounded: one page and one end are owed at most, the newest of each.
import { GatewayError } from '../../core/errors.ts';
import type { Notification, NotifyOutcome } from '../../core/page/notification.ts';
import { backoffAfter, hour, minute, second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { pause } from '../async/pause.ts';
import type { Slots } from '../async/slots.ts';
import { deliver } from '../delivery.ts';

const retryWaits = { firstMs: 5 * second, maxMs: 5 * minute } as const;
/** After no answer: it may have arrived, and a slow notifier shall not get copies. */
const unknownWaits = { firstMs: minute, maxMs: 5 * minute } as const;
/** A key that is wrong now may be mended within hours, while the page is still owed. */
const refusedWaits = { firstMs: 5 * minute, maxMs: 5 * minute } as const;

/** Its id is the same for every notifier: each gets it with its own name behind. */
export type RawPage = Notification;

export interface RawLaneDeps {
  readonly clock: Clock;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** How long a notifier that does not take a page, or its end, is tried. */
  readonly keepTryingMs: Millis;
  readonly attempted: (notifier: string, outcome: NotifyOutcome['outcome']) => void;
  readonly onTrouble: (error: unknown) => void;
  readonly stopping: AbortSignal;
  /** Ends of the notifier leave in these, so that all pages that end at once are no flood; pages wait for none. */
  readonly slots: Slots;
  /** The lane has begun to work. */
  readonly begun: (work: Promise<void>) => void;
  /** Nothing is owed, and no page is open: the lane may be forgotten. */
  readonly done: () => void;
}

export interface RawLane {
  /** Returns at once. What has not been taken is given up when `wanted` says no. */
  page(words: RawPage, wanted: () => boolean): void;
  /** The page ends: what was not taken is not tried again, what has not left does not leave. Returns at once. */
  end(words: RawPage): void;
  /** Cuts the wait that the lane is in, for it to see that all stops. */
  wake(): void;
  /** Owes nothing any more, and knows of no page. */
  forget(): void;
}

interface Owed {
  readonly words: RawPage;
  readonly wanted: () => boolean;
  readonly withdrawn: AbortController;
  readonly until: Millis;
  attempts: number;
  /** Of several recipients, those that are still to be told. */
  only: readonly string[] | null;
}

/** `isOpen`: a page of the key was taken, or may have been, by an earlier life, and its end was not taken yet. */
export function createRawLane(name: string, deps: RawLaneDeps, isOpen = false): RawLane {
  const { clock, stopping } = deps;
  let page: Owed | null = null;
  let end: Owed | null = null;
  let endMayCome = false;
  let isAtWork = false;
  let cut = new AbortController();

  function stir(): void {
    cut.abort();
    if (isAtWork) return;
    isAtWork = true;
    deps.begun(work());
  }

  async function work(): Promise<void> {
    try {
      for (let owed = next(); owed !== null; owed = next()) {
        const { signal } = (cut = new AbortController());
        const wait = owed === end ? await tellEnd(owed, signal) : await tellPage(owed);
        if (wait > 0) await pause(clock, wait, signal);
      }
    } finally {
      isAtWork = false;
      if (!isOpen) deps.done();
    }
  }

  function next(): Owed | null {
    if (stopping.aborted) return null;
    if (!isOpen) end = null; // L1
    if (page?.wanted() === false) page = null;
    return end ?? page; // L2
  }

  /** How long to wait before whatever is owed then. */
  async function tellPage(owed: Owed): Promise<Millis> {
    const outcome = await tryOnce(name, owed, deps);
    if (outcome.outcome === 'accepted' || outcome.outcome === 'unknown') isOpen = true;
    if (isTaken(outcome) && endMayCome) {
      endMayCome = false;
      return unknownWaits.firstMs; // L3
    }
    if (outcome.outcome === 'refused' && owed.attempts === 1) complain('the page', outcome.detail);
    const wait = isTaken(outcome) ? 0 : waitAfter(outcome, owed, clock);
    if (wait === null) complain('the page', outcome.detail);
    if ((wait ?? 0) === 0 && page === owed) page = null;
    return wait ?? 0;
  }

  async function tellEnd(owed: Owed, signal: AbortSignal): Promise<Millis> {
    const leave = page === null ? await deps.slots.take(signal) : () => {};
    if (leave === null) return 0; // something else is owed now
    const outcome = await tryOnce(name, owed, deps).finally(leave);
    if (outcome.outcome === 'unknown') endMayCome = true;
    const wait = outcome.outcome === 'refused' ? null : waitAfter(outcome, owed, clock);
    if (isTaken(outcome)) isOpen = endMayCome = false;
    else if (wait === null) {
      complain('the end of the page', outcome.detail);
      isOpen = false;
    } else if (page === null) return wait;
    else end = null; // L2
    return 0;
  }

  function complain(what: string, says: string): void {
    deps.onTrouble(new GatewayError('deadline_exceeded', `undecided alert: notifier ${name} did not take ${what}: ${says.slice(0, 200)}`));
  }

  return {
    page(words, wanted) {
      page = owe(words, wanted, deps);
      stir();
    },
    end(words) {
      page?.withdrawn.abort();
      page = null;
      end = owe(words, () => true, deps);
      stir();
    },
    wake: () => cut.abort(),
    forget() {
      page = null;
      isOpen = false;
      stir();
    },
  };
}

function owe(words: RawPage, wanted: () => boolean, { clock, keepTryingMs }: RawLaneDeps): Owed {
  return { words, wanted, withdrawn: new AbortController(), until: clock.steady() + keepTryingMs, attempts: 0, only: null };
}

async function tryOnce(name: string, owed: Owed, { clock, notifiers, attempted, stopping }: RawLaneDeps): Promise<NotifyOutcome> {
  const notifier = notifiers.get(name);
  owed.attempts += 1;
  if (notifier === undefined) return { outcome: 'refused', detail: 'it is not configured' };
  const words = { ...owed.words, id: `${owed.words.id}|${name}`, ...(owed.only === null ? {} : { only: owed.only }) };
  const outcome = await deliver(notifier, words, { clock, stopping, withdrawn: owed.withdrawn.signal });
  attempted(name, outcome.outcome);
  if ('left' in outcome && outcome.left !== undefined && outcome.left.length > 0) owed.only = outcome.left;
  return outcome;
}

/** By all recipients that it is to be told. */
function isTaken(outcome: NotifyOutcome): boolean {
  return outcome.outcome === 'accepted' && (outcome.left ?? []).length === 0;
}

/** Null when its time is over before it may be tried again. */
function waitAfter(outcome: NotifyOutcome, { attempts, until }: Owed, clock: Clock): Millis | null {
  const waits = outcome.outcome === 'unknown' ? unknownWaits : outcome.outcome === 'refused' ? refusedWaits : retryWaits;
  const backoff = backoffAfter(attempts, waits);
  const wait = outcome.outcome === 'deferred' ? Math.min(hour, Math.max(backoff, outcome.retryAfterMs)) : backoff;
  return clock.steady() + wait <= until ? wait : null;
}
