// Steps: claims those that are requested, and carries out those that are granted to this very worker.
//   X1  An action happens only after the log granted it to this worker, and at most once per grant.
//   X4  Whoever slept through his grant does nothing: an action begins within ten seconds of its claim, and while the partition is still held.
import type { StepGranted, StepRequested } from '../../core/run/facts.ts';
import type { ActionOutcome } from '../../core/run/outcome.ts';
import type { Millis } from '../../core/time.ts';
import type { Executor } from '../../executor/executor.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Lease } from './lease.ts';
import type { Progress } from './progress.ts';
import type { Report } from './reporter.ts';
import type { Work } from './work.ts';

/** From the claim; core gives a grant up no earlier than five seconds after this and the call's own time (core/run). */
export const beginWithinMs: Millis = 10_000;

export interface ActionsDeps {
  readonly clock: Clock;
  readonly worker: string;
  readonly executor: Pick<Executor, 'act'>;
  readonly lease: Lease;
  readonly progress: Pick<Progress, 'leaveUndone'>;
  readonly work: Pick<Work, 'room' | 'begin'>;
  readonly report: Report;
  readonly stopping: AbortSignal;
}

export interface Actions {
  /** Resolves when the claim is on the log, or is under way and waits for the lease. */
  claim(fact: StepRequested): Promise<void>;
  /** Resolves when the action has begun, or is none of ours. */
  begin(fact: StepGranted): Promise<void>;
  /** The call has ended, whoever made it. */
  forget(call: Call): void;
}

type Call = Pick<StepRequested, 'run' | 'call'>;

interface Claim {
  readonly request: StepRequested;
  readonly claimedAt: Millis;
}

const tooLate: ActionOutcome = {
  outcome: 'failed',
  error: 'too_late',
  detail: 'the grant came too late to this worker; nothing was done',
  output: {},
};

export function createActions(deps: ActionsDeps): Actions {
  const { clock, worker, lease, work, report, stopping } = deps;
  /** Calls that this worker claimed. */
  const claims = new Map<string, Claim>();

  async function claimNow(request: StepRequested): Promise<void> {
    claims.set(keyOf(request), { request, claimedAt: clock.steady() });
    await report({ type: 'StepClaimed', scope: request.scope, at: clock.now(), run: request.run, call: request.call, worker });
  }

  async function claimWhenHeld(request: StepRequested): Promise<void> {
    const held = await lease.heldBefore(() => false);
    if (held && !stopping.aborted) return claimNow(request);
    deps.progress.leaveUndone();
  }

  async function act({ request, claimedAt }: Claim, key: string): Promise<void> {
    const { scope, run, call, uses, input, timeoutMs, phase, playbook = '' } = request;
    const lane = { isLook: phase === 'diagnose' || phase === 'verify', playbook };
    const isLate = (): boolean => clock.steady() - claimedAt > beginWithinMs;
    const mayAct = !stopping.aborted && (await lease.heldBefore(isLate)); // X4; nothing may come between this answer and the call
    const began = clock.steady();
    const outcome = mayAct ? await deps.executor.act(uses, { input, key, timeoutMs }, lane).catch(unknownBecause) : tooLate;
    const tookMs = Math.round(clock.steady() - began);
    await report({ type: 'StepAnswered', scope, at: clock.now(), run, call, worker, outcome, tookMs });
  }

  return {
    async claim(request) {
      if (stopping.aborted) return deps.progress.leaveUndone();
      if (lease.holds()) return claimNow(request);
      await work.room();
      work.begin(claimWhenHeld(request));
    },
    async begin(fact) {
      const claim = claims.get(keyOf(fact));
      claims.delete(keyOf(fact));
      if (fact.worker !== worker || claim === undefined) return; // X1
      await work.room();
      work.begin(act(claim, fact.key ?? `${fact.run}/${fact.call}`));
    },
    forget: (call) => void claims.delete(keyOf(call)),
  };
}

function unknownBecause(error: unknown): ActionOutcome {
  return { outcome: 'unknown', detail: `executor: ${error instanceof Error ? error.message : String(error)}` };
}

function keyOf({ run, call }: Call): string {
  return `${run}|${call}`;
}
