// Failing open over time: real intake, engine, spool and stores in memory; virtual time. Who decides is a service with the role `host`; a gateway whose
// decider has stopped is one without it.
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryJournal } from '../../../adapters/memory/journal.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import type { AlertEvent } from '../../../src/core/alert/event.ts';
import type { AlertSeen } from '../../../src/core/alert/facts.ts';
import type { AlertDecided } from '../../../src/core/decide/facts.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Notification, NotifyOutcome } from '../../../src/core/page/notification.ts';
import { everyScope } from '../../../src/core/stamp.ts';
import { hour, minute, second } from '../../../src/core/time.ts';
import { startDecisionFeed } from '../../../src/engine/failopen/decision-feed.ts';
import { createFailOpen, type FailOpen } from '../../../src/engine/failopen/failopen.ts';
import { createKeptPages } from '../../../src/engine/failopen/kept.ts';
import { createIntake, type Intake } from '../../../src/engine/intake/intake.ts';
import { partitionOf } from '../../../src/engine/intake/scope.ts';
import { openSpool, type Spool } from '../../../src/engine/spool/spool.ts';
import type { Service } from '../../../src/engine/service.ts';
import { alertId } from '../../../src/readmodel/documents.ts';
import type { EventLog } from '../../../src/ports/event-log.ts';
import type { Journal } from '../../../src/ports/journal.ts';
import type { Notifier } from '../../../src/ports/notifier.ts';
import type { Role } from '../../../src/ports/shares.ts';
import type { Parsed, Source } from '../../../src/ports/source.ts';
import type { Store } from '../../../src/ports/store.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';
import { eventOf } from '../../support/event.ts';
import { policyOf } from '../../support/policy.ts';
import { loneService } from '../lone-service.ts';

const partitions = 2;

export interface Rig {
  readonly clock: VirtualClock;
  readonly shared: Store;
  /** What the notifier took: pages, and ends. */
  readonly pages: Notification[];
  readonly ends: Notification[];
  /** Keys whose page is open at the vendor. */
  readonly open: Set<string>;
  readonly attempts: Notification[];
  readonly counted: string[];
  readonly troubles: string[];
  /** Pages that the next life will know of, by key. */
  readonly kept: Map<string, string>;
  /** How the record of pages takes a word; null: as it should. */
  journalSays: (() => Promise<void>) | null;
  failOpen: FailOpen;
  intake: Intake;
  spool: Spool | null;
  service: Service;
  /** What the notifier says to an attempt. */
  says: (notification: Notification) => NotifyOutcome;
  /** `lost`: inputs are written, and the answer does not come; `hung`: they fail after five minutes. */
  away: boolean | 'lost' | 'hung';
  /** The log takes all but inputs that tell of a firing alert. */
  refusesFirings: boolean;
  /** Another life on the same stores. */
  live(roles: readonly Role[]): Promise<void>;
  /** In this life somebody decides from now on, everything that the log has. */
  decide(): Promise<void>;
}

/** Alerts as JSON, so that a test says what it means. */
const plain: Source = {
  name: 'plain',
  parse: ({ body }) => ({ ok: true, value: { events: JSON.parse(body) as Parsed['events'], warnings: [] } }),
};

