// The gateway's end of the executor process: asks for actions, and says honestly what became of each.
// What an action does and may do is the child's business; whether a call may be made is the log's (effects.ts).
//   E1  Every call ends with an outcome, by two seconds after its timeout; nothing here rejects.
//   E2  The time of a call counts from when a child is handed it; before that it takes a slot (slots.ts), however long that takes.
//       A call that may have reached a child which died or fell silent is `unknown`; one that was never sent has `failed`.
//   E3  A call is sent once, to one child. A new child is never asked again what an old one was asked.
//   E4  A call that is called off ends: unsent it has failed, under way the child is told to end it.
import { fork, type ChildProcess } from 'node:child_process';
import { GatewayError } from '../core/errors.ts';
import type { ActionOutcome } from '../core/run/outcome.ts';
import { backoffAfter, second, type Millis } from '../core/time.ts';
import type { ActionRequest } from '../ports/action.ts';
import type { Clock } from '../ports/clock.ts';
import { nothingDone, type Executor, type HowToCall, type HowToWait } from './executor.ts';
import type { FromExecutor, ToExecutor } from './protocol.ts';
import { Slots, type Lane, type Slot } from './slots.ts';

const inFlightMax = 16;
const waitingMax = 512;
const beginWithinMs: Millis = 5 * second;
const overdueMs: Millis = 2 * second;
const startWithinMs: Millis = 15 * second;
const answerPingMs: Millis = 2 * second;
const closeWithinMs: Millis = 3 * second;
const restart = { firstMs: 100, maxMs: 10 * second } as const;

export interface ForkedExecutor extends Executor {
  /** Of the child that takes calls now; null between two. */
  readonly pid: number | null;
}

export interface ForkOptions {
  /** Path of the child's program; it speaks protocol.ts. */
  readonly program: string;
  /** What the actions may do; goes to the child as its first message. */
  readonly config: object;
  readonly clock: Clock;
  /** The child's whole environment. The gateway's own holds secrets and stays here. */
  readonly env: { readonly [name: string]: string };
  /** Steps that the child has at once, 16 if not given; half as many looks beside them (slots.ts). */
  readonly inFlightMax?: number;
  /** Who waits for a slot, 512 if not given; one more is given none. */
  readonly waitingMax?: number;
  /** Told each time a child is lost, in one sentence. */
  readonly onLost?: (detail: string) => void;
}

interface Call {
  readonly uses: string;
  readonly request: ActionRequest;
  readonly slot: Slot;
  sent: boolean;
  cancelTimer: () => void;
  readonly end: (outcome: ActionOutcome) => void;
}

/** Starts the child; rejects with `invalid_config` when it refuses its configuration, `executor_unavailable` when it does not come up. */
export async function forkExecutor(options: ForkOptions): Promise<ForkedExecutor> {
  const executor = new Forked(options);
  try {
    await executor.started;
  } catch (error) {
    await executor.close();
    throw error;
  }
  return executor;
}

class Forked implements ForkedExecutor {
  readonly #options: ForkOptions;
  readonly #calls = new Map<number, Call>();
  readonly #started = Promise.withResolvers<void>();
  /** What the child was sent and has not answered, late ones included. */
  readonly #running = new Map<number, { readonly key: string; readonly slot: Slot }>();
  readonly #slots: Slots;
  /** The same of children that were lost; the next child ends what still runs of it before it is ready. */
  readonly #orphans = new Set<string>();
  #child: ChildProcess | null = null;
  #ready = false;
  #closed = false;
  #lastId = 0;
  /** Children lost in a row without an answer. */
  #losses = 0;
  #cancelRestart = (): void => {};
  #cancelPing: (() => void) | null = null;

  constructor(options: ForkOptions) {
    this.#options = options;
    this.#slots = new Slots(options.inFlightMax ?? inFlightMax, options.waitingMax ?? waitingMax);
    this.#start();
  }

  get started(): Promise<void> {
    return this.#started.promise;
  }

  get pid(): number | null {
    return this.#ready ? (this.#child?.pid ?? null) : null;
  }

  slot(lane: Lane, { calledOff, onWaits }: HowToWait): Promise<Slot | null> {
    return this.#closed ? Promise.resolve(null) : this.#slots.take(lane, calledOff, onWaits);
  }

