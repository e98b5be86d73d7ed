// The waits of a partition: armed from its desks after a load and from its facts afterwards, answered by Woke inputs.
// Keeps no truth: what a desk waits for stands in the desk.
//   W2  What is left of a wait is measured on the steady clock if this process heard it asked, over any number of reloads (W1 is timers.ts).
import type { Desk } from '../../core/desk.ts';
import type { Fact } from '../../core/records.ts';
import { second, type Instant, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { createTimers, type Timers, type Wait } from '../timers.ts';

const answerAgainMs: Millis = second;

export interface WaitsDeps {
  readonly partition: number;
  readonly log: Pick<EventLog, 'append'>;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
}

export interface Waits {
  /** Disarms everything; when each wait is due stays known (W2). */
  stop(): void;
  /** Arms what the desks wait for, and nothing else. */
  start(desks: Iterable<Desk>): void;
  /** Arms what durable facts ask for; those up to `knownSeq` were asked in an earlier turn of the same input. */
  follow(scope: string, facts: readonly Fact[], knownSeq: number): void;
  readonly size: number;
}

export function createWaits({ partition, log, clock, onTrouble }: WaitsDeps): Waits {
  let timers: Timers | null = null;
  /** When each wait is due on the steady clock; outlives a reload, not the process (W2). */
  const dues = new Map<string, Millis>();

  function arm(scope: string, token: string, afterMs: Millis): void {
    dues.set(keyOf(scope, token), clock.steady() + afterMs);
    timers?.arm(scope, token, afterMs);
  }

  function leftOf(scope: string, token: string, wait: { readonly dueAt: Instant; readonly afterMs: Millis }): Millis {
    const due = dues.get(keyOf(scope, token));
    return due === undefined ? leftByTheWall(wait, clock.now()) : Math.max(0, due - clock.steady());
  }

  async function answer(scope: string, waits: readonly Wait[]): Promise<void> {
    const at = clock.now();
    const values = waits.map(({ token }) => ({ type: 'Woke', scope, at, token }));
    try {
      await log.append('inputs', { partition, scope, values, mayUseReserve: true });
    } catch (error) {
      onTrouble(error);
      for (const { token } of waits) timers?.arm(scope, token, answerAgainMs);
    }
  }

  return {
    stop: () => timers?.stop(),
    start(desks) {
      timers?.stop();
      timers = createTimers(clock, (due) => {
        for (const [scope, waits] of Map.groupBy(due, (wait) => wait.scope)) void answer(scope, waits);
      });
      for (const { scope, tables } of desks) {
        for (const [token, wait] of tables.wakes.rows) arm(scope, token, leftOf(scope, token, wait));
      }
    },
    follow(scope, facts, knownSeq) {
      for (const fact of facts) {
        if (fact.type === 'WakeSpent') dues.delete(keyOf(scope, fact.token));
        if (fact.type === 'WakeRequested') arm(scope, fact.token, fact.seq > knownSeq ? fact.afterMs : leftOf(scope, fact.token, fact));
      }
    },
    get size() {
      return timers?.size ?? 0;
    },
  };
}

/** What is left of a wait after a restart: never more than it was asked, never negative (W1 in timers.ts). */
function leftByTheWall({ dueAt, afterMs }: { readonly dueAt: Instant; readonly afterMs: Millis }, now: Instant): Millis {
  return Math.min(afterMs, Math.max(0, dueAt - now));
}

function keyOf(scope: string, token: string): string {
  return `${scope} ${token}`;
}
