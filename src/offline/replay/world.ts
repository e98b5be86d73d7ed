// The core in virtual time: inputs in, facts out, waits rung when they are due, actions and notifiers played by a script.
// No store, no process, no promise. Loading and reporting are the files beside it.
//   V1  The same inputs, policy and script give the same facts.
//   V2  Nothing reaches the world: what an action did is only what the script says, and every notification counts as accepted.
//   V3  Things happen in order of time; what is due at one instant, in the order in which it was asked for.
import type { DecisionContext } from '../../core/context.ts';
import type { Desk } from '../../core/desk.ts';
import { isOutbox } from '../../core/outbox.ts';
import type { Fact, Input } from '../../core/records.ts';
import { isMessage, messageOf } from '../../core/resource/message.ts';
import type { StepRequested } from '../../core/run/facts.ts';
import type { ActionOutcome } from '../../core/run/outcome.ts';
import type { Instant, Millis } from '../../core/time.ts';
import { turn } from '../../core/turn.ts';
import { createHeap, type Heap } from '../../engine/async/heap.ts';
import { deskOf } from '../../engine/host/desks.ts';

const worker = 'simulated';
/** Changed rows are only remembered for checkpoints, of which there are none. */
const forgetEvery = 4_096;

export interface Script {
  /** What the action answers, and after how long. */
  answer(request: StepRequested): { readonly outcome: ActionOutcome; readonly takesMs: Millis };
  /** Called with every fact, in order. */
  onFact(fact: Fact): void;
}

export interface World {
  now(): Instant;
  /** Lets time pass up to the input's `at`, then turns it. */
  say(input: Input): readonly Fact[];
  /** Lets time pass up to the instant, ringing what is due. */
  forward(until: Instant): void;
  /** Lets time pass until nothing waits any more, at most up to the instant; false when something still waits then. */
  settle(until: Instant): boolean;
}

export function createWorld(rules: DecisionContext, script: Script, start: Instant): World {
  const desks = new Map<string, Desk>();
  const queue = createHeap<Input>();
  const follow = createShell(script, queue);
  let now = start;
  let turned = 0;

  function turnOne(input: Input): readonly Fact[] {
    now = Math.max(now, input.at);
    const desk = deskOf(desks, input.scope);
    const facts = turn(desk, input, rules, turned);
    turned += 1;
    if (turned % forgetEvery === 0) for (const each of desks.values()) forgetChanges(each);
    for (const fact of facts) {
      follow(fact);
      script.onFact(fact);
    }
    return facts;
  }

  /** Turns what is due up to the instant; the clock stands at the last of it. */
  function ring(until: Instant): void {
    for (let due = queue.next(); due !== null && due <= until; due = queue.next()) {
      const input = queue.take();
      if (input !== undefined) turnOne(input);
    }
  }

  return {
    now: () => now,
    say(input) {
      ring(input.at);
      return turnOne(input);
    },
    forward(until) {
      ring(until);
      now = Math.max(now, until);
    },
    settle(until) {
      ring(until);
      return queue.size === 0;
    },
  };
}

/** What the shell would do about each fact: wait, claim and act, notify. V2 */
function createShell(script: Script, queue: Heap<Input>): (fact: Fact) => void {
  const requested = new Map<string, StepRequested>();
  return function follow(fact: Fact): void {
    if (!isOutbox(fact)) return;
    const { scope, at } = fact;
    switch (fact.type) {
      case 'WakeRequested':
        if (fact.wake.kind === 'idle') return; // what a resource forgets a month from now keeps no replay waiting
        return queue.add(at + fact.afterMs, { type: 'Woke', scope, at: at + fact.afterMs, token: fact.token });
      case 'StepRequested':
        requested.set(`${fact.run}|${fact.call}`, fact);
        return queue.add(at, { type: 'StepClaimed', scope, at, run: fact.run, call: fact.call, worker });
      case 'StepGranted': {
        const request = requested.get(`${fact.run}|${fact.call}`);
        if (request === undefined) return;
        requested.delete(`${fact.run}|${fact.call}`);
        const { outcome, takesMs } = script.answer(request);
        const then = at + takesMs;
        return queue.add(then, {
          type: 'StepAnswered',
          scope,
          at: then,
          run: fact.run,
          call: fact.call,
          worker,
          outcome,
          tookMs: takesMs,
        });
      }
      case 'NotifyRequested':
        return queue.add(at, {
          type: 'NotifyClaimed',
          scope,
          at,
          page: fact.page,
          notification: fact.notification.id,
          attempt: fact.attempt,
          worker,
        });
      case 'NotifyGranted':
        return queue.add(at, {
          type: 'NotifyAnswered',
          scope,
          at,
          page: fact.page,
          notification: fact.outgoing,
          attempt: fact.attempt,
          outcome: { outcome: 'accepted', detail: 'simulated' },
        });
      case 'ResourceRequested':
      case 'ResourceReleased':
      case 'ResourceDecided':
      case 'GroupDecided':
        return queue.add(at, messageOf(fact, at));
      case 'ResourceFreed':
        return isMessage(fact) ? queue.add(at, messageOf(fact, at)) : undefined;
      // What follows from them is the core's.
      case 'StepCalledOff':
      case 'StepFinished':
      case 'NotifyFinished':
      case 'NotifyDropped':
      case 'PageAcked':
      case 'PageClosed':
      case 'WakeSpent':
        return;
      default:
        fact satisfies never;
    }
  };
}

function forgetChanges(desk: Desk): void {
  for (const table of Object.values(desk.tables)) table.changed.clear();
}
