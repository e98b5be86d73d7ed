// Steps: claims those that are requested, and carries out those that are granted to this very worker.
//   X1  An action happens only after the log granted it to this worker, and at most once per grant.
//   X4  Whoever slept through his grant does nothing: an action begins within ten seconds of its claim, and while the partition is still held.
import type { StepCalledOff, StepGranted, StepRequested } from '../../core/run/facts.ts';
import type { ActionOutcome } from '../../core/run/outcome.ts';
import type { Millis } from '../../core/time.ts';
import type { Executor } from '../../executor/executor.ts';
import type { Clock } from '../../ports/clock.ts';
import { createBell } from '../async/bell.ts';
import { pause } from '../async/pause.ts';
import type { Lease } from './lease.ts';
import type { Progress } from './progress.ts';
import type { Report } from './reporter.ts';
import type { Work } from './work.ts';

/** From the claim; core gives a grant up no earlier than five seconds after this and the call's own time (core/run). */
export const beginWithinMs: Millis = 10_000;
const claimLookMs: Millis = 100;

/** A step that this worker has claimed or is making. */
export interface StepUnderWay {
  readonly run: string;
  readonly call: string;
  readonly uses: string;
  readonly timeoutMs: Millis;
  /** By the steady clock, when it was granted; null while it is only claimed. */
  readonly since: Millis | null;
}

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
  /** Ends the call midway, if this worker is making it; its answer is reported like any other. */
  callOff(fact: StepCalledOff): void;
  /** The call has ended, whoever made it. */
  forget(call: Call): void;
  /** Claims nothing new from now on; resolves when no claim of before is open and no call is under way. */
  drain(): Promise<void>;
  readonly underWay: readonly StepUnderWay[];
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
  /** Calls that were granted to this worker and have not ended. */
  const granted = new Map<string, { readonly aborter: AbortController; readonly step: StepUnderWay }>();
  const ends = createBell();
  let draining = false;
  /** A claim that is older was lost on the way, or went to somebody else. */
  const isOpen = ({ claimedAt }: Claim): boolean => clock.steady() - claimedAt <= beginWithinMs;
  const openClaims = (): readonly Claim[] => [...claims.values()].filter(isOpen);

  async function claimNow(request: StepRequested): Promise<void> {
    claims.set(keyOf(request), { request, claimedAt: clock.steady() });
    await report({ type: 'StepClaimed', scope: request.scope, at: clock.now(), run: request.run, call: request.call, worker });
  }

  async function claimWhenHeld(request: StepRequested): Promise<void> {
    const held = await lease.heldBefore(() => false);
    if (held && !stopping.aborted && !draining) return claimNow(request);
    deps.progress.leaveUndone();
  }

  async function act({ request, claimedAt }: Claim, key: string, calledOff: AbortSignal): Promise<void> {
    const { scope, run, call, uses, input, timeoutMs, secret, phase, playbook = '' } = request;
    const lane = { isLook: phase === 'diagnose' || phase === 'verify', playbook };
    const asked = { input, key, timeoutMs, ...(secret === undefined ? {} : { secret }) };
    const isLate = (): boolean => clock.steady() - claimedAt > beginWithinMs;
    const mayAct = !stopping.aborted && (await lease.heldBefore(isLate)); // X4; nothing may come between this answer and the call
    const began = clock.steady();
    const outcome = mayAct ? await deps.executor.act(uses, asked, { lane, calledOff }).catch(unknownBecause) : tooLate;
    const tookMs = Math.round(clock.steady() - began);
    await report({ type: 'StepAnswered', scope, at: clock.now(), run, call, worker, outcome, tookMs });
  }

  return {
    async claim(request) {
      if (stopping.aborted || draining) return deps.progress.leaveUndone();
      if (lease.holds()) return claimNow(request);
      await work.room();
      work.begin(claimWhenHeld(request));
    },
    async begin(fact) {
      const claim = claims.get(keyOf(fact));
      claims.delete(keyOf(fact));
      if (fact.worker !== worker || claim === undefined) return ends.ring(); // X1
      const id = keyOf(fact);
      const aborter = new AbortController();
      const { run, call, uses, timeoutMs } = claim.request;
      granted.set(id, { aborter, step: { run, call, uses, timeoutMs, since: clock.steady() } });
      await work.room();
      const ended = (): void => {
        granted.delete(id);
        ends.ring();
      };
      work.begin(act(claim, fact.key ?? `${fact.run}/${fact.call}`, aborter.signal).finally(ended));
    },
    callOff(fact) {
      if (fact.worker === worker) granted.get(keyOf(fact))?.aborter.abort();
    },
    forget(call) {
      claims.delete(keyOf(call));
      ends.ring();
    },
    async drain() {
      draining = true;
      while (!stopping.aborted && (granted.size > 0 || openClaims().length > 0)) {
        const heard = ends.next();
        await (granted.size > 0 ? heard : Promise.race([heard, pause(clock, claimLookMs)]));
      }
    },
    get underWay() {
      const claimed = openClaims().map(({ request: { run, call, uses, timeoutMs } }) => ({ run, call, uses, timeoutMs, since: null }));
      return [...[...granted.values()].map(({ step }) => step), ...claimed];
    },
  };
}

function unknownBecause(error: unknown): ActionOutcome {
  return { outcome: 'unknown', detail: `executor: ${error instanceof Error ? error.message : String(error)}` };
}

function keyOf({ run, call }: Call): string {
  return `${run}|${call}`;
}
