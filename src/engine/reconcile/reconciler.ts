// Asks the source of one endpoint what is open there, and tells the desk what its webhook did not: at the start, after the log was away, and
// every few minutes. What an answer means is compare.ts; how a source is asked is its port, ports/open-alerts.ts.
//   R4  Asked only by the process that decides the endpoint's tenant, and only while its read model keeps up with the log; two that ask at
//       once write the same claims under the same delivery ids, and merging them twice changes nothing.
//   R5  An asking that fails changes nothing that we believe. It is counted every time and said in the log when its reason is new.
//   R6  What a wall clock that was set says about absence is not used: the suspicion begins anew.
import { spanOf, second, type Instant, type Millis } from '../../core/time.ts';
import type { AlertSeen } from '../../core/alert/facts.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OpenAlerts, OpenAnswer } from '../../ports/open-alerts.ts';
import type { Delivery } from '../../ports/source.ts';
import type { Views } from '../../ports/views.ts';
import type { AlertDocument } from '../../readmodel/documents.ts';
import { underDeadline } from '../async/deadline.ts';
import { pause } from '../async/pause.ts';
import { iso } from '../instant.ts';
import type { IntakeEndpoint } from '../intake/endpoint.ts';
import type { Acceptance } from '../intake/intake.ts';
import type { Unstamped } from '../intake/stamped-log.ts';
import { compare, endOf, isNews, type Pace, type ReadAlert, type Suspects } from './compare.ts';
import { believedMax, believedOf, readAnswer } from './reading.ts';

const askingMs: Millis = 60 * second;
const lookMs: Millis = 2 * second;
const clockDriftMs: Millis = 5 * second;

/** What came of one asking, as a word for the metric. */
export type AskOutcome = 'whole' | 'partial' | 'starting' | 'failed';

export interface ReconcileStatus {
  readonly endpoint: string;
  /** When it last answered; null when it never did since this process asks. */
  readonly answeredAt: Instant | null;
  /** What is wrong with the answers, or null. */
  readonly trouble: string | null;
}

export interface ReconcilerDeps {
  readonly endpoint: IntakeEndpoint;
  readonly source: OpenAlerts;
  readonly everyMs: Millis;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly views: Pick<Views, 'list' | 'get'>;
  /** Whether this process is the one to ask now, and knows what was decided (R4). */
  readonly mayAsk: () => boolean;
  /** Whether the log is away, or what came meanwhile is still on its way to it. */
  readonly isAway: () => boolean;
  /** Takes what the source has open, like any other delivery. */
  readonly accept: (endpoint: string, delivery: Delivery, deliveryId: string) => Promise<Acceptance>;
  readonly submit: (input: Unstamped<AlertSeen>) => Promise<void>;
  readonly watch: ReconcileWatch;
}

/** Told of what is asked and told, for figures and for the log. */
export interface ReconcileWatch {
  asked(endpoint: string, outcome: AskOutcome): void;
  told(endpoint: string, claim: 'firing' | 'cleared'): void;
  /** Its reason is new; null: it is well again. */
  trouble(endpoint: string, says: string | null): void;
}

