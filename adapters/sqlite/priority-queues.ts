// What waits for the disk, and group commit: while one group is being synced, everything that comes queues for the next.
//   G1  One group in flight; inputs go before facts, facts before state, state before views, calls of one lane in their order.
//   G2  A group takes all inputs, facts and state that wait, so a checkpoint never overtakes an append that was called before it.
//       Views and housekeeping get a small chunk when nothing else waits, and at least every `viewsAfterMs`, so that they neither
//       hold up an acceptance for long nor starve.
//   G3  Each lane is bounded in records and bytes; beyond, `overloaded`. A request into an empty lane is always taken.
import type { Worker } from 'node:worker_threads';
import type { Answer, Refusal, Request } from './requests.ts';

const laneNames = ['inputs', 'facts', 'state', 'views'] as const;
export type Lane = (typeof laneNames)[number];

/** Records of the last lane that go into one group; a single larger request still goes whole. */
const viewRecordsPerGroup = 24;
const viewsAfterMs = 100;

export interface Job {
  readonly lane: Lane;
  readonly request: Request;
  readonly records: number;
  readonly bytes: number;
  /** Called once, in the order of the file. */
  settle(answer: Answer): void;
}

export interface Lanes {
  send(job: Job): void;
  /** Refuses new requests; resolves when those that wait are settled. */
  drain(): Promise<void>;
  /** Ends the writer, after `drain`. */
  close(): Promise<void>;
}

interface Queue {
  jobs: Job[];
  /** Waiting and in flight. */
  records: number;
  bytes: number;
}

export function lanesTo(worker: Worker, limits: { readonly queueRecordsMax: number; readonly queueBytesMax: number }): Lanes {
  const queues = new Map<Lane, Queue>(laneNames.map((name) => [name, { jobs: [], records: 0, bytes: 0 }]));
  let flying: readonly Job[] = [];
  let scheduled = false;
  let viewedAt = 0;
  let drained: (() => void) | null = null;
  let stopped: Refusal | null = null;

  function queueOf(lane: Lane): Queue {
    const queue = queues.get(lane);
    if (!queue) throw new Error(`no lane ${lane}`);
    return queue;
  }

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
    const urgent = laneNames.flatMap((name) => (name === 'views' ? [] : take(queueOf(name), Infinity)));
    const views = urgent.length === 0 || performance.now() - viewedAt >= viewsAfterMs ? take(queueOf('views'), viewRecordsPerGroup) : [];
    if (views.length > 0) viewedAt = performance.now();
    flying = [...urgent, ...views];
    if (flying.length > 0) tell(flying.map((job) => job.request));
    else drained?.();
  }

  function arrived(answers: readonly Answer[]): void {
    const done = flying;
    flying = [];
    settleAll(done, (index) => answers[index] ?? { why: 'bug', message: 'the writer gave no answer' });
    if (drained || laneNames.some((name) => queueOf(name).jobs.length > 0)) schedule();
  }

  function settleAll(jobs: readonly Job[], answerOf: (index: number) => Answer): void {
    for (const [index, job] of jobs.entries()) {
      const queue = queueOf(job.lane);
      queue.records -= job.records;
      queue.bytes -= job.bytes;
      job.settle(answerOf(index));
    }
  }

  function fail(message: string): void {
    const refusal: Refusal = { why: 'unavailable', message };
    stopped ??= refusal;
    const lost = [...flying, ...laneNames.flatMap((name) => take(queueOf(name), Infinity))];
    flying = [];
    settleAll(lost, () => refusal);
    drained?.();
  }

  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('message', arrived);
  worker.on('error', (error) => fail(`the writer thread failed: ${String(error)}`));
  worker.on('exit', () => fail('the writer thread has ended'));

  return {
    send(job) {
      const queue = queueOf(job.lane);
      const full = queue.records + job.records > limits.queueRecordsMax || queue.bytes + job.bytes > limits.queueBytesMax;
      if (stopped) job.settle(stopped);
      else if (full && queue.records > 0) job.settle(overloaded(job.lane, queue)); // G3
      else {
        queue.records += job.records;
        queue.bytes += job.bytes;
        queue.jobs.push(job);
        schedule();
      }
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

/** Removes jobs from the front while they fit into `recordsMax`; always at least one. */
function take(queue: Queue, recordsMax: number): readonly Job[] {
  let count = 0;
  let records = 0;
  for (const job of queue.jobs) {
    if (count > 0 && records + job.records > recordsMax) break;
    records += job.records;
    count += 1;
  }
  return queue.jobs.splice(0, count);
}

function overloaded(lane: Lane, queue: Queue): Refusal {
  return { why: 'overloaded', message: `${queue.records} records (${queue.bytes} bytes) of ${lane} wait for the disk already` };
}
