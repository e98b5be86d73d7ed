// What waits for one file, by lane: bounded in records and bytes, and what goes into the next group. Pure; when a group goes is priority-queues.ts.
//   G1  Lanes go in their order (lanes.ts); jobs of one lane in theirs.
//   G3  Each lane is bounded in records and bytes; beyond, `overloaded`. A request into an empty lane is always taken.
import type { Lanes } from './lanes.ts';
import type { Answer, Refusal } from './requests.ts';

export interface Job<Lane extends string, Asked> {
  readonly priority: Lane;
  readonly request: Asked;
  readonly records: number;
  readonly bytes: number;
  /** Called once, in the order of the file. */
  settle(answer: Answer): void;
}

export interface QueueLimits {
  readonly queueRecordsMax: number;
  readonly queueBytesMax: number;
}

export interface WaitingJobs<Lane extends string, Asked> {
  /** Takes the job in, or says why not (G3). */
  add(job: Job<Lane, Asked>): Refusal | null;
  /** All that is urgent, in the order of the lanes. */
  takeUrgent(): readonly Job<Lane, Asked>[];
  /** A chunk of what is not. */
  takePatient(): readonly Job<Lane, Asked>[];
  takeAll(): readonly Job<Lane, Asked>[];
  /** Settles jobs that were taken: from here on their lanes have room for others. */
  settle(jobs: readonly Job<Lane, Asked>[], answerOf: (index: number) => Answer): void;
  isEmpty(): boolean;
  /** Whether so much waits that it goes without a rest. */
  isFull(): boolean;
}

interface Queue<Lane extends string, Asked> {
  readonly lane: Lane;
  jobs: Job<Lane, Asked>[];
  /** Waiting and in flight. */
  records: number;
  bytes: number;
}

export function createWaitingJobs<Lane extends string, Asked>(
  lanes: Lanes<Lane>,
  { queueRecordsMax, queueBytesMax }: QueueLimits,
): WaitingJobs<Lane, Asked> {
  const queueOf = (lane: Lane): Queue<Lane, Asked> => ({ lane, jobs: [], records: 0, bytes: 0 });
  const urgent = lanes.urgent.map(queueOf);
  const patient = queueOf(lanes.patient);
  const all = [...urgent, patient];
  const queueFor = (lane: Lane): Queue<Lane, Asked> => all.find((queue) => queue.lane === lane) ?? patient;

  return {
    add(job) {
      const into = queueFor(job.priority);
      const isFull = into.records + job.records > queueRecordsMax || into.bytes + job.bytes > queueBytesMax;
      if (isFull && into.records > 0) return overloaded(into); // G3
      into.records += job.records;
      into.bytes += job.bytes;
      into.jobs.push(job);
      return null;
    },
    takeUrgent: () => urgent.flatMap((queue) => take(queue, Infinity)),
    takePatient: () => take(patient, lanes.patientRecordsPerGroup),
    takeAll: () => all.flatMap((queue) => take(queue, Infinity)),
    settle(jobs, answerOf) {
      for (const [index, job] of jobs.entries()) {
        const from = queueFor(job.priority);
        from.records -= job.records;
        from.bytes -= job.bytes;
        job.settle(answerOf(index));
      }
    },
    isEmpty: () => all.every((queue) => queue.jobs.length === 0),
    isFull: () => all.reduce((sum, { records }) => sum + records, 0) >= lanes.fullRecords,
  };
}

/** Removes jobs from the front while they fit into `recordsMax`; always at least one. */
function take<Lane extends string, Asked>(queue: Queue<Lane, Asked>, recordsMax: number): readonly Job<Lane, Asked>[] {
  let count = 0;
  let records = 0;
  for (const job of queue.jobs) {
    if (count > 0 && records + job.records > recordsMax) break;
    records += job.records;
    count += 1;
  }
  return queue.jobs.splice(0, count);
}

function overloaded({ lane, records, bytes }: { readonly lane: string; readonly records: number; readonly bytes: number }): Refusal {
  return { why: 'overloaded', message: `${records} records (${bytes} bytes) of ${lane} wait for the disk already` };
}
