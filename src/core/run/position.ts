// Where a run goes from here: every part of it moves the position by these, and says in one word what came of it.
import { emit, wakeAfter, type TurnContext } from '../context.ts';
import { invariant } from '../errors.ts';
import type { Millis } from '../time.ts';
import type { RunMoved } from './facts.ts';
import { frameOf, runOf, type Run } from './row.ts';

/**
 * What came of a look at the run.
 * `asked`: a call is out, its answer comes as an input. `goesOn`: the run has moved, look again at once.
 * `waits`: for a wake, or for a person. `ended`: there is nothing more to do.
 */
export type Progress = 'asked' | 'goesOn' | 'waits' | 'ended';

export type Move = Partial<Pick<RunMoved, 'phase' | 'index' | 'attempt' | 'pause' | 'goodSince' | 'failure' | 'degraded'>>;

/** The run as it is after the facts so far. */
export function freshRun(ctx: TurnContext, id: string): Run {
  const run = runOf(ctx, id);
  invariant(run !== undefined, `R3: run ${id} is on the desk`);
  return run;
}

export function move(ctx: TurnContext, run: Run, to: Move, why: string): Run {
  const { part: phase, index, attempt } = frameOf(run);
  emit(ctx, { type: 'RunMoved', run: run.id, incident: run.incident, phase, index, attempt, ...to, why });
  return freshRun(ctx, run.id);
}

/** Goes to the next place of the same part. */
export function next(ctx: TurnContext, run: Run, why: string, also: Move = {}): Progress {
  move(ctx, run, { index: frameOf(run).index + 1, attempt: 0, ...also }, why);
  return 'goesOn';
}

/** Looks again after the span. */
export function pause(ctx: TurnContext, run: Run, span: Millis, also: Move, why: string): Progress {
  const moved = move(ctx, run, { ...also, pause: run.pause + 1 }, why);
  wakeAfter(ctx, span, { kind: 'pause', run: run.id, pause: moved.pause });
  return 'waits';
}
