// What every story of the demo is given, and what it gives back.
import type { Gateway } from './gateway.ts';
import type { Screen } from './screen.ts';

export interface Stage {
  readonly gateway: Gateway;
  readonly screen: Screen;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Stands in every alert of this play, so that two plays in a row are never taken for one trouble. */
  readonly play: string;
  /** Done, newest first, when the demo ends before its time, on a stage that Ctrl-C no longer stops; the answer takes it off the list. */
  undo(step: (stage: Stage) => Promise<void>): () => void;
}

/** How one story went, for the summary. */
export interface Ending {
  readonly alerts: number;
  readonly incidents: number;
  readonly pages: number;
  readonly remediated: number;
  readonly incident: string;
}