  act(
    uses: string,
    request: ActionRequest,
    { slot, calledOff, beginWithinMs: withinMs = beginWithinMs }: HowToCall,
  ): Promise<ActionOutcome> {
    const refused = this.#closed ? nothingDone('closed', 'the executor is closed') : calledOff?.aborted === true ? calledOffInTime : null;
    if (refused !== null) {
      slot.free();
      return Promise.resolve(refused);
    }
    const id = (this.#lastId += 1);
    const onCalledOff = (): void => this.#callOff(id);
    return new Promise((resolve) => {
      const end = (outcome: ActionOutcome): void => {
        call.cancelTimer();
        calledOff?.removeEventListener('abort', onCalledOff);
        this.#calls.delete(id);
        if (!this.#running.has(id)) slot.free(); // else the child has it until it answers
        resolve(outcome);
      };
      const away = (): void => end(nothingDone('executor_unavailable', `no executor process took it within ${withinMs}ms`));
      const call: Call = { uses, request, slot, sent: false, cancelTimer: this.#options.clock.after(withinMs, away), end };
      this.#calls.set(id, call);
      calledOff?.addEventListener('abort', onCalledOff, { once: true });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#slots.end();
    this.#cancelRestart();
    for (const call of this.#calls.values()) if (!call.sent) call.end(nothingDone('closed', 'the executor is closed'));
    const child = this.#child;
    if (child === null) return;
    this.#send({ type: 'stop' });
    const cancel = this.#options.clock.after(closeWithinMs, () => child.kill('SIGKILL'));
    // Its last answers come before `disconnect`.
    await Promise.all([
      happened(child, 'exit', child.exitCode !== null || child.signalCode !== null),
      happened(child, 'disconnect', !child.connected),
    ]);
    cancel();
    this.#lost(child, 'closed');
  }

  #start(): void {
    let child: ChildProcess;
    try {
      child = this.#fork();
    } catch (error) {
      // Out of memory or process numbers: both may pass.
      return this.#again(`it could not be started: ${error instanceof Error ? error.message : 'no reason given'}`);
    }
    this.#child = child;
    const cancel = this.#options.clock.after(startWithinMs, () => child.kill('SIGKILL'));
    child.on('message', (message) => {
      // Only the program named by the operator is on this channel.
      this.#handle(message as FromExecutor, cancel);
    });
    child.once('error', (error) => {
      if (child.pid === undefined) this.#lost(child, `it could not be started: ${error.message}`);
    });
    // After `disconnect` no more answers come; `exit` alone may overtake the last of them.
    child.once('disconnect', () => {
      cancel();
      child.kill('SIGKILL');
      this.#lost(child, 'it ended');
    });
    this.#send({ type: 'start', config: this.#options.config, orphans: [...this.#orphans] });
  }

  #fork(): ChildProcess {
    return fork(this.#options.program, [], {
      env: { ...this.#options.env },
      execArgv: ['--max-semi-space-size=1', '--disable-sigusr1'],
      // Its own session: what a terminal sends to the gateway does not reach it.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  #handle(message: FromExecutor, comeUp: () => void): void {
    this.#cancelPing?.();
    this.#cancelPing = null;
    switch (message.type) {
      case 'ready':
        comeUp();
        this.#ready = true;
        this.#orphans.clear();
        this.#started.resolve();
        this.#slots.open();
        this.#next();
        return;
      case 'refused':
        this.#started.reject(new GatewayError('invalid_config', message.message));
        return;
      case 'outcome':
        this.#losses = 0;
        this.#release(message.id);
        this.#calls.get(message.id)?.end(message.outcome);
        return;
      case 'pong':
        return;
      default:
        message satisfies never;
    }
  }

  /** Hands calls to the child that came while there was none. */
  #next(): void {
    for (const [id, call] of this.#calls) if (this.#ready && !call.sent) this.#hand(id, call);
  }

  /** E3 */
  #hand(id: number, call: Call): void {
    const { uses, request, slot } = call;
    call.sent = true;
    call.cancelTimer();
    call.cancelTimer = this.#options.clock.after(request.timeoutMs + overdueMs, () => this.#overdue(id)); // E2
    this.#running.set(id, { key: request.key, slot });
    this.#send({ type: 'act', id, uses, request });
  }

  /** The child has answered, or is gone. */
  #release(id: number): void {
    const running = this.#running.get(id);
    this.#running.delete(id);
    running?.slot.free();
  }

  /** The child ends what it does for the call, and its answer says how far that had come. */
  #callOff(id: number): void {
    const call = this.#calls.get(id);
    if (call?.sent === false) return call.end(calledOffInTime);
    this.#send({ type: 'abort', id });
  }

  #overdue(id: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    call.end(unknown(call, `no answer within ${call.request.timeoutMs + overdueMs}ms`));
    this.#send({ type: 'abort', id });
    this.#ping();
  }

  /** A child that let a deadline pass is asked for a sign of life, and replaced when none comes. */
  #ping(): void {
    const child = this.#child;
    if (child === null || this.#cancelPing !== null) return;
    this.#cancelPing = this.#options.clock.after(answerPingMs, () => child.kill('SIGKILL'));
    this.#send({ type: 'ping' });
  }

  /** Ends what the child had been asked, and starts another one after a while. */
  #lost(child: ChildProcess, why: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#ready = false;
    this.#cancelPing?.();
    this.#cancelPing = null;
    this.#slots.close(`the executor process was lost: ${why}`);
    for (const { key } of this.#running.values()) this.#orphans.add(key);
    for (const id of this.#running.keys()) this.#release(id);
    for (const call of this.#calls.values()) if (call.sent) call.end(unknown(call, `the executor process was lost: ${why}`)); // E2
    this.#again(why);
  }

  #again(why: string): void {
    this.#started.reject(new GatewayError('executor_unavailable', `the executor process did not come up: ${why}`));
    if (this.#closed) return;
    this.#losses += 1;
    const waitMs = backoffAfter(this.#losses, restart);
    this.#options.onLost?.(`the executor process was lost: ${why}; the next one starts in ${waitMs}ms`);
    this.#cancelRestart = this.#options.clock.after(waitMs, () => this.#start());
  }

  #send(message: ToExecutor): void {
    // A channel that breaks is told by `disconnect`.
    if (this.#child?.connected === true) this.#child.send(message, () => {});
  }
}

const calledOffInTime = nothingDone('aborted', 'it was called off');

function happened(child: ChildProcess, event: 'exit' | 'disconnect', already: boolean): Promise<void> {
  return new Promise((resolve) => {
    if (already || child.pid === undefined) return resolve();
    child.once(event, () => resolve());
  });
}

function unknown(call: Call, why: string): ActionOutcome {
  return { outcome: 'unknown', detail: `executor: ${call.uses} was sent, ${why}` };
}
