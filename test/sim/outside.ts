// What lies beyond the gateway: machines that are acted on, and vendors that take messages. Both write down what really happened
// to them, which need not be what they answer.
import type { Notification, NotifyOutcome } from '../../src/core/page/notification.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import { minute, second, type Millis } from '../../src/core/time.ts';
import type { Executor } from '../../src/executor/executor.ts';
import { Slots } from '../../src/executor/slots.ts';
import type { ActionRequest } from '../../src/ports/action.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import type { SimClock } from './clock.ts';
import type { Plan, Point } from './faults.ts';
import type { Ledger } from './ledger.ts';
import { notifierNames } from './policy.ts';
import type { Random } from './random.ts';

/** A process as the outside sees it: a dead one is answered by nobody. */
export interface Caller {
  readonly life: number;
  readonly worker: string;
  readonly alive: () => boolean;
  /** Answers reach it only while it is not frozen. */
  readonly through: <T>(call: () => Promise<T>) => Promise<T>;
}

export interface Outside {
  executorFor(caller: Caller): Executor;
  notifiersFor(caller: Caller): ReadonlyMap<string, Notifier>;
  /** Actions that are at work now. */
  readonly atWork: number;
}

export interface OutsideParts {
  readonly random: Random;
  /** For vendors that are down a third of the time. */
  readonly others: Random;
  readonly clock: SimClock;
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly point: (point: Point, life: number) => void;
  /** False once the faults are over. */
  readonly chaos: () => boolean;
  readonly healthy: (host: string) => boolean;
  /** Something was done to a host that may cure it. */
  readonly treat: (host: string) => void;
}

/** How a vendor is that is down a third of the time: well, or in which way not. `unheard`: it takes the message, and its answer is lost. */
export type Condition = 'well' | 'refused' | 'never' | 'failing' | 'busy' | 'unheard';

type NotifierName = (typeof notifierNames)[number];

interface Calls {
  readonly signal: AbortSignal;
  readonly withdrawn: AbortSignal;
}

const lateMs: Millis = 15 * second;
const greetingMaxS = 40;
/** Every third life of a gateway can do little at a time. */
const fewSlots = 2;
const manySlots = 16;
const slotsWaitingMax = 8;