export interface Reconciler {
  start(): void;
  status(): ReconcileStatus;
  stop(): Promise<void>;
}

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { clock, everyMs, endpoint, watch, pace } = deps;
  const stopping = new AbortController();
  let suspects: Suspects = new Map();
  let answeredAt: Instant | null = null;
  let trouble: string | null = null;
  let offset: Millis = clock.now() - clock.steady();
  let running: Promise<void> = Promise.resolve();

  function say(says: string | null): void {
    if (says !== trouble) watch.trouble(endpoint.name, says);
    trouble = says;
  }

  /** R6 */
  function forgetOnJump(): void {
    const now = clock.now() - clock.steady();
    if (Math.abs(now - offset) > clockDriftMs) suspects = new Map();
    offset = now;
  }

  /** One asking; resolves to how long until the next one. */
  async function askOnce(): Promise<Millis> {
    forgetOnJump();
    const askedAt = clock.now();
    const answer = await underDeadline(clock, askingMs, stopping.signal, (signal) => deps.source.ask(askedAt, signal));
    if (stopping.signal.aborted) return everyMs;
    if (!answer.ok) {
      watch.asked(endpoint.name, 'failed'); // R5
      say(answer.error);
      return Math.min(everyMs, pace.confirmMs);
    }
    const next = await take(askedAt, answer.value);
    answeredAt = askedAt;
    return next;
  }

  async function take(sentAt: Instant, answer: OpenAnswer): Promise<Millis> {
    const askedAt = Math.min(sentAt, answer.asOf);
    const read = readAnswer(endpoint, answer);
    const isStarting = answer.since !== null && askedAt - answer.since < pace.graceMs;
    const believed = await believedOf(endpoint, deps.views);
    const partial = answer.partial ?? read.unread ?? (believed === null ? `more than ${believedMax} alerts fire here` : null);
    watch.asked(endpoint.name, isStarting ? 'starting' : partial === null ? 'whole' : 'partial');
    const proves = partial === null && !isStarting;
    const compared = compare({ askedAt, open: read.open, unsure: read.unsure, proves, believed: believed ?? [], suspects, pace });
    suspects = compared.suspects;
    const busy = await tellAll(deps, compared.tell, askedAt);
    for (const doc of compared.clear) await clear(deps, doc, askedAt);
    say(busy ?? (partial === null ? null : `its answer proves no end: ${partial}`));
    if (busy !== null || suspects.size > 0) return Math.min(everyMs, pace.confirmMs);
    return isStarting ? Math.min(everyMs, Math.max(second, (answer.since ?? askedAt) + pace.graceMs - askedAt)) : everyMs;
  }

  async function loop(): Promise<void> {
    let due = clock.steady();
    for (let wasAway = false; !stopping.signal.aborted;) {
      const isAway = deps.isAway();
      if (wasAway && !isAway) due = clock.steady();
      wasAway = isAway;
      const mayAsk = !isAway && deps.mayAsk();
      if (!mayAsk) suspects = new Map();
      else if (clock.steady() >= due) due = clock.steady() + (await askedSafely());
      // Who may not ask looks now and then whether that has changed, however long ago it was due.
      await pause(clock, mayAsk ? Math.min(lookMs, Math.max(1, due - clock.steady())) : lookMs, stopping.signal);
    }
  }

  /** R5: a store or log that fails is the next asking's matter. */
  async function askedSafely(): Promise<Millis> {
    try {
      return await askOnce();
    } catch (error) {
      watch.asked(endpoint.name, 'failed');
      say(`asking it broke off: ${error instanceof Error ? error.message.slice(0, 200) : 'no reason given'}`);
      return Math.min(everyMs, pace.confirmMs);
    }
  }

  return {
    start: () => void (running = loop()),
    status: () => ({ endpoint: endpoint.name, answeredAt, trouble }),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Null, or why the rest has to wait. */
async function tellAll(deps: ReconcilerDeps, alerts: readonly ReadAlert[], askedAt: Instant): Promise<string | null> {
  const { endpoint, pace, watch } = deps;
  for (const { id, event, delivery } of alerts) {
    const doc = await deps.views.get('alert', id, 'all');
    if (!isNews(event, doc ?? undefined, askedAt, pace)) continue;
    const name = `reconcile:${event.fingerprint}:${event.episode}:${event.severity}:${doc?.seenAt ?? 0}`;
    const taken = await deps.accept(endpoint.name, delivery, name);
    if (taken.status === 'busy') return `what it has open waits: ${taken.why}`;
    if (taken.status === 'accepted') watch.told(endpoint.name, 'firing');
  }
  return null;
}

async function clear({ endpoint, pace, submit, watch }: ReconcilerDeps, doc: AlertDocument, askedAt: Instant): Promise<void> {
  const delivery = `${endpoint.name}:reconcile:${doc.fingerprint}:${doc.seenAt}`; // R4
  const event = endOf(doc, askedAt, pace, iso(askedAt));
  await submit({ type: 'AlertSeen', scope: doc.scope, endpoint: endpoint.name, delivery, index: 0, event });
  watch.told(endpoint.name, 'cleared');
}

/** One line for people: who answers, who does not. */
export function describeReconciling(statuses: readonly ReconcileStatus[], now: Instant): string | null {
  if (statuses.length === 0) return null;
  const well = statuses.filter(({ trouble, answeredAt }) => trouble === null && answeredAt !== null);
  const oldest = Math.max(0, ...well.map(({ answeredAt }) => now - (answeredAt ?? now)));
  const age = well.length === 0 ? '' : `, the oldest answer is ${spanOf(oldest)} old`;
  return `sources that are asked what is open: ${statuses.length}, well: ${well.length}${age}`;
}
