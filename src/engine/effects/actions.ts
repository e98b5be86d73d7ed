// Steps: those that are requested are claimed (claims.ts), and those that are granted to this very worker are carried out.
//   X1  An action happens only after the log granted it to this worker, and at most once per grant.
//   X4  Whoever slept through his grant does nothing: an action begins within ten seconds of its claim, and while the partition is still held.
import type { StepCalledOff, StepGranted, StepRequested } from '../../core/run/facts.ts';
import type { ActionOutcome } from '../../core/run/outcome.ts';
import type { Millis } from '../../core/time.ts';
import type { Executor } from '../../executor/executor.ts';
import { createBell } from '../async/bell.ts';
import { pause } from '../async/pause.ts';
import { beginWithinMs, createClaims, type CallName, type Claim, type ClaimsDeps } from './claims.ts';

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

export interface ActionsDeps extends ClaimsDeps {
  readonly executor: Pick<Executor, 'slot' | 'act'>;
}

export interface Actions {
  /** Resolves when the claim is on the log, or waits (claims.ts). */
  claim(fact: StepRequested): Promise<void>;
  /** Resolves when the action has begun, or is none of ours. */
  begin(fact: StepGranted): Promise<void>;
  /** Ends the call midway, if this worker is making it; its answer is reported like any other. */
  callOff(fact: StepCalledOff): void;
  /** The call has ended, whoever made it. */
  forget(call: CallName): void;
  /** Claims nothing new from now on; resolves when no claim of before is open and no call is under way. */
  drain(): Promise<void>;
  readonly underWay: readonly StepUnderWay[];
}

const tooLate: ActionOutcome = {
  outcome: 'failed',
  error: 'too_late',
  detail: 'the grant came too late to this worker; nothing was done',
  output: {},
};

export function createActions(deps: ActionsDeps): Actions {
  const { clock, worker, lease, work, report, stopping } = deps;
  const claims = createClaims(deps);
  /** Calls that were granted to this worker and have not ended. */
  const granted = new Map<string, { readonly aborter: AbortController; readonly step: StepUnderWay }>();
  const ends = createBell();

  async function act({ request, claimedAt, slot }: Claim, key: string, calledOff: AbortSignal): Promise<void> {
    const { scope, run, call, uses, input, timeoutMs, secret } = request;
    const asked = { input, key, timeoutMs, ...(secret === undefined ? {} : { secret }) };
    const isLate = (): boolean => clock.steady() - claimedAt > beginWithinMs;
    const mayAct = !stopping.aborted && (await lease.heldBefore(isLate)); // X4; nothing may come between this answer and the call
    const began = clock.steady();
    if (!mayAct) slot.free();
    const how = { slot, calledOff, beginWithinMs: Math.max(0, claimedAt + beginWithinMs - clock.steady()) };
    const outcome = mayAct ? await deps.executor.act(uses, asked, how).catch(unknownBecause) : tooLate;
    const tookMs = Math.round(clock.steady() - began);
    await report({ type: 'StepAnswered', scope, at: clock.now(), run, call, worker, outcome, tookMs });
  }

  return {
    claim: (request) => claims.claim(request),
    async begin(fact) {
      const claim = claims.take(fact);
      if (fact.worker !== worker || claim === undefined) {
        claim?.slot.free();
        return ends.ring(); // X1
      }
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
      claims.drop(call);
      ends.ring();
    },
    async drain() {
      claims.end();
      while (!stopping.aborted && (granted.size > 0 || claims.open.length > 0)) {
        const heard = ends.next();
        await (granted.size > 0 ? heard : Promise.race([heard, pause(clock, claimLookMs)]));
      }
    },
    get underWay() {
      const claimed = claims.open.map(({ run, call, uses, timeoutMs }) => ({ run, call, uses, timeoutMs, since: null }));
      return [...[...granted.values()].map(({ step }) => step), ...claimed];
    },
  };
}

function unknownBecause(error: unknown): ActionOutcome {
  return { outcome: 'unknown', detail: `executor: ${error instanceof Error ? error.message : String(error)}` };
}

function keyOf({ run, call }: CallName): string {
  return `${run}|${call}`;
}