export function createOutside(parts: OutsideParts): Outside {
  const { random, clock, ledger, plan, point } = parts;
  const conditionOf = drawConditions(parts.others);
  let atWork = 0;
  const wait = (span: Millis): Promise<void> => new Promise((resolve) => void clock.after(span, resolve));
  const never = <T>(): Promise<T> => new Promise<T>(() => {});

  async function act(caller: Caller, uses: string, { input, key, timeoutMs }: ActionRequest): Promise<ActionOutcome> {
    if (!caller.alive()) return never();
    atWork += 1;
    try {
      point('act', caller.life);
      if (!caller.alive()) return await never<ActionOutcome>();
      ledger.act({ key, worker: caller.worker, uses });
      const host = String(input['host']);
      const bad = parts.chaos() && random.chance(plan.badTargets);
      await wait(random.chance(0.5) ? random.int(5, 500) : random.int(second, timeoutMs - second));
      const outcome = bad ? badOutcome(timeoutMs) : outcomeOf(uses, host);
      if (uses !== 'sim/look' && outcome.outcome !== 'failed') parts.treat(host);
      point('acted', caller.life);
      if (!caller.alive()) return await never<ActionOutcome>();
      if (bad) await wait(random.pick([0, timeoutMs, timeoutMs + lateMs]));
      return outcome;
    } finally {
      atWork -= 1;
    }
  }

  function outcomeOf(uses: string, host: string): ActionOutcome {
    if (random.chance(0.12)) return { outcome: 'failed', error: 'exit', detail: 'exit code 1', output: {} };
    return { outcome: 'ok', output: uses === 'sim/look' ? { healthy: parts.healthy(host) } : {} };
  }

  function badOutcome(timeoutMs: Millis): ActionOutcome {
    return random.chance(0.5)
      ? { outcome: 'unknown', detail: `no answer within ${timeoutMs}ms` }
      : { outcome: 'failed', error: 'exit', detail: 'exit code 2', output: {} };
  }

  async function deliver(
    caller: Caller,
    name: NotifierName,
    notification: Notification,
    { signal, withdrawn }: Calls,
  ): Promise<NotifyOutcome> {
    if (!caller.alive()) return never();
    point('deliver', caller.life);
    if (!caller.alive()) return never();
    const { id, kind, page, era = 0, formerEras = [] } = notification;
    const condition = conditionOf(name, clock.steady());
    const bad = parts.chaos() ? random.chance(plan.badNotifiers) : random.chance(0.05);
    ledger.handed(name, notification, condition);
    if (parts.chaos() && parts.others.chance(plan.slowGreetings)) {
      const isGreeted = await greeted([signal, withdrawn]);
      if (!caller.alive()) return never();
      ledger.reach(isGreeted ? 'server greets slowly' : 'words called back before they left');
      if (!isGreeted) return { outcome: 'deferred', retryAfterMs: 0, detail: 'nothing sent' };
    }
    ledger.left(notification);
    await wait(random.int(20, 800));
    const how =
      condition !== null
        ? hows[condition]
        : bad
          ? random.pick(['deferred', 'refused', 'lost', 'unknown', 'never', 'late', 'throws'] as const)
          : 'accepted';
    const arrives =
      condition === 'unheard' ||
      how === 'accepted' ||
      how === 'late' ||
      (condition === null && (how === 'unknown' || how === 'throws') && random.chance(0.5));
    if (arrives) ledger.arrived.push({ id, notifier: name, kind, page, era, formerEras, life: caller.life, seen: ledger.moment() });
    point('delivered', caller.life);
    if (!caller.alive()) return never();
    ledger.reach(`notifier: ${how}`);
    switch (how) {
      case 'accepted':
        return { outcome: 'accepted', detail: '' };
      case 'deferred':
        return {
          outcome: 'deferred',
          retryAfterMs: condition === 'failing' ? 0 : random.int(second, 90 * second),
          detail: 'too many requests',
        };
      case 'refused':
        return { outcome: 'refused', detail: 'no such recipient' };
      case 'lost':
      case 'unknown':
        return { outcome: 'unknown', detail: 'no answer' };
      case 'throws':
        throw new Error('the notifier has a bug');
      case 'late':
        await wait(random.int(10, 40) * second);
        return { outcome: 'accepted', detail: 'late' };
      case 'never':
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        return { outcome: 'unknown', detail: 'aborted' };
    }
  }

  /** A server that lets us wait for its greeting; until then the words can be called back. */
  function greeted(calls: readonly AbortSignal[]): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    clock.after(parts.others.int(1, greetingMaxS) * second, () => resolve(true));
    for (const call of calls) call.addEventListener('abort', () => resolve(false), { once: true });
    return promise;
  }

  return {
    executorFor(caller) {
      const slots = new Slots(caller.life % 3 === 0 ? fewSlots : manySlots, slotsWaitingMax);
      slots.open();
      return {
        slot: (lane, { calledOff, onWaits }) =>
          caller.through(() =>
            slots.take(lane, calledOff, (why) => {
              ledger.reach('call waits for a slot');
              onWaits(why);
            }),
          ),
        act: (uses, request, { slot }) => caller.through(() => act(caller, uses, request).finally(slot.free)),
        close: () => Promise.resolve(),
      };
    },
    notifiersFor: (caller) =>
      new Map(
        notifierNames.map((name) => [
          name,
          {
            deliver: (notification, signal, withdrawn = new AbortController().signal) =>
              caller.through(() => deliver(caller, name, notification, { signal, withdrawn })),
          },
        ]),
      ),
    get atWork() {
      return atWork;
    },
  };
}

const hows = { well: 'accepted', refused: 'refused', never: 'never', failing: 'deferred', busy: 'deferred', unheard: 'unknown' } as const;

/** How each notifier is at a moment; null for all of them where vendors are none of the world's troubles. */
function drawConditions(random: Random): (name: NotifierName, steady: Millis) => Condition | null {
  if (!random.chance(0.35)) return () => null;
  const spells = new Map(
    notifierNames.map((name) => {
      const ways: readonly Condition[] = Array.from({ length: 8 }, () => random.pick(['refused', 'never', 'failing', 'busy', 'unheard']));
      return [name, { downMs: random.int(second, 6 * minute), phase: random.int(0, 18 * minute), ways }];
    }),
  );
  return (name, steady) => {
    const spell = spells.get(name);
    if (spell === undefined) return 'well';
    const { downMs, phase, ways } = spell;
    const at = steady + phase;
    const isDown = at % (3 * downMs) < downMs;
    return isDown ? (ways[Math.floor(at / (3 * downMs)) % ways.length] ?? 'refused') : 'well';
  };
}
