// What waits for the disk, and group commit: while one group is being synced, everything that comes queues for the next (waiting-jobs.ts).
//   G1  One group in flight; inputs go before facts, facts before state, state before views, calls of one priority in their order.
//   G2  A group takes all inputs, facts and state that wait, so a checkpoint never overtakes an append that was called before it.
//       Views and housekeeping get a small chunk when nothing else waits, and at least every `viewsAfterMs`, so that they neither
//       hold up an acceptance for long nor starve.
import type { Worker } from 'node:worker_threads';
import { createWaitingJobs, type Job, type QueueLimits } from './waiting-jobs.ts';
import type { Answer, Refusal, Request } from './requests.ts';

const viewsAfterMs = 100;

export interface PriorityQueues {
  send(job: Job): void;
  /** Refuses new requests; resolves when those that wait are settled. */
  drain(): Promise<void>;
  /** Ends the writer, after `drain`. */
  close(): Promise<void>;
}

export function createPriorityQueues(worker: Worker, limits: QueueLimits): PriorityQueues {
  const waiting = createWaitingJobs(limits);
  let flying: readonly Job[] = [];
  let scheduled = false;
  let viewedAt = 0;
  let drained: (() => void) | null = null;
  let stopped: Refusal | null = null;

  function tell(message: readonly Request[] | 'close'): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(message);
  }

  /** At the end of this turn of the event loop, so that everything that asks in this turn shares the group. */
  function schedule(): void {
    if (scheduled || flying.length > 0) return;
    scheduled = true;
    setImmediate(post);
  }

  function post(): void {
    scheduled = false;
    const urgent = waiting.takeUrgent();
    const views = urgent.length === 0 || performance.now() - viewedAt >= viewsAfterMs ? waiting.takeViews() : []; // G2
    if (views.length > 0) viewedAt = performance.now();
    flying = [...urgent, ...views];
    if (flying.length > 0) tell(flying.map((job) => job.request));
    else drained?.();
  }

  function arrived(answers: readonly Answer[]): void {
    const done = flying;
    flying = [];
    waiting.settle(done, (index) => answers[index] ?? { why: 'bug', message: 'the writer gave no answer' });
    if (drained || !waiting.isEmpty()) schedule();
  }

  function fail(message: string): void {
    const refusal: Refusal = { why: 'unavailable', message };
    stopped ??= refusal;
    const lost = [...flying, ...waiting.takeAll()];
    flying = [];
    waiting.settle(lost, () => refusal);
    drained?.();
  }

  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('message', arrived);
  worker.on('error', (error) => fail(`the writer thread failed: ${String(error)}`));
  worker.on('exit', () => fail('the writer thread has ended'));

  return {
    send(job) {
      const refusal = stopped ?? waiting.add(job);
      if (refusal === null) schedule();
      else job.settle(refusal);
    },
    async drain() {
      if (stopped) return;
      stopped = { why: 'unavailable', message: 'closed' };
      await new Promise<void>((resolve) => {
        drained = resolve;
        schedule();
      });
    },
    async close() {
      tell('close');
      await ended;
    },
  };
}
