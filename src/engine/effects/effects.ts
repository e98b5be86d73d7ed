// The hands of the gateway: claims requested steps, acts only on a grant to this very worker, delivers notifications, reports back.
// Rules are core's; this file keeps order, bounds and deadlines.
//   X1  An action happens only after the log granted it to this worker, and at most once per grant.
//   X2  A notification is delivered at least once, with the same id; a restart repeats only what had not been answered.
//   X3  A slow target or notifier holds up nobody else, within the bounds below.
//   X4  Whoever slept through his grant does nothing: an action begins within ten seconds of its claim, and while the partition is still held.
import type { NotifyRequested } from '../../core/page/facts.ts';
import type { Notification, NotifyOutcome } from '../../core/page/notification.ts';
import type { Fact, Input } from '../../core/records.ts';
import type { StepGranted, StepRequested } from '../../core/run/facts.ts';
import type { ActionOutcome } from '../../core/run/outcome.ts';
import type { Millis } from '../../core/time.ts';
import type { Executor } from '../../executor/client.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cursors } from '../../ports/cursors.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { pause } from '../async/pause.ts';
import { deliver } from '../delivery.ts';
import { createTail, placeIn } from '../tail.ts';

const factsPerRead = 256;
const underWayMax = 512;
const cursorEveryMs: Millis = 200;
const retryAppendMs: Millis = 500;
/** From the claim; core gives a grant up no earlier than five seconds after this and the call's own time (run.ts). */
const beginWithinMs: Millis = 10_000;
const askAgainMs: Millis = 100;
const cursorName = 'effects';

export interface EffectsDeps {
  readonly partition: number;
  readonly log: EventLog;
  readonly cursors: Cursors;
  readonly clock: Clock;
  /** Unlike any other worker, living or dead: of a process that gets a partition a second time, too. */
  readonly worker: string;
  /** Whether, by our own clock, the partition is still ours to act for. */
  readonly holds: () => boolean;
  /** Told how far the cursor has come, each time it moves. */
  readonly onPassed: (offset: number) => void;
  readonly executor: Executor;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** Adds what core cannot know: links to the gateway, signed. */
  readonly dress: (notification: Notification) => Notification;
  readonly onTrouble: (error: unknown) => void;
}

export interface Effects {
  start(): Promise<void>;
  /** Takes up nothing new and waits for what is under way, at most so long. */
  stop(graceMs: Millis): Promise<void>;
  readonly underWay: number;
}

