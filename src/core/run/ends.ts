// What the end of a run means, in one table: a new end does not compile until every column has an answer for it.
// A refused playbook never ran; what follows from that is in the table all the same, since an incident remembers it in the same place.
import type { RunEnd } from './facts.ts';

export interface EndMeaning {
  /** The fire is out, or there was none: nothing more has to be tried. */
  readonly helped: boolean;
  /** Nobody knows what the run did to the world: a person must look, even when every alert has cleared. */
  readonly inDoubt: boolean;
  /** Rings a page again that somebody had only answered. Not for ends that help, and not for a person's own word. */
  readonly callsPerson: boolean;
  /** No other playbook is tried after it: nobody knows what is true now, or a person has spoken. */
  readonly stops: boolean;
  /** When every alert clears afterwards, the playbook gets the credit. */
  readonly credited: boolean;
}

/** How the last remedy of an incident came out. */
export type Outcome = RunEnd | 'refused';

export const ends: { readonly [end in Outcome]: EndMeaning } = {
  succeeded: { helped: true, inDoubt: false, callsPerson: false, stops: false, credited: true },
  noop: { helped: true, inDoubt: false, callsPerson: false, stops: false, credited: false },
  degraded: { helped: false, inDoubt: true, callsPerson: true, stops: true, credited: true },
  failed: { helped: false, inDoubt: false, callsPerson: true, stops: false, credited: false },
  'rolled-back': { helped: false, inDoubt: false, callsPerson: true, stops: false, credited: false },
  stuck: { helped: false, inDoubt: true, callsPerson: true, stops: true, credited: false },
  unknown: { helped: false, inDoubt: true, callsPerson: true, stops: true, credited: false },
  shadowed: { helped: false, inDoubt: false, callsPerson: false, stops: false, credited: false },
  denied: { helped: false, inDoubt: false, callsPerson: false, stops: true, credited: false },
  expired: { helped: false, inDoubt: false, callsPerson: true, stops: false, credited: false },
  cancelled: { helped: false, inDoubt: false, callsPerson: false, stops: true, credited: false },
  refused: { helped: false, inDoubt: false, callsPerson: true, stops: false, credited: false },
};

/** Every word for how a remedy came out, in the order of the table. */
export const outcomes = Object.keys(ends) as readonly Outcome[]; // the keys of the table above
