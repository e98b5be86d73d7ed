// The data of a gateway that has stopped, before it is moved: is it at rest, and what does it hold. Reads only.
//   Nothing is left to decide when a host would have nothing to write: inputs that change nothing may lie behind the checkpoint, and waits go on elsewhere.
//   Nothing is left to do when later facts answer every step and notification that was asked for behind the cursor of effects.
import { GatewayError } from '../../core/errors.ts';
import type { Expressions } from '../../core/playbook/expressions.ts';
import { isOutbox, type OutboxFact } from '../../core/outbox.ts';
import { isMessage } from '../../core/resource/message.ts';
import type { Fact } from '../../core/records.ts';
import { everyScope } from '../../core/stamp.ts';
import { pause } from '../../engine/async/pause.ts';
import { createHost } from '../../engine/host/host.ts';
import { effectsCursor } from '../../engine/effects/effects.ts';
import type { DeskRow } from '../../ports/checkpoints.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog, LogRecord } from '../../ports/event-log.ts';
import type { Store } from '../../ports/store.ts';

export const factsPerRead = 1_000;

export type Source = Pick<Store, 'log' | 'checkpoints' | 'cursors' | 'deadLetters'>;

const rest = 'start that gateway once more on its own data, let it come to rest, stop it in order, and move then';

/** All rows of the source, of `*` those of its first partition; `state_conflict` with what to do when it is not at rest. */
export async function quiescentRows(source: Source, expressions: Expressions, clock: Clock): Promise<readonly DeskRow[]> {
  const all: DeskRow[] = [];
  let saved = false;
  for (let partition = 0; partition < source.log.partitions; partition += 1) {
    const mark = await source.checkpoints.load(partition, (rows) => {
      for (const row of rows) if (partition === 0 || row.scope !== everyScope) all.push(row);
    });
    saved ||= mark !== null;
    if (await isUnturned(source, partition, expressions, clock))
      throw new GatewayError('state_conflict', `partition ${partition} of the source holds inputs that are not decided yet: ${rest}`);
    const asked = await unansweredIn(source, partition);
    if (asked !== null) throw new GatewayError('state_conflict', `the source has still to do what was decided (${asked}): ${rest}`);
  }
  if (!saved) throw new GatewayError('state_conflict', 'the source holds no desks: there is nothing to move; is it the right directory?');
  return all;
}

/** Whether a host would have anything to write: inputs that change nothing need no checkpoint behind them. It runs on ports that keep nothing. */
async function isUnturned(source: Source, partition: number, expressions: Expressions, clock: Clock): Promise<boolean> {
  let wrote = false;
  let trouble: unknown = null;
  const host = createHost({
    holds: () => true,
    partition,
    log: {
      ...source.log,
      async append() {
        wrote = true;
        return 0;
      },
    },
    checkpoints: {
      load: (...args) => source.checkpoints.load(...args),
      async save() {
        wrote = true;
      },
    },
    expressions,
    clock: { now: () => clock.now(), steady: () => 0, after: () => () => {} }, // no wait is over, no batch is late
    yieldToIntake: () => pause(clock, 0),
    onDecided: () => {},
    onSaved: () => {},
    onTrouble: (error) => (trouble ??= error),
  });
  await host.start();
  while (trouble === null && !wrote && (await host.lag()) > 0) await pause(clock, 1);
  await host.stop();
  if (trouble !== null) throw trouble;
  return wrote;
}

/** A request behind the cursor of effects that no later fact answers, or null. */
async function unansweredIn({ log, cursors }: Source, partition: number): Promise<string | null> {
  const open = new Set<string>();
  for await (const { value } of recordsOf(log, partition, await cursors.load(effectsCursor, partition))) {
    const fact = value as Fact; // written by a host
    if (isOutbox(fact)) follow(open, fact);
  }
  const [first] = open;
  return first ?? null;
}

function follow(open: Set<string>, fact: OutboxFact): void {
  switch (fact.type) {
    case 'StepRequested':
      return void open.add(`step ${fact.call} of run ${fact.run}`);
    case 'StepFinished':
      return void open.delete(`step ${fact.call} of run ${fact.run}`);
    case 'NotifyRequested':
      return void open.add(`notification ${fact.notification.id}, attempt ${fact.attempt}`);
    case 'NotifyFinished':
    case 'NotifyDropped':
      return void open.delete(`notification ${fact.notification}, attempt ${fact.attempt}`);
    // Passed on as soon as effects take it; behind their cursor nobody has.
    case 'ResourceRequested':
    case 'ResourceReleased':
    case 'ResourceDecided':
    case 'GroupDecided':
      return void open.add(`message ${fact.type} of ${fact.scope}, ${fact.seq}`);
    case 'ResourceFreed':
      if (isMessage(fact)) open.add(`message ${fact.type} of ${fact.scope}, ${fact.seq}`);
      return;
    // Still what was requested; waits move with the desk.
    case 'StepGranted':
    case 'StepCalledOff':
    case 'NotifyGranted':
    case 'PageAcked':
    case 'PageClosed':
    case 'WakeRequested':
    case 'WakeSpent':
      return;
    default:
      fact satisfies never;
  }
}

export async function* pagesOf(log: EventLog, partition: number, from: number): AsyncGenerator<readonly LogRecord[]> {
  for (let at = from; ;) {
    const records = await log.read('facts', partition, at, factsPerRead);
    const last = records.at(-1);
    if (last === undefined) return;
    yield records;
    at = last.offset + 1;
  }
}

async function* recordsOf(log: EventLog, partition: number, from: number): AsyncGenerator<LogRecord> {
  for await (const page of pagesOf(log, partition, from)) yield* page;
}

export async function forgottenIn(log: EventLog): Promise<number> {
  let forgotten = 0;
  for (let partition = 0; partition < log.partitions; partition += 1) {
    const [first] = await log.read('facts', partition, 0, 1);
    forgotten += first?.offset ?? (await log.end('facts', partition));
  }
  return forgotten;
}
