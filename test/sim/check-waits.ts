// Promise 6: every wait is answered, neither early nor late, whatever crashes and wherever the wall clock jumps.
import type { Desk } from '../../src/core/desk.ts';
import { second, type Millis } from '../../src/core/time.ts';
import type { WakeRequested } from '../../src/core/wakes.ts';
import { hastened, type SeenStamp } from './hastened.ts';
import { deskName, type Ledger, type Moment, type SeenFact } from './ledger.ts';

const slackMs: Millis = 8 * second;
const perTroubleMs: Millis = 3 * second;

interface Pending extends SeenStamp {
  readonly fact: WakeRequested;
}

export function checkWaits(ledger: Ledger): { overdue(): void; none(): void } {
  const pending = new Map<string, Pending>();

  ledger.watch({
    fact(seen, desk) {
      const { fact, partition } = seen;
      if (fact.type === 'WakeRequested') ask(`${deskName(partition, fact.scope)} ${fact.token}`, { ...seen, fact }, desk);
      if (fact.type === 'WakeSpent') spend(`${deskName(partition, fact.scope)} ${fact.token}`, seen);
    },
  });

  function ask(name: string, asked: Pending, desk: Desk): void {
    const { fact } = asked;
    const held = desk.tables.wakes.rows.get(fact.token);
    if (held !== undefined && held.dueAt < fact.dueAt)
      ledger.breach(`W2: the wait ${name} is asked for again with a later time: one of the two is lost`);
    pending.set(name, asked);
  }

  function spend(name: string, { seen }: SeenFact): void {
    const held = pending.get(name);
    pending.delete(name);
    if (held === undefined) return ledger.breach(`W2: the wait ${name} was answered and nobody had asked`);
    const passed = seen.steady - held.seen.steady;
    if (passed + 1 < held.fact.afterMs - hastened(ledger, held, seen)) {
      ledger.breach(`W1: the wait ${name} of ${held.fact.afterMs} ms was over after ${passed} ms`);
    }
    late(name, held, seen);
  }

  function late(name: string, { fact, seen: since }: Pending, now: Moment): void {
    const restarts = now.lives - since.lives;
    const slack = slackMs + perTroubleMs * (now.troubles - since.troubles + restarts);
    // W1: after a restart no wait is longer than it was asked; on a wall clock that went back, or that not everybody believes, it may begin anew.
    const again = now.back > 0 || fact.at > since.wall || now.forward > since.believed ? restarts : 0;
    const passed = now.up - since.up;
    if (passed > fact.afterMs * (1 + again) + slack) ledger.breach(`W1: the wait ${name} of ${fact.afterMs} ms is late: ${passed} ms`);
  }

  return {
    overdue() {
      const now = ledger.moment();
      for (const [name, held] of pending) late(name, held, now);
    },
    none() {
      for (const name of pending.keys()) ledger.breach(`W2: the wait ${name} was never answered`);
    },
  };
}