export function createEffects(deps: EffectsDeps): Effects {
  const { partition, log, clock } = deps;
  const requested = new Map<string, { readonly fact: StepRequested; readonly claimedAt: Millis }>();
  /** Attempts that were answered before this process started. */
  let answered = new Set<string>();
  const pending = new Map<number, Promise<void>>();
  const aborter = new AbortController();
  let ticket = 0;
  let passed = 0;
  let saved = 0;
  let cancelSave: (() => void) | null = null;
  let stopping = false;
  /** Something was left undone because we stop: the cursor stays before it, for whoever is next (F2). */
  let leftUndone = false;
  let wakeRoom: () => void = () => {};
  const barriers: { readonly before: number; readonly end: number }[] = [];

  const placed = async (at: number): Promise<void> => void (answered = await answersSince(at));
  const tail = createTail({ partition, log, clock, batch: factsPerRead, placed, onTrouble: deps.onTrouble }, async (facts, end) => {
    for (const fact of facts) await take(fact);
    barriers.push({ before: ticket, end });
    advance();
  });

  async function take(fact: Fact): Promise<void> {
    if (fact.type === 'StepRequested') return claim(fact);
    if (fact.type === 'StepGranted') return begin(fact);
    if (fact.type === 'StepFinished') requested.delete(keyOf(fact));
    if (fact.type === 'NotifyRequested' && !answered.has(attemptOf(fact))) {
      await room();
      track(notify(fact));
    }
  }

  async function claim(fact: StepRequested): Promise<void> {
    if (stopping) return leave();
    if (deps.holds()) return claimNow(fact);
    await room();
    track(heldBefore(() => false).then((held) => (held && !stopping ? claimNow(fact) : leave())));
  }

  async function claimNow(fact: StepRequested): Promise<void> {
    requested.set(keyOf(fact), { fact, claimedAt: clock.steady() });
    await tell({ type: 'StepClaimed', scope: fact.scope, at: clock.now(), run: fact.run, call: fact.call, worker: deps.worker });
  }

  /** Waits while the partition is not surely ours; false when it is over before, or we are about to stop. */
  async function heldBefore(over: () => boolean): Promise<boolean> {
    while (!deps.holds()) {
      if (stopping || over()) return false;
      await pause(clock, askAgainMs);
    }
    return !over();
  }

  async function begin(fact: StepGranted): Promise<void> {
    const request = requested.get(keyOf(fact));
    requested.delete(keyOf(fact));
    if (fact.worker !== deps.worker || request === undefined) return; // X1
    await room();
    track(act(request.fact, request.claimedAt));
  }

  async function act(request: StepRequested, claimedAt: Millis): Promise<void> {
    const { scope, run, call, input, timeoutMs } = request;
    const late = (): boolean => clock.steady() - claimedAt > beginWithinMs;
    const mayAct = !stopping && (await heldBefore(late)); // X4; nothing may come between this answer and the call
    const began = clock.steady();
    const outcome: ActionOutcome = !mayAct
      ? { outcome: 'failed', error: 'too_late', detail: 'the grant came too late to this worker; nothing was done', output: {} }
      : await deps.executor
          .act(request.uses, { input, key: `${run}/${call}`, timeoutMs })
          .catch((error: unknown): ActionOutcome => ({ outcome: 'unknown', detail: `executor: ${textOf(error)}` }));
    await tell({
      type: 'StepAnswered',
      scope,
      at: clock.now(),
      run,
      call,
      worker: deps.worker,
      outcome,
      tookMs: Math.round(clock.steady() - began),
    });
  }

  async function notify(fact: NotifyRequested): Promise<void> {
    const { scope, page, notifier: name, notification } = fact;
    const askedAt = clock.steady();
    // Who slept may hear now that another has told people already; a page is late for that at most so long, and goes out all the same.
    await heldBefore(() => clock.steady() - askedAt > beginWithinMs);
    if (stopping && !deps.holds()) return leave();
    const notifier = deps.notifiers.get(name);
    const outcome =
      notifier === undefined
        ? refused(`no notifier ${name} is configured`)
        : await deliver(notifier, deps.dress(notification), { clock, stopping: aborter.signal, onTrouble: deps.onTrouble });
    if (stopping && outcome.outcome === 'unknown') return leave();
    await tell({ type: 'NotifyAnswered', scope, at: clock.now(), page, notification: notification.id, outcome });
  }

  /** Appends an answer; a log that is away is tried again until the process ends: an answer lost is an `unknown`. */
  async function tell(input: Input): Promise<void> {
    for (;;) {
      try {
        await log.append('inputs', { partition, scope: input.scope, values: [input] });
        return;
      } catch (error) {
        deps.onTrouble(error);
        if (stopping) return leave();
        await pause(clock, retryAppendMs);
      }
    }
  }

  function track(work: Promise<void>): void {
    const mine = ticket;
    ticket += 1;
    const done = work.catch(deps.onTrouble).finally(() => {
      pending.delete(mine);
      wakeRoom();
      advance();
    });
    pending.set(mine, done);
  }

  async function room(): Promise<void> {
    while (pending.size >= underWayMax && !stopping) await new Promise<void>((resolve) => (wakeRoom = resolve)); // X3
  }

  function leave(): void {
    leftUndone = true;
  }

  /** Moves the cursor behind every batch whose work has ended, and saves it soon (F2). */
  function advance(): void {
    if (leftUndone) return;
    const oldest = pending.keys().next().value ?? ticket;
    while (barriers[0] !== undefined && barriers[0].before <= oldest) passed = barriers.shift()?.end ?? passed;
    if (passed === saved || cancelSave !== null) return;
    cancelSave = clock.after(cursorEveryMs, () => {
      cancelSave = null;
      void saveCursor();
    });
  }

  async function saveCursor(): Promise<void> {
    if (passed === saved) return;
    const at = passed;
    try {
      await deps.cursors.save(cursorName, partition, at);
      saved = at;
      deps.onPassed(at);
    } catch (error) {
      deps.onTrouble(error);
    }
  }

  /** Notifications between cursor and end that were answered already need no repeat (X2). */
  async function answersSince(from: number): Promise<Set<string>> {
    const done = new Set<string>();
    const end = await log.end('facts', partition, Infinity); // it moves on while we read
    for (let at = from; at < end;) {
      const records = await log.read('facts', partition, at, 1_000);
      const last = records.at(-1);
      if (last === undefined) break;
      for (const record of records) {
        const fact = record.value as Fact; // written by the host only
        if (fact.type === 'NotifyFinished') done.add(`${fact.notification}#${fact.attempt}`);
      }
      at = last.offset + 1;
    }
    return done;
  }

  return {
    async start() {
      passed = await placeIn(log, 'facts', partition, await deps.cursors.load(cursorName, partition), deps.onTrouble);
      saved = passed;
      answered = await answersSince(passed);
      if (!stopping) tail.start(passed);
    },
    async stop(graceMs) {
      stopping = true;
      wakeRoom();
      await tail.stop();
      let cancelGrace: () => void = () => {};
      const graceOver = new Promise<void>((resolve) => (cancelGrace = clock.after(graceMs, resolve)));
      await Promise.race([Promise.all(pending.values()), graceOver]);
      cancelGrace();
      aborter.abort();
      cancelSave?.();
      await saveCursor();
    },
    get underWay() {
      return pending.size;
    },
  };
}

function keyOf(fact: { readonly run: string; readonly call: string }): string {
  return `${fact.run}|${fact.call}`;
}

function attemptOf(fact: NotifyRequested): string {
  return `${fact.notification.id}#${fact.attempt}`;
}

function refused(detail: string): NotifyOutcome {
  return { outcome: 'refused', detail };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
