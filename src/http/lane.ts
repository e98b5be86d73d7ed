// Questions of the API, a few at a time: each of them gives the event loop back between two slices, but a hundred at once are a hundred slices
// before anybody else's turn, and a hundred answers in memory. Commands that only hand in a word and open routes (health) do not come by here.
//   Q1  At most `atOnceMax` questions are at work; after each the event loop is given back before the next begins.
//   Q2  Callers take turns, one question each: who asks hundreds waits for their own.
//   Q3  Who waits is bounded, and so is what one caller was answered and has not read. Beyond that the answer is `overloaded`.
//   Q4  A question whose asker has gone is not answered.
import type { ServerResponse } from 'node:http';
import { GatewayError } from '../core/errors.ts';
import { giveWay } from '../engine/async/turns.ts';

export interface LaneLimits {
  readonly atOnceMax: number;
  readonly waitingMax: number;
  /** Bytes of answers to one caller that are still on their way. */
  readonly unreadBytesMax: number;
}

export interface Lane {
  /** Does the work when its turn has come. Rejects with `overloaded` (Q3), and with what the work rejects with. */
  run<Done>(caller: string, res: ServerResponse, work: () => Promise<Done>): Promise<Done>;
  /** Books an answer as on its way to the caller until it has left, or the caller has; what it returns adds bytes to it. */
  answering(caller: string, res: ServerResponse): (bytes: number) => void;
}

/**
 * What waits for what: questions to the read model; those to the log and the letters beside it, which may be away; making silences; and apart,
 * since anybody may ask for them: pages that show an incident, and figures.
 */
export type Line = 'views' | 'log' | 'silences' | 'pages' | 'figures';

/** A lane for each line. What waits for the log or the read model may do so beside others: its own work is done as it begins. */
export function createLanes(limits: LaneLimits): { readonly [Each in Line]: Lane } {
  const waiting = { ...limits, atOnceMax: limits.atOnceMax * 8 };
  return {
    views: createLane(limits),
    log: createLane(waiting),
    silences: createLane(waiting),
    pages: createLane(limits),
    figures: createLane(limits),
  };
}

interface Waiter {
  begin(): void;
}

export function createLane({ atOnceMax, waitingMax, unreadBytesMax }: LaneLimits): Lane {
  /** By caller, in the order of turns: who had one goes to the end. */
  const waiting = new Map<string, Set<Waiter>>();
  const unread = new Map<string, number>();
  let waiters = 0;
  let working = 0;
  let isPumping = false;

  async function pump(): Promise<void> {
    while (!isPumping && working < atOnceMax && waiters > 0) {
      isPumping = true;
      await giveWay();
      isPumping = false;
      next()?.begin();
    }
  }

  function next(): Waiter | null {
    const [caller] = waiting.keys();
    const own = caller === undefined ? undefined : waiting.get(caller);
    if (caller === undefined || own === undefined) return null;
    const [first] = own;
    waiting.delete(caller); // Q2
    if (first === undefined) return null;
    own.delete(first);
    waiters -= 1;
    if (own.size > 0) waiting.set(caller, own);
    return first;
  }

  function turn(caller: string, res: ServerResponse): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        begin() {
          res.off('close', leave);
          working += 1;
          resolve();
        },
      };
      const own = waiting.get(caller) ?? new Set<Waiter>();
      const leave = (): void => {
        if (own.delete(waiter)) waiters -= 1;
        if (own.size === 0 && waiting.get(caller) === own) waiting.delete(caller);
        reject(new GatewayError('overloaded', 'whoever asked has gone')); // Q4
      };
      res.once('close', leave);
      own.add(waiter);
      waiting.set(caller, own);
      waiters += 1;
      void pump();
    });
  }

  return {
    async run(caller, res, work) {
      if (waiters >= waitingMax) throw new GatewayError('overloaded', 'too many questions wait for their answers');
      if ((unread.get(caller) ?? 0) > unreadBytesMax) throw new GatewayError('overloaded', `${caller} has not read earlier answers yet`);
      await turn(caller, res);
      try {
        return await work();
      } finally {
        working -= 1;
        void pump();
      }
    },
    answering(caller, res) {
      let own = 0;
      res.once('close', () => {
        const left = (unread.get(caller) ?? 0) - own;
        if (left > 0) unread.set(caller, left);
        else unread.delete(caller);
        own = 0;
      });
      return (bytes) => {
        if (res.destroyed) return;
        own += bytes;
        unread.set(caller, (unread.get(caller) ?? 0) + bytes);
      };
    },
  };
}
