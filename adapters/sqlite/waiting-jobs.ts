// What waits for the disk, by priority: bounded in records and bytes, and what goes into the next group. Pure; when a group goes is priority-queues.ts.
//   G1  Inputs go before facts, facts before state, state before views; jobs of one priority in their order.
//   G3  Each priority is bounded in records and bytes; beyond, `overloaded`. A request into an empty priority is always taken.
import type { Answer, Refusal, Request } from './requests.ts';

const laneNames = ['inputs', 'facts', 'state', 'views'] as const;
export type Priority = (typeof laneNames)[number];

/** Records of the last priority that go into one group; a single larger request still goes whole. */
const viewRecordsPerGroup = 24;

export interface Job {
  readonly priority: Priority;
  readonly request: Request;
  readonly records: number;
  readonly bytes: number;
  /** Called once, in the order of the file. */
  settle(answer: Answer): void;
}

export interface QueueLimits {
  readonly queueRecordsMax: number;
  readonly queueBytesMax: number;
}

export interface WaitingJobs {
  /** Takes the job in, or says why not (G3). */
  add(job: Job): Refusal | null;
  /** All that is urgent, in the order of the queues. */
  takeUrgent(): readonly Job[];
  /** A small chunk of what is not. */
  takeViews(): readonly Job[];
  takeAll(): readonly Job[];
  /** Settles jobs that were taken: from here on their queues have room for others. */
  settle(jobs: readonly Job[], answerOf: (index: number) => Answer): void;
  isEmpty(): boolean;
}

interface Queue {
  jobs: Job[];
  /** Waiting and in flight. */
  records: number;
  bytes: number;
}

export function createWaitingJobs({ queueRecordsMax, queueBytesMax }: QueueLimits): WaitingJobs {
  const queue = (): Queue => ({ jobs: [], records: 0, bytes: 0 });
  const queues: { readonly [priority in Priority]: Queue } = { inputs: queue(), facts: queue(), state: queue(), views: queue() };

  return {
    add(job) {
      const into = queues[job.priority];
      const isFull = into.records + job.records > queueRecordsMax || into.bytes + job.bytes > queueBytesMax;
      if (isFull && into.records > 0) return overloaded(job.priority, into); // G3
      into.records += job.records;
      into.bytes += job.bytes;
      into.jobs.push(job);
      return null;
    },
    takeUrgent: () => laneNames.flatMap((priority) => (priority === 'views' ? [] : take(queues[priority], Infinity))),
    takeViews: () => take(queues.views, viewRecordsPerGroup),
    takeAll: () => laneNames.flatMap((priority) => take(queues[priority], Infinity)),
    settle(jobs, answerOf) {
      for (const [index, job] of jobs.entries()) {
        const from = queues[job.priority];
        from.records -= job.records;
        from.bytes -= job.bytes;
        job.settle(answerOf(index));
      }
    },
    isEmpty: () => laneNames.every((priority) => queues[priority].jobs.length === 0),
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

function overloaded(priority: Priority, queue: Queue): Refusal {
  return { why: 'overloaded', message: `${queue.records} records (${queue.bytes} bytes) of ${priority} wait for the disk already` };
}