export async function rig(roles: readonly Role[], options: { readonly spooled?: boolean } = {}): Promise<Rig> {
  const clock = virtualClock();
  const shared = memoryStore({ disk: memoryDisk(), partitions, clock });
  const own = memoryDisk();
  const kept = new Map<string, string>();
  let lives = 0;
  let ids = 0;
  let stopDecisionFeed = async (): Promise<void> => {};
  const attempts: Notification[] = [];
  const pages: Notification[] = [];
  const ends: Notification[] = [];
  const open = new Set<string>();
  const counted: string[] = [];
  const troubles: string[] = [];
  const onTrouble = (error: unknown): void => void troubles.push(error instanceof Error ? error.message : String(error));
  const notifier: Notifier = {
    async deliver(notification) {
      attempts.push(notification);
      const outcome = made.says(notification);
      if (outcome.outcome !== 'accepted') return outcome;
      (notification.kind === 'resolve' ? ends : pages).push(notification);
      if (notification.kind === 'resolve') open.delete(notification.dedupKey);
      else open.add(notification.dedupKey);
      return outcome;
    },
  };
  const log: EventLog = {
    ...shared.log,
    append: async (topic, batch) => {
      const [first] = batch.values as readonly Partial<AlertSeen>[];
      const isFiring = first?.type === 'AlertSeen' && first.event?.claim === 'firing';
      if (made.away === true || (made.refusesFirings && isFiring)) throw new GatewayError('log_unavailable', 'no broker answers');
      if (made.away === 'hung') {
        await new Promise<void>((resolve) => void clock.after(5 * minute, resolve));
        throw new GatewayError('log_unavailable', 'no broker answers');
      }
      const offset = await shared.log.append(topic, batch);
      if (made.away !== 'lost' || topic === 'facts') return offset;
      await new Promise<void>((resolve) => void clock.after(3 * second, resolve));
      throw new GatewayError('log_unavailable', 'no answer');
    },
  };

  function journal(): Journal {
    const real = memoryJournal(kept);
    return { ...real, write: async (entry) => (made.journalSays === null ? real.write(entry) : made.journalSays()) };
  }

  async function serve(now: readonly Role[]): Promise<Service> {
    const service = loneService(shared, { roles: new Set(now), shared: { ...shared, log }, clock, onTrouble });
    await service.start();
    return service;
  }

  async function live(now: readonly Role[]): Promise<void> {
    lives += 1;
    own.crash();
    const failOpen = createFailOpen({
      clock,
      afterMs: 2 * minute,
      notifiers: new Map([['oncall', notifier]]),
      notify: ['oncall'],
      partitionOf: (scope) => partitionOf(scope, partitions),
      awaySince: () => made.spool?.status().awaySince ?? null,
      seesDecisions: now.includes('project'),
      async known(scope, fingerprint, observedAt) {
        const held = await shared.views.get('alert', alertId(scope, fingerprint), [scope]);
        if (held?.state === 'cleared') return (held.clearedAt ?? 0) >= observedAt;
        return held?.state === 'firing' && held.severity === 'critical';
      },
      async became(scope, fingerprint, since) {
        const held = await shared.views.get('alert', alertId(scope, fingerprint), [scope]);
        if (held === null || held.seenAt < since) return null;
        return held.state === 'cleared' ? 'cleared' : 'decided';
      },
      kept: createKeptPages({ journal: journal(), clock, onTrouble }),
      installation: () => 'here',
      keepTryingMs: 2 * hour,
      instance: 'one',
      paged: (about) => void counted.push(about),
      attempted: () => {},
      onTrouble,
    });
    const service = await serve(now);
    await stopDecisionFeed();
    if (now.includes('project')) stopDecisionFeed = startDecisionFeed({ log, clock, onTrouble }, failOpen.shown);
    const spool = !options.spooled
      ? null
      : await openSpool({
          shared: log,
          store: memoryStore({ disk: own, partitions: 1, clock }),
          deadLetters: shared.deadLetters,
          clock,
          bytesMax: 1_048_576,
          ageMaxMs: hour,
          watch: { spooled: failOpen.spooled, sent: failOpen.sent, buried() {} },
          onTrouble,
        });
    const intake = await createIntake({
      log: spool?.log ?? log,
      deadLetters: shared.deadLetters,
      endpoints: [{ name: 'in', source: plain, tenant: 'acme', scopeLabels: [] }],
      clock,
      lagOf: () => 0,
      lagMax: 100_000,
      onAccepted() {},
      offered: failOpen.offered,
      ...(options.spooled ? { newId: () => `life${lives}.${(ids += 1)}` } : {}),
    });
    Object.assign(made, { failOpen, service, spool, intake });
  }

  const made = {
    clock,
    shared,
    attempts,
    pages,
    ends,
    open,
    counted,
    troubles,
    kept,
    journalSays: null,
    away: false,
    refusesFirings: false,
    says: () => ({ outcome: 'accepted', detail: '' }),
    live,
    async decide() {
      await made.service.stop(0);
      made.service = await serve(['host', 'project']);
    },
  } as unknown as Rig; // the rest is put in by `live`
  await live(roles);
  await made.intake.submit({ type: 'PolicyPublished', scope: everyScope, policy: policyOf() });
  await clock.settle();
  return made;
}

export async function fire(made: Rig, events: readonly AlertEvent[], id = ''): Promise<string> {
  const body = JSON.stringify(events);
  return (await made.intake.accept('in', { headers: {}, body, path: '', receivedAt: made.clock.now() }, id)).status;
}

export async function fireAll(made: Rig, from: number, to: number): Promise<void> {
  const events = Array.from({ length: to - from }, (_, place) => nth(from + place));
  for (let place = 0; place < events.length; place += 250) await fire(made, events.slice(place, place + 250));
}

export function nth(number: number): AlertEvent {
  return eventOf({ entity: { host: `web${number}`, service: 'shop' } });
}

export function decisionAt(at: number, about: AlertEvent = eventOf()): AlertDecided {
  return {
    type: 'AlertDecided',
    scope: 'acme',
    seq: 1,
    at,
    fingerprint: about.fingerprint,
    change: 'opened',
    incident: null,
    decision: 'record',
    reason: '',
    score: null,
    delivery: '',
    index: 0,
    offset: 0,
  };
}
