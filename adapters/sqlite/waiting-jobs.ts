// What waits for the disk, by lane: bounded in records and bytes, and what goes into the next group. Pure; when a group goes is priority-queues.ts.
//   G1  Inputs go before facts, facts before state, state before views; jobs of one lane in their order.
//   G3  Each lane is bounded in records and bytes; beyond, `overloaded`. A request into an empty lane is always taken.
import type { Answer, Refusal, Request } from './requests.ts';

const laneNames = ['inputs', 'facts', 'state', 'views'] as const;
export type Lane = (typeof laneNames)[number];

/** Records of the last lane that go into one group; a single larger request still goes whole. */
const viewRecordsPerGroup = 24;

export interface Job {
  readonly lane: Lane;
  readonly request: Request;
  readonly records: number;
  readonly bytes: number;
  /** Called once, in the order of the file. */
  settle(answer: Answer): void;
}

export interface LaneLimits {
  readonly queueRecordsMax: number;
  readonly queueBytesMax: number;
}

export interface WaitingJobs {
  /** Takes the job in, or says why not (G3). */
  add(job: Job): Refusal | null;
  /** All that is urgent, in the order of the lanes. */
  takeUrgent(): readonly Job[];
  /** A small chunk of what is not. */
  takeViews(): readonly Job[];
  takeAll(): readonly Job[];
  /** Settles jobs that were taken: from here on their lanes have room for others. */
  settle(jobs: readonly Job[], answerOf: (index: number) => Answer): void;
  isEmpty(): boolean;
}

interface Queue {
  jobs: Job[];
  /** Waiting and in flight. */
  records: number;
  bytes: number;
}

export function createWaitingJobs({ queueRecordsMax, queueBytesMax }: LaneLimits): WaitingJobs {
  const queue = (): Queue => ({ jobs: [], records: 0, bytes: 0 });
  const queues: { readonly [lane in Lane]: Queue } = { inputs: queue(), facts: queue(), state: queue(), views: queue() };

  return {
    add(job) {
      const into = queues[job.lane];
      const isFull = into.records + job.records > queueRecordsMax || into.bytes + job.bytes > queueBytesMax;
      if (isFull && into.records > 0) return overloaded(job.lane, into); // G3
      into.records += job.records;
      into.bytes += job.bytes;
      into.jobs.push(job);
      return null;
    },
    takeUrgent: () => laneNames.flatMap((lane) => (lane === 'views' ? [] : take(queues[lane], Infinity))),
    takeViews: () => take(queues.views, viewRecordsPerGroup),
    takeAll: () => laneNames.flatMap((lane) => take(queues[lane], Infinity)),
    settle(jobs, answerOf) {
      for (const [index, job] of jobs.entries()) {
        const from = queues[job.lane];
        from.records -= job.records;
        from.bytes -= job.bytes;
        job.settle(answerOf(index));
      }
    },
    isEmpty: () => laneNames.every((lane) => queues[lane].jobs.length === 0),
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
