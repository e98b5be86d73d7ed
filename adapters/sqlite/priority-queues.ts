// What waits for one file, and group commit: while one group is being synced, everything that comes queues for the next (waiting-jobs.ts).
//   G1  One group in flight; lanes go in their order (lanes.ts), calls of one lane in theirs.
//   G2  A group takes all that is urgent. The patient lane gets a chunk when nothing else waits, and at least every `patientAfterMs`, so that it
//       neither holds up what is urgent for long nor starves.
//   G4  Between two groups it rests for what the lanes say, unless much waits already or it is being closed.
import type { Worker } from 'node:worker_threads';
import type { Lanes } from './lanes.ts';
import type { Answer, Refusal } from './requests.ts';
import { createWaitingJobs, type Job, type QueueLimits } from './waiting-jobs.ts';

export interface PriorityQueues<Lane extends string, Asked> {
  send(job: Job<Lane, Asked>): void;
  /** Refuses new requests; resolves when those that wait are settled. */
  drain(): Promise<void>;
  /** Ends the writer, after `drain`. */
  close(): Promise<void>;
}

export function createPriorityQueues<Lane extends string, Asked>(
  worker: Worker,
  lanes: Lanes<Lane>,
  limits: QueueLimits,
): PriorityQueues<Lane, Asked> {
  const waiting = createWaitingJobs<Lane, Asked>(lanes, limits);
  let flying: readonly Job<Lane, Asked>[] = [];
  let scheduled = false;
  let patientAt = 0;
  let postedAt = Number.NEGATIVE_INFINITY;
  let rest: NodeJS.Timeout | null = null;
  let drained: (() => void) | null = null;
  let stopped: Refusal | null = null;

  function tell(message: readonly Asked[] | 'close'): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(message);
  }

  /** At the end of this turn of the event loop, so that everything that asks in this turn shares the group; or behind the rest (G4). */
  function schedule(): void {
    if (flying.length > 0) return;
    const restMs = drained !== null || waiting.isFull() ? 0 : postedAt + lanes.restMs - performance.now();
    if (rest !== null && restMs <= 0) {
      clearTimeout(rest);
      rest = null;
      scheduled = false;
    }
    if (scheduled) return;
    scheduled = true;
    if (restMs > 0) rest = setTimeout(post, restMs);
    else setImmediate(post);
  }

  function post(): void {
    scheduled = false;
    rest = null;
    postedAt = performance.now();
    const urgent = waiting.takeUrgent();
    const patient = urgent.length === 0 || performance.now() - patientAt >= lanes.patientAfterMs ? waiting.takePatient() : []; // G2
    if (patient.length > 0) patientAt = performance.now();
    flying = [...urgent, ...patient];
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
