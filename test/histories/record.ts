// Writes histories: a small script says what the world does, the core answers, both are kept line by line.
// Reading them back is histories.test.ts; a history is judged by people when it is recorded or changes.
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import { newDesk, worldOf, type Desk } from '../../src/core/desk.ts';
import type { NotifyOutcome } from '../../src/core/page/notification.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Fact, Input } from '../../src/core/records.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import { everyScope } from '../../src/core/stamp.ts';
import type { Instant, Millis } from '../../src/core/time.ts';
import { turn, turnWorld } from '../../src/core/turn.ts';
import { deskOf } from '../../src/engine/host/desks.ts';
import { isMessage, messageOf } from '../../src/core/resource/message.ts';
import { someday } from '../support/clock.ts';

export const scope = 'default';

/** One line of a history. */
export type Line = { readonly says: string } | { readonly input: Input; readonly offset: number } | { readonly fact: Fact };

type Given<T> = T extends Input ? Omit<T, 'scope' | 'at'> : never;

export interface Recorder {
  readonly lines: readonly Line[];
  say(input: Given<Input>): void;
  see(event: AlertEvent): void;
  now(): Instant;
  /** Lets time pass; wakes come when they are due. */
  forward(span: Millis): void;
  /** A worker claims the open call and answers it. */
  answer(outcome: ActionOutcome): void;
  /** Every notifier that was asked takes the message. */
  delivered(): void;
  desk(): Desk;
}

const expressions = createExpressions();

/** Decides about inputs as a host does, over a desk and the world's own. */
export function judge(): { readonly desk: Desk; turn(input: Input, offset: number): Fact[] } {
  const desk = newDesk(scope);
  const world = newDesk(everyScope);
  /** The desks of resources. */
  const others = new Map<string, Desk>();
  const deskFor = (name: string): Desk => (name === scope ? desk : deskOf(others, name));
  return {
    desk,
    turn(input, offset) {
      const { policy, frozen, installation } = worldOf(world);
      // The first input of every history publishes its policy, and nothing before it asks for one.
      const law = { policy: policy as Policy, frozen, installation, expressions };
      return input.scope === everyScope ? turnWorld(world, input, law, offset) : turn(deskFor(input.scope), input, law, offset);
    },
  };
}

export function record(says: string, policy: Policy): Recorder {
  const lines: Line[] = [{ says }];
  const { desk, turn: decide } = judge();
  const accepted: NotifyOutcome = { outcome: 'accepted', detail: '' };
  let at = someday;
  let offset = 0;
  let waits: { readonly due: Millis; readonly to: string; readonly token: string }[] = [];

  function put(input: Input): void {
    lines.push({ input, offset });
    const messages: Input[] = [];
    for (const fact of decide(input, offset)) {
      lines.push({ fact: structuredClone(fact) });
      if (fact.type === 'WakeRequested') waits.push({ due: at + fact.afterMs, to: fact.scope, token: fact.token });
      if (isMessage(fact)) messages.push(messageOf(fact, at));
    }
    offset += 1;
    for (const message of messages) put(message);
  }

  function say(given: Given<Input>): void {
    // Given is an input without what the recorder adds.
    put({ ...given, scope, at } as Input);
  }

  put({ type: 'PolicyPublished', scope: everyScope, at, policy });
  return {
    lines,
    say,
    see: (event) => say({ type: 'AlertSeen', endpoint: 'test', delivery: '', index: 0, event }),
    now: () => at,
    forward(span) {
      const until = at + span;
      for (;;) {
        const [next] = waits.filter(({ due }) => due <= until).sort((a, b) => a.due - b.due);
        if (next === undefined) break;
        waits = waits.filter((wait) => wait !== next);
        at = Math.max(at, next.due);
        if (next.to !== scope) put({ type: 'Woke', scope: next.to, at, token: next.token });
        else if (desk.tables.wakes.rows.has(next.token)) say({ type: 'Woke', token: next.token });
      }
      at = until;
    },
    answer(outcome) {
      const [open] = desk.tables.runs.rows.values().flatMap(({ id, calls }) => Object.keys(calls).map((call) => ({ run: id, call })));
      if (open === undefined) throw new Error('no call is open');
      say({ type: 'StepClaimed', ...open, worker: 'worker1' });
      say({ type: 'StepAnswered', ...open, worker: 'worker1', outcome, tookMs: 250 });
    },
    delivered() {
      const asked = [...desk.tables.pages.rows.values()].flatMap((page) =>
        page.outgoing
          .filter(({ state }) => state === 'asked')
          .map(({ id: notification, attempt }) => ({ page: page.id, notification, attempt })),
      );
      for (const one of asked) {
        say({ type: 'NotifyClaimed', ...one, worker: 'worker1' });
        if (desk.tables.pages.rows.get(one.page)?.outgoing.some(({ id, state }) => id === one.notification && state === 'granted') === true)
          say({ type: 'NotifyAnswered', ...one, outcome: accepted });
      }
    },
    desk: () => desk,
  };
}
