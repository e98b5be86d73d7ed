// Claims of calls: each waits for a slot of the executor first, and is dropped when it was not granted in time.
//   X7  A call is claimed when there is a slot for it: who waits for one holds no permission, so a crash meanwhile leaves nothing in doubt.
import type { StepRequested } from '../../core/run/facts.ts';
import type { Millis } from '../../core/time.ts';
import type { Executor } from '../../executor/executor.ts';
import type { Lane, Slot } from '../../executor/slots.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Lease } from './lease.ts';
import type { Progress } from './progress.ts';
import type { Report } from './reporter.ts';
import type { Work } from './work.ts';

/** From the claim; core gives a grant up no earlier than five seconds after this and the call's own time (core/run). */
export const beginWithinMs: Millis = 10_000;
/** Beyond it calls are not even queued, so that what waits leaves room for pages (work.ts). */
const waitingMax = 256;

export type CallName = Pick<StepRequested, 'run' | 'call'>;

export interface Claim {
  readonly request: StepRequested;
  readonly claimedAt: Millis;
  readonly slot: Slot;
  /** From now on the slot is not freed because no grant came. */
  readonly settle: () => void;
}

export interface ClaimsDeps {
  readonly clock: Clock;
  readonly worker: string;
  readonly executor: Pick<Executor, 'slot'>;
  readonly lease: Lease;
  readonly progress: Pick<Progress, 'leaveUndone'>;
  readonly work: Pick<Work, 'room' | 'begin'>;
  readonly report: Report;
  readonly stopping: AbortSignal;
}

export interface Claims {
  /** Resolves when the claim is on the log, or waits for a slot or the lease. */
  claim(request: StepRequested): Promise<void>;
  /** What this worker claimed, for whoever makes the call now. */
  take(call: CallName): Claim | undefined;
  /** Nobody needs it any more, whether it waits or is claimed. */
  drop(call: CallName): void;
  /** Claims nothing any more; what waits is left to whoever is next. */
  end(): void;
  /** Claimed, and may be granted still: one that is older was lost on the way, or went to somebody else. */
  readonly open: readonly StepRequested[];
}

export function createClaims({ clock, worker, executor, lease, progress, work, report, stopping }: ClaimsDeps): Claims {
  const claims = new Map<string, Claim>();
  /** Calls that wait for a slot. */
  const waiting = new Map<string, AbortController>();
  let ended = false;

  async function claimNow(request: StepRequested, slot: Slot): Promise<void> {
    drop(request); // an earlier claim that came to nothing
    // What was not granted in time is not begun any more: whoever else waits may have the slot.
    const settle = clock.after(beginWithinMs + 1, slot.free);
    claims.set(keyOf(request), { request, claimedAt: clock.steady(), slot, settle });
    await report({ type: 'StepClaimed', scope: request.scope, at: clock.now(), run: request.run, call: request.call, worker });
  }

  function drop(call: CallName): void {
    const claim = claims.get(keyOf(call));
    claims.delete(keyOf(call));
    claim?.settle();
    claim?.slot.free();
  }

  function sayDelayed({ scope, run, call }: StepRequested, why: string): Promise<void> {
    return report({ type: 'StepDelayed', scope, at: clock.now(), run, call, why });
  }

  /** Claims the call once it has a slot and the partition is held (X7); `goOn` when that is not at once. */
  async function claimInTurn(request: StepRequested, goOn: () => void): Promise<void> {
    const aborter = new AbortController();
    const leave = (): void => aborter.abort();
    waiting.set(keyOf(request), aborter);
    stopping.addEventListener('abort', leave, { once: true });
    const slot = await slotWhileHeld(request, aborter.signal, goOn);
    stopping.removeEventListener('abort', leave);
    waiting.delete(keyOf(request));
    if (slot !== null) return claimNow(request, slot);
    // Where we stop it is for whoever is next. Else it is over, or too many wait, of which core knows the end.
    if (stopping.aborted || ended) progress.leaveUndone();
  }

  async function slotWhileHeld(request: StepRequested, calledOff: AbortSignal, goOn: () => void): Promise<Slot | null> {
    let said: Promise<void> | null = null;
    const onWaits = (why: string): void => {
      said ??= sayDelayed(request, why);
      goOn();
    };
    while (!calledOff.aborted) {
      if (!lease.holds()) {
        goOn();
        if (!(await lease.heldBefore(() => calledOff.aborted))) return null;
      }
      const slot = await executor.slot(laneOf(request), { calledOff, onWaits });
      await said; // before the claim, in the order in which it happened
      if (slot === null || (lease.holds() && !calledOff.aborted)) return slot;
      slot.free();
    }
    return null;
  }

  return {
    async claim(request) {
      if (stopping.aborted || ended) return progress.leaveUndone();
      if (waiting.size >= waitingMax)
        return sayDelayed(request, `${waitingMax} calls of this partition wait for a slot, the most that may`);
      await work.room();
      const next = Promise.withResolvers<void>();
      work.begin(claimInTurn(request, next.resolve).finally(next.resolve));
      await next.promise;
    },
    take(call) {
      const claim = claims.get(keyOf(call));
      claims.delete(keyOf(call));
      claim?.settle();
      return claim;
    },
    drop(call) {
      drop(call);
      waiting.get(keyOf(call))?.abort();
    },
    end() {
      ended = true;
      for (const aborter of waiting.values()) aborter.abort();
    },
    get open() {
      return [...claims.values()].filter(({ claimedAt }) => clock.steady() - claimedAt <= beginWithinMs).map(({ request }) => request);
    },
  };
}

function laneOf({ phase, playbook = '' }: StepRequested): Lane {
  return { isLook: phase === 'diagnose' || phase === 'verify', playbook };
}

function keyOf({ run, call }: CallName): string {
  return `${run}|${call}`;
}
