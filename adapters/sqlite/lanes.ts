// In what order what waits for a file goes into its groups. The log's file and the state's have a queue and a writer each: a checkpoint of
// thousands of rows, or a chunk of the read model, holds up no acceptance.
import type { PriorityQueues } from './priority-queues.ts';
import type { LogRequest, StateRequest } from './requests.ts';
import type { Job } from './waiting-jobs.ts';

export interface Lanes<Lane extends string> {
  /** In the order in which they go; a group takes all that waits in them. */
  readonly urgent: readonly Lane[];
  /** Gets a chunk when nothing else waits, and at least every so often. */
  readonly patient: Lane;
  /** Of the patient lane, in one group; a single larger request still goes whole. */
  readonly patientRecordsPerGroup: number;
  readonly patientAfterMs: number;
  /** How long it waits from one group to the next for more to come, unless so many records wait already. */
  readonly restMs: number;
  readonly fullRecords: number;
}

const logOrder = ['inputs', 'facts', 'letters'] as const;
type LogLane = (typeof logOrder)[number] | 'retention';

/** Retention goes in small steps: acceptances wait for the same file. */
export const logLanes: Lanes<LogLane> = {
  urgent: logOrder,
  patient: 'retention',
  patientRecordsPerGroup: 24,
  patientAfterMs: 100,
  restMs: 0,
  fullRecords: 0,
};

type StateLane = 'state' | 'views';

/**
 * Nobody who is to be answered waits for this file, so that a commit takes much of both, and comes rarely while there is little to do: each costs a
 * sync of the disk that acceptances wait for.
 */
export function stateLanes(restMs: number): Lanes<StateLane> {
  return { urgent: ['state'], patient: 'views', patientRecordsPerGroup: 512, patientAfterMs: 0, restMs, fullRecords: 1_024 };
}

export type LogJob = Job<LogLane, LogRequest>;
export type LogQueues = PriorityQueues<LogLane, LogRequest>;
export type StateQueues = PriorityQueues<StateLane, StateRequest>;
